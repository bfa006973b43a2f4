"""Keys and certificates made for tests; nothing here is a secret of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a key and a certificate for it."""

    private: Private
    certificate: x509.Certificate

    def pem(self, *chain: Owner, password: bytes | None = None) -> bytes:
        """The key, the certificate and those of `chain`, in one text."""
        protection = form.BestAvailableEncryption(password) if password else form.NoEncryption()
        key = self.private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection)
        return key + b"".join(each.certificate.public_bytes(form.Encoding.PEM) for each in (self, *chain))


def private(kind: str = "ec") -> Private:
    """A new key: "ec", "p384", or "rsa" with its bits behind it."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:] or "2048"))
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


def owner(
    name: str,
    *,
    issuer: Owner | None = None,
    ca: bool = False,
    usage: str = "",
    key: Private | None = None,
    begins: timedelta = timedelta(days=-10),
    ends: timedelta = timedelta(days=10),
    at: datetime = AT,
) -> Owner:
    """An owner whose certificate `issuer` has signed, else he himself; `usage` is a field of the key usage."""
    held = key or private()
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named if issuer is None else issuer.certificate.subject)
        .public_key(held.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at + begins)
        .not_valid_after(at + ends)
    )
    if ca:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if usage:
        names = (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        )
        usages = x509.KeyUsage(**{each: each == usage for each in names})
        made = made.add_extension(usages, critical=True)
    return Owner(held, made.sign((issuer.private if issuer else held), hashes.SHA256()))


@cache
def authority() -> Owner:
    return owner("Root of Atlantis", ca=True, usage="key_cert_sign")


@cache
def office() -> Owner:
    """An ECDSA signer under the authority."""
    return owner("River office", issuer=authority(), usage="digital_signature")


@cache
def old_office() -> Owner:
    """An RSA signer under the authority."""
    return owner("Rain office", issuer=authority(), key=private("rsa"))
