"""Keys and certificates from PEM: what a signer needs, and what a verifier pins.

Owns SigningKey. Reads bytes, never files. Invariant: a SigningKey is complete: the key is its certificate's and strong enough;
no text of an error and no repr shows anything of the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from alerting.cap.signature.algorithms import RSA_BITS
from alerting.cap.signature.trust import may_sign

_PRIVATE: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its certificate, and the certificates that lead from it towards an authority."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def load_key(pem: bytes, password: bytes | None = None) -> SigningKey:
    """The key in a PEM text with one private key and its certificate, in any order; other certificates are its chain.

    Raises ValueError that says what is missing or does not fit.
    """
    private = _private(pem, password)
    certificates = _certificates(pem)
    if not certificates:
        raise ValueError("there is no certificate beside the private key: put it into the same file")
    public = _public(private.public_key())
    own = next((each for each in certificates if _public_of(each) == public), None)
    if own is None:
        raise ValueError(
            "the private key does not belong to the certificate: put the two that belong together there"
        )
    if not may_sign(own):
        raise ValueError("the certificate is not for signing: its key usage must have digitalSignature")
    return SigningKey(private, own, tuple(each for each in certificates if each != own))


def load_anchors(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM text, to be trusted; raises ValueError where there is none or one cannot be read."""
    found = _certificates(pem)
    if not found:
        raise ValueError("there is no certificate in it: give one or more in PEM")
    return found


def _private(pem: bytes, password: bytes | None) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    found = [match.group(0) for match in _PRIVATE.finditer(pem)]
    if len(found) != 1:
        count = "no private key" if not found else f"{len(found)} private keys"
        raise ValueError(f"there must be one private key in PEM, and there is {count}")
    encrypted = b"ENCRYPTED" in found[0]
    if encrypted and not password:
        raise ValueError("the private key is encrypted: give its password")
    try:
        key = load_pem_private_key(found[0], password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # whose texts might quote the key
        reason = (
            "the password is wrong or the key is damaged"
            if encrypted
            else "it is damaged or of an unknown kind"
        )
        raise ValueError(f"the private key cannot be read: {reason}") from None
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < RSA_BITS:
            raise ValueError(f"the RSA key has {key.key_size} bits: {RSA_BITS} are the least")
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES):
        return key
    raise ValueError("the private key must be RSA, or ECDSA on P-256, P-384 or P-521")


def _certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise ValueError("a certificate cannot be read: it is damaged or cut off") from None


def _public_of(certificate: x509.Certificate) -> bytes:
    try:
        return _public(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _public(key: object) -> bytes:
    written: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # every public key has it
    return written
