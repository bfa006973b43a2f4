"""Signatures: what is signed verifies, what was touched does not, and nobody is trusted for what a message brings along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from alerting.cap.signature import (
    Signature,
    SigningError,
    Verdict,
    load_anchors,
    load_key,
    sign,
    verify,
)
from alerting.cap.xml import read, write
from tests.cap import made
from tests.cap.certified import AT, Owner, authority, office, old_office, owner, private
from tests.cap.signed import (
    DOCUMENT,
    DS,
    resigned,
    signed,
    trusted,
    verdict,
    with_certificate,
)

OFFICES = (office, old_office)


# ---- signing ----


@pytest.mark.parametrize(("by", "algorithm"), [(office, "ecdsa-sha256"), (old_office, "rsa-sha256")])
def test_what_is_signed_is_valid_under_the_authority(by: Callable[[], Owner], algorithm: str) -> None:
    found = verdict(signed(by()))
    assert found == Signature(
        Verdict.VALID,
        algorithm,
        by().certificate.subject.rfc4514_string(),
        by().certificate.not_valid_after_utc,
        found.message,
    )
    assert "trusted" in found.message


@pytest.mark.parametrize("by", OFFICES)
def test_another_library_verifies_it_too(by: Callable[[], Owner]) -> None:
    result = XMLVerifier().verify(
        signed(by()),
        x509_cert=by().certificate,
        expect_config=SignatureConfiguration(verification_time=AT),
    )
    assert not isinstance(result, list)
    assert result.signed_xml is not None
    assert result.signed_xml.tag == "{urn:oasis:names:tc:emergency:cap:1.2}alert"


def test_the_signature_is_enveloped_last_and_in_exclusive_form() -> None:
    root = etree.fromstring(signed())
    assert root[-1].tag == f"{{{DS}}}Signature"
    assert [each.get("Algorithm") for each in root.iter(f"{{{DS}}}Transform")] == [
        f"{DS}enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    ]
    assert [each.get("URI") for each in root.iter(f"{{{DS}}}Reference")] == [""]
    assert root.find(f".//{{{DS}}}X509Certificate") is not None


def test_signing_changes_nothing_of_the_alert() -> None:
    alert = made.alert(made.info(description="a\r\nb <&> é \U0001f30a \u00a0 end"))
    again = read(signed(document=write(alert)))
    assert again.alert == alert
    assert verdict(signed(document=write(alert))).verdict == "valid"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_encodings_are_signed_in_utf8(encoding: str) -> None:
    text = DOCUMENT.decode().replace("UTF-8", encoding).replace("The river", "La rivière")
    data = signed(document=text.encode(encoding))
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert verdict(data).verdict == "valid"


def test_a_certificate_that_does_not_hold_signs_nothing() -> None:
    key = load_key(office().pem())
    assert sign(DOCUMENT, key, at=AT)
    with pytest.raises(SigningError, match="expired on 2026-03-11"):
        sign(DOCUMENT, key, at=AT + timedelta(days=11))
    with pytest.raises(SigningError, match="not valid before"):
        sign(DOCUMENT, key, at=AT - timedelta(days=11))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"<alert/>", "root must be alert"),
        (b"<alert", "well-formed"),
        (b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (DOCUMENT.replace(b"<info>", b"<info xmlns:a='relative'>"), "cannot be signed"),
    ],
)
def test_what_is_no_alert_is_not_signed(document: bytes, reason: str) -> None:
    with pytest.raises(SigningError, match=reason):
        signed(document=document)


def test_a_signed_document_is_not_signed_again() -> None:
    with pytest.raises(SigningError, match="signed already"):
        signed(document=signed())


# ---- keys ----


def test_keys_are_found_in_any_order_and_encrypted_or_not() -> None:
    key, _, rest = office().pem(authority()).partition(b"-----BEGIN CERT")
    swapped = load_key(b"-----BEGIN CERT" + rest + key)
    assert swapped.certificate == office().certificate
    assert swapped.chain == (authority().certificate,)
    assert load_key(office().pem(password=b"tide"), b"tide").certificate == office().certificate
    assert "rivate" not in repr(swapped).replace("SigningKey", "")


def _certificate(of: Owner) -> bytes:
    return of.certificate.public_bytes(form.Encoding.PEM)


def _bare(of: Owner) -> bytes:
    return of.pem().replace(_certificate(of), b"")


@pytest.mark.parametrize(
    ("pem", "password", "reason"),
    [
        (b"", None, "no private key"),
        (_certificate(office()), None, "no private key"),
        (_bare(office()), None, "no certificate"),
        (_bare(office()) + _certificate(old_office()), None, "does not belong"),
        (office().pem() + _bare(old_office()), None, "2 private keys"),
        (office().pem(password=b"tide"), None, "give its password"),
        (office().pem(password=b"tide"), b"ebb", "password is wrong"),
        (office().pem()[:60] + b"AAAA" + office().pem()[64:], None, "damaged"),
        (owner("weak", key=private("rsa1024")).pem(), None, "2048"),
        (owner("sealer", usage="key_encipherment").pem(), None, "digitalSignature"),
        (office().pem().replace(b"-----END CERT", b"!!\n-----END CERT"), None, "cannot be read"),
    ],
)
def test_a_key_file_that_does_not_fit_says_why(pem: bytes, password: bytes | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        load_key(pem, password)
    secret = _bare(office()).splitlines()[1].decode()
    assert secret not in str(refused.value)


def test_anchors_are_all_certificates_of_a_text_and_at_least_one() -> None:
    assert load_anchors(_certificate(office()) + _certificate(authority())) == trusted(office(), authority())
    with pytest.raises(ValueError, match="no certificate"):
        load_anchors(b"nothing")


# ---- trust ----


def test_a_stranger_is_untrusted_whatever_he_brings() -> None:
    stranger = owner("River office")
    found = verdict(signed(stranger))
    assert (found.verdict, "self-signed" in found.message) == ("untrusted", True)
    impostor = owner("Root of Atlantis", ca=True, usage="key_cert_sign")
    forged = owner("River office", issuer=impostor)
    assert verdict(signed(forged, impostor)).verdict == "untrusted"


def test_nobody_is_trusted_without_anchors() -> None:
    (found,) = verify(signed(), (), at=AT)
    assert (found.verdict, found.message.partition(", but ")[2]) == (
        "untrusted",
        "no trusted certificates are known here",
    )


def test_a_pinned_signer_is_trusted_himself() -> None:
    alone = owner("Lone office")
    assert verdict(signed(alone), alone).verdict == "valid"
    assert verdict(signed(), office()).verdict == "valid"
    assert verdict(signed(), old_office()).verdict == "untrusted"


def test_chains_are_built_from_what_the_message_brings() -> None:
    middle = owner("Regional authority", issuer=authority(), ca=True, usage="key_cert_sign")
    below = owner("District office", issuer=middle)
    assert verdict(signed(below, middle)).verdict == "valid"
    assert verdict(signed(below)).verdict == "untrusted"
    assert verdict(signed(below), middle).verdict == "valid"


def test_who_is_no_authority_issues_nothing() -> None:
    below = owner("Friend of the river office", issuer=office())
    assert verdict(signed(below, office())).verdict == "untrusted"
    assert verdict(signed(below, office()), office()).verdict == "untrusted"


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [(-10, -1, "expired on 2026-02-28"), (1, 10, "not valid before 2026-03-02")],
)
def test_certificates_hold_in_their_time(begins: int, ends: int, reason: str) -> None:
    late = owner("office", issuer=authority(), begins=timedelta(days=begins), ends=timedelta(days=ends))
    data = signed(late)
    found = verdict(data)
    assert found.verdict == "untrusted"
    assert reason in found.message
    assert verdict(data, late).verdict == "untrusted"  # pinned or not
    assert verdict(data, at=AT + timedelta(days=(begins + ends) / 2)).verdict == "valid"


def test_an_expired_authority_vouches_for_nobody() -> None:
    root = owner("old root", ca=True, ends=timedelta(days=-1))
    assert verdict(signed(owner("office", issuer=root)), root).verdict == "untrusted"


def test_times_are_compared_as_instants() -> None:
    brief = owner("office", issuer=authority(), begins=timedelta(hours=-1), ends=timedelta(hours=1))
    east = timezone(timedelta(hours=8))
    assert verdict(signed(brief), at=AT.astimezone(east)).verdict == "valid"
    with pytest.raises(ValueError, match="time zone"):
        verify(signed(brief), (), at=datetime(2026, 3, 1))


def test_a_certificate_for_other_purposes_signs_no_warning() -> None:
    key = private("rsa")
    sealer = owner("office", issuer=authority(), usage="key_encipherment", key=key)
    data = resigned(signed(old_office()), key, hashes.SHA256())
    data = with_certificate(data, sealer.certificate)
    found = verdict(data)
    assert (found.verdict, "key usage" in found.message) == ("untrusted", True)
    assert verdict(data, sealer).verdict == "untrusted"
