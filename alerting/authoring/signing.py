"""Signing what is issued with the authority's key, and verifying what is handed in.

Owns the reading of CAP_SIGNING_KEY_FILE and CAP_ANCHORS_FILE, anew each time: a renewed key needs no restart. Invariant:
where a key is set, nothing goes public unsigned, and nothing is signed before it is issued; no text of the key leaves here.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate
from sqlalchemy.orm import Session

from alerting.authoring.errors import NotSigned
from alerting.cap import signature
from alerting.cap.findings import WARNING, Finding
from alerting.cap.signature import SigningKey
from alerting.config import Settings
from alerting.store import alerts
from alerting.store.alerts import Stored
from alerting.store.states import Workspace

_NOT_ISSUED = "the warning was not issued, because it could not be signed"


def sign(session: Session, stored: Stored, settings: Settings, now: datetime) -> None:
    """Keep the signed document beside the written one; raises NotSigned, after which the transaction must not commit.

    Exercises and tests stay unsigned: they are shown to nobody outside. A document that came with a signature keeps it.
    """
    if not settings.cap_signing_key_file or stored.workspace is not Workspace.LIVE:
        return
    document = alerts.cap_xml(session, stored.id)
    if document is None:
        raise NotSigned(f"{_NOT_ISSUED}: its document is missing")
    try:
        if not signature.examine(document):
            signed = signature.sign(document, _key(settings), at=now)
            alerts.keep_signed(session, stored.id, signed)
    except ValueError as error:  # of the key, the certificate or the document
        raise NotSigned(f"{_NOT_ISSUED}: {error}") from None


def _key(settings: Settings) -> SigningKey:
    try:
        pem = Path(settings.cap_signing_key_file).read_bytes()
    except OSError as error:
        raise NotSigned(
            f"{_NOT_ISSUED}: the file that CAP_SIGNING_KEY_FILE names cannot be read ({error.strerror})"
        ) from None
    password = settings.cap_signing_key_password
    try:
        return signature.load_key(pem, password.encode() if password else None)
    except ValueError as error:
        raise NotSigned(f"{_NOT_ISSUED}: in the file that CAP_SIGNING_KEY_FILE names, {error}") from None


def signature_findings(data: bytes, *, settings: Settings, now: datetime) -> tuple[Finding, ...]:
    """A warning for each signature of a document as received that is not valid by the certificates of CAP_ANCHORS_FILE.

    Never fatal (CAP 1.2, 3.3.4.1), not even when that file cannot be read.
    """
    anchors: tuple[Certificate, ...] = ()
    wrong: tuple[Finding, ...] = ()
    try:
        if settings.cap_anchors_file:
            anchors = signature.load_anchors(Path(settings.cap_anchors_file).read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"the file that CAP_ANCHORS_FILE names cannot be used ({reason}): nothing is trusted"
        wrong = (Finding("S-02", WARNING, ("Signature",), message),)
    return (*wrong, *signature.findings(data, anchors, now))
