"""The algorithms of XML-Signature that are met in CAP, by the URI that names each: a table, and the check of a value.

Imports cryptography. HMAC is not here: who verifies it could also have made it. SHA-1 and DSA are, so that old documents
can be reported on (RULES S-05), and are marked weak. Invariant: a key of another kind than the method's never fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_C14N10: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_C14N11: Final = "http://www.w3.org/2006/12/xml-c14n11"

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{_DSIG}enveloped-signature"

#: Bits below which a key is weak (NIST SP 800-131A).
RSA_BITS: Final = 2048
CURVE_BITS: Final = 256


class Family(Enum):
    """The kind of key that a method asks for."""

    RSA = auto()
    ECDSA = auto()
    DSA = auto()


@dataclass(frozen=True, slots=True)
class Method:
    """A signature method; `name` is the fragment by which people know it."""

    name: str
    family: Family
    hash: hashes.HashAlgorithm


@dataclass(frozen=True, slots=True)
class Form:
    """A canonical form of XML. C14N 1.1 differs from 1.0 only in xml:id and xml:base, which CAP does not have."""

    exclusive: bool
    comments: bool


SHA1: Final = hashes.SHA1()  # noqa: S303  # nosec B303 - for reports on old documents, never `valid`

DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{_DSIG}sha1": SHA1,
    f"{_ENC}sha256": hashes.SHA256(),
    f"{_MORE}sha384": hashes.SHA384(),
    f"{_ENC}sha512": hashes.SHA512(),
}

METHODS: Final = {
    uri: Method(uri.rpartition("#")[2], family, digest)
    for uri, family, digest in (
        (f"{_DSIG}rsa-sha1", Family.RSA, SHA1),
        (f"{_MORE}rsa-sha256", Family.RSA, hashes.SHA256()),
        (f"{_MORE}rsa-sha384", Family.RSA, hashes.SHA384()),
        (f"{_MORE}rsa-sha512", Family.RSA, hashes.SHA512()),
        (f"{_MORE}ecdsa-sha1", Family.ECDSA, SHA1),
        (f"{_MORE}ecdsa-sha256", Family.ECDSA, hashes.SHA256()),
        (f"{_MORE}ecdsa-sha384", Family.ECDSA, hashes.SHA384()),
        (f"{_MORE}ecdsa-sha512", Family.ECDSA, hashes.SHA512()),
        (f"{_DSIG}dsa-sha1", Family.DSA, SHA1),
        ("http://www.w3.org/2009/xmldsig11#dsa-sha256", Family.DSA, hashes.SHA256()),
    )
}

FORMS: Final = {
    uri + suffix: Form(exclusive=uri == EXCLUSIVE, comments=bool(suffix))
    for uri, suffix in (
        (EXCLUSIVE, ""),
        (EXCLUSIVE, "WithComments"),
        (_C14N10, ""),
        (_C14N10, "#WithComments"),
        (_C14N11, ""),
        (_C14N11, "#WithComments"),
    )
}

#: What a Reference without a canonicalization among its transforms means (XML-Signature, 4.4.3.2).
DEFAULT_FORM: Final = FORMS[_C14N10]


def digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    """The hash of `data`."""
    hasher = hashes.Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def fits(method: Method, key: PublicKeyTypes, data: bytes, value: bytes) -> bool:
    """Whether `value` is a signature of `data` by the owner of `key`."""
    try:
        match method.family, key:
            case Family.RSA, rsa.RSAPublicKey():
                key.verify(value, data, padding.PKCS1v15(), method.hash)
            case Family.ECDSA, ec.EllipticCurvePublicKey():
                key.verify(_two_numbers(value, key.key_size), data, ec.ECDSA(method.hash))
            case Family.DSA, dsa.DSAPublicKey():
                order = key.public_numbers().parameter_numbers.q
                key.verify(_two_numbers(value, order.bit_length()), data, method.hash)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _two_numbers(value: bytes, bits: int) -> bytes:
    """r and s stand side by side in XML (RFC 4050, 3.3), as ASN.1 elsewhere; raises InvalidSignature."""
    size = (bits + 7) // 8
    if len(value) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(value[:size]), int.from_bytes(value[size:]))


def weakness(method: Method, digest_by: hashes.HashAlgorithm, key: PublicKeyTypes | None) -> str | None:
    """Why such a signature cannot be relied on though it fits; None when it can."""
    if SHA1.name in {method.hash.name, digest_by.name}:
        return "it uses SHA-1, for which other documents with the same signature can be made"
    if method.family is Family.DSA or isinstance(key, dsa.DSAPublicKey):
        return "it uses DSA, which is withdrawn (FIPS 186-5)"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        return f"its key has {key.key_size} bits, and {RSA_BITS} are the least that holds"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < CURVE_BITS:
        return f"its curve has {key.key_size} bits, and {CURVE_BITS} are the least that holds"
    return None
