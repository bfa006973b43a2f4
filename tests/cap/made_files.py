"""The files that the command line's page and tests speak of: a warning, its update, an old one, a feed, a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from alerting.cap import model as m
from alerting.cap.xml import write
from tests.cap import made

VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2029, 1, 1, tzinfo=UTC)


def update() -> m.Alert:
    """The update of `made.alert()`: worse, longer, on more ground."""
    before = made.alert()
    wider = made.area(polygon=("10,20 10,22 11,22 11,20 10,20",))
    info = made.info(
        severity=m.Severity.EXTREME,
        effective=None,
        expires=made.SENT + timedelta(hours=9, minutes=30),
        headline="The river rises quickly",
        area=(wider, m.Area("Delta", polygon=("12,20 12,21 13,21 12,20",))),
    )
    return replace(
        before,
        identifier="river-2026-2",
        sent=made.SENT + timedelta(hours=1),
        msg_type=m.MsgType.UPDATE,
        references=made.naming(before),
        info=(info,),
    )


def old() -> bytes:
    """The warning as CAP 1.1 with UTC as Z, which 1.2 forbids."""
    data = write(made.alert()).replace(b"emergency:cap:1.2", b"emergency:cap:1.1")
    return data.replace(b"<sent>2026-03-01T09:00:00+08:00", b"<sent>2026-03-01T01:00:00Z")


def feed() -> bytes:
    """An Atom feed that holds the warning and its update."""
    entries = b"".join(
        b"<entry><content type='text/xml'>" + write(alert).partition(b"\n")[2] + b"</content></entry>"
        for alert in (made.alert(), update())
    )
    return b"<feed xmlns='http://www.w3.org/2005/Atom'>" + entries + b"</feed>"


def key_and_certificate(name: str = "River Authority") -> tuple[bytes, bytes]:
    """A private key and its self-signed certificate, PEM, unencrypted."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, VALID_FROM, VALID_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, certificate.public_bytes(Encoding.PEM)


def write_all(folder: Path) -> None:
    """All of them, under the names of the page."""
    key, certificate = key_and_certificate()
    files = {
        "river.xml": write(made.alert()),
        "river-2.xml": write(update()),
        "wrong.xml": write(made.alert(made.info(web="river.example", contact=None))),
        "old.xml": old(),
        "feed.xml": feed(),
        "key.pem": key + certificate,
        "anchors.pem": certificate,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
