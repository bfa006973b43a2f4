"""Signing at issue: what the public gets is signed, and what cannot be signed is not issued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting import authoring
from alerting.authoring import AlertState, NotSigned
from alerting.cap import signature, xml
from alerting.cap.model import MsgType, Status
from alerting.config import Settings
from alerting.store import alerts, publications
from alerting.store.engine import transaction
from tests.cap.certified import Owner, authority, office, owner

from .conftest import APPROVER, NOW, PREPARER, Desk, acting, info, warning

AUTHORITY = owner("Authority", ca=True, usage="key_cert_sign", at=NOW)
OFFICE = owner("Office", issuer=AUTHORITY, usage="digital_signature", at=NOW)
OLD = owner("Office of old", issuer=AUTHORITY, ends=timedelta(days=-1), at=NOW)


@pytest.fixture
def signing(tmp_path: Path, desk: Desk) -> Callable[..., Desk]:
    """The desk with a key file; None leaves the file away."""

    def made(pem: bytes | None, **changes: Any) -> Desk:
        file = tmp_path / "signer.pem"
        if pem is not None:
            file.write_bytes(pem)
        desk.settings = replace(desk.settings, cap_signing_key_file=str(file), **changes)
        return desk

    return made


def public(desk: Desk, made: authoring.Submitted) -> bytes:
    with transaction() as session:
        found = publications.public_cap(session, made.id)
        page = publications.by_slug(session, made.slug)
        other = alerts.public_xml(session, made.id)
    assert found is not None
    assert page is not None
    assert found[0] == page.cap_xml == other
    return found[0]


def test_what_is_issued_at_once_is_signed(signing: Callable[..., Desk]) -> None:
    desk = signing(OFFICE.pem())
    made = desk.submit(warning())
    data = public(desk, made)
    (found,) = signature.verify(data, [AUTHORITY.certificate], at=NOW)
    assert (found.verdict, found.subject) == ("valid", "CN=Office")
    assert xml.read(data).alert == warning()


def test_what_waits_for_approval_is_signed_only_with_it(
    signing: Callable[..., Desk], careful_desk: Desk
) -> None:
    desk = signing(OFFICE.pem(password=b"tide"), cap_signing_key_password="tide")
    made = desk.submit(warning())
    rows = desk.rows("SELECT cap_xml, signed_xml FROM alert JOIN alert_state ON alert = id")
    assert [(b"Signature" in bytes(row["cap_xml"]), row["signed_xml"]) for row in rows] == [(False, None)]
    desk.approve(made.id)
    (found,) = signature.verify(public(desk, made), [AUTHORITY.certificate], at=NOW)
    assert found.verdict == "valid"


def test_updates_and_cancels_are_signed_too(signing: Callable[..., Desk]) -> None:
    desk = signing(OFFICE.pem())
    desk.submit(warning())
    update = desk.submit(acting("w-2", MsgType.UPDATE, warning(), infos=(info(),)))
    cancelled = desk.cancel(update.id)
    for made in (update, cancelled):
        (found,) = signature.verify(public(desk, made), [AUTHORITY.certificate], at=NOW)
        assert found.verdict == "valid"


BROKEN: list[tuple[bytes | None, str]] = [
    (None, "cannot be read"),
    (b"", "no private key"),
    (OFFICE.pem().replace(b"PRIVATE", b"SECRET"), "no private key"),
    (Owner(OFFICE.private, AUTHORITY.certificate).pem(), "does not belong to the certificate"),
    (OFFICE.pem(password=b"tide"), "give its password"),
    (OLD.pem(), "expired on 2026-03-13"),
    (owner("Office", begins=timedelta(days=1), at=NOW).pem(), "not valid before"),
]


@pytest.mark.parametrize(("pem", "reason"), BROKEN)
def test_an_approval_that_cannot_sign_issues_nothing(
    signing: Callable[..., Desk], careful_desk: Desk, pem: bytes | None, reason: str
) -> None:
    desk = signing(pem)
    made = desk.submit(warning())
    before = desk.rows("SELECT * FROM alert_state")
    with pytest.raises(NotSigned, match=reason) as refused:
        desk.approve(made.id)
    assert "not issued" in str(refused.value)
    assert desk.rows("SELECT * FROM alert_state") == before
    assert desk.dispatches(made.id) == {}
    assert desk.rows("SELECT FROM public_alert") == []
    signing(OFFICE.pem())  # mended: the same warning is approved
    assert desk.approve(made.id).state is AlertState.ISSUED


def test_a_submission_that_cannot_sign_leaves_nothing(signing: Callable[..., Desk]) -> None:
    desk = signing(OLD.pem())
    with pytest.raises(NotSigned, match="expired"):
        desk.submit(warning())
    assert desk.rows("SELECT FROM alert") == []
    assert desk.rows("SELECT FROM dispatch") == []


def test_a_replaced_warning_stays_in_force_when_its_update_cannot_be_signed(
    signing: Callable[..., Desk],
) -> None:
    desk = signing(OFFICE.pem())
    first = desk.submit(warning())
    signing(OLD.pem())
    with pytest.raises(NotSigned):
        desk.submit(acting("w-2", MsgType.UPDATE, warning(), infos=(info(),)))
    assert desk.stored(first.id).state is AlertState.ISSUED


def test_exercises_are_not_signed(signing: Callable[..., Desk]) -> None:
    desk = signing(None)
    made = desk.submit(warning(status=Status.EXERCISE))
    assert made.state is AlertState.ISSUED
    assert desk.rows("SELECT signed_xml FROM alert_state") == [{"signed_xml": None}]


def test_without_the_setting_nothing_is_signed(desk: Desk) -> None:
    made = desk.submit(warning())
    assert signature.verify(public(desk, made), [], at=NOW) == ()


def test_the_same_warning_again_is_the_same_though_it_is_signed(signing: Callable[..., Desk]) -> None:
    desk = signing(OFFICE.pem())
    made = desk.submit(warning())
    alert = xml.read(public(desk, made)).alert
    assert alert is not None
    again = authoring.submit(alert, None, actor=PREPARER, omit={}, settings=desk.settings, now=NOW)
    assert (again.id, again.created) == (made.id, False)


def test_what_is_handed_in_is_verified_against_the_file_of_anchors(
    settings: Settings, tmp_path: Path
) -> None:
    data = signature.sign(xml.write(warning()), signature.load_key(office().pem()))
    file = tmp_path / "anchors.pem"
    pinned = replace(settings, cap_anchors_file=str(file))
    at = authority().certificate.not_valid_before_utc + timedelta(days=1)

    def told(with_settings: Settings) -> list[str]:
        return [each.message for each in authoring.signature_findings(data, settings=with_settings, now=at)]

    assert ["no trusted certificates" in each for each in told(settings)] == [True]
    assert "cannot be used" in told(pinned)[0]
    file.write_bytes(authority().pem())
    assert told(pinned) == []


def test_approver_is_not_told_of_keys(signing: Callable[..., Desk], careful_desk: Desk) -> None:
    desk = signing(OFFICE.pem()[:200])
    made = desk.submit(warning())
    with pytest.raises(NotSigned) as refused:
        authoring.approve(made.id, actor=APPROVER, settings=desk.settings, now=NOW)
    assert OFFICE.pem().splitlines()[1].decode() not in str(refused.value)
    assert desk.settings.cap_signing_key_file not in str(refused.value)
