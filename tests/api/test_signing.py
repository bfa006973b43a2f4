"""Signatures over HTTP: a warning that cannot be signed is not issued, and one that came with a signature is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from alerting.cap import jsonform, signature, xml
from alerting.config import Settings
from tests.api.conftest import XML, Officers
from tests.cap.certified import Owner, owner

Made = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.usefixtures("country")
SIGNER: Owner = owner("Office", at=datetime.now(UTC))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "signer.pem"
    file.write_bytes(SIGNER.pem())
    return file


@pytest.fixture
def settings(settings: Settings, key_file: Path) -> Settings:
    """With a signer who trusts himself."""
    return replace(settings, cap_signing_key_file=str(key_file), cap_anchors_file=str(key_file))


def post(client: FlaskClient, officers: Officers, data: bytes) -> Any:
    return client.post("/api/v1/alerts", data=data, content_type=XML, headers=officers.of("preparer"))


def written(warning: dict[str, Any]) -> bytes:
    alert = jsonform.from_json(warning).alert
    assert alert is not None
    return xml.write(alert)


def test_an_unusable_key_stops_the_issue_and_says_why(
    client: FlaskClient, officers: Officers, warning: Made, key_file: Path
) -> None:
    made = post(client, officers, written(warning())).get_json()
    key_file.unlink()
    refused = client.post(f"/api/v1/alerts/{made['id']}/approve", headers=officers.of("approver"))
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    body = refused.get_json()
    assert body["type"].endswith("not-signed")
    assert "CAP_SIGNING_KEY_FILE names cannot be read" in body["detail"]
    assert str(key_file) not in body["detail"]
    shown = client.get(f"/api/v1/alerts/{made['id']}", headers=officers.of("approver")).get_json()
    assert (shown["state"], shown["dispatches"]) == ("submitted", [])


def test_the_public_document_is_signed_and_posting_it_again_finds_the_warning(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    made = post(client, officers, written(warning())).get_json()
    client.post(f"/api/v1/alerts/{made['id']}/approve", headers=officers.of("approver"))
    public = client.get(f"/cap/{made['id']}.xml").data
    (found,) = signature.verify(public, [SIGNER.certificate], at=datetime.now(UTC))
    assert found.verdict == "valid"
    again = post(client, officers, public)
    assert (again.status_code, again.get_json()["id"]) == (200, made["id"])
    assert not any(each["rule"] == "S-02" for each in again.get_json()["warnings"])


def test_a_signature_that_is_not_valid_is_a_warning(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    stranger = signature.load_key(owner("Stranger", at=datetime.now(UTC)).pem())
    answer = post(client, officers, signature.sign(written(warning()), stranger))
    assert answer.status_code == 201
    (found,) = [each for each in answer.get_json()["warnings"] if each["rule"] == "S-02"]
    assert "untrusted" in found["detail"]
    assert found["path"] == "/alert/Signature[1]"
