"""Signing a CAP document (CAP 1.2, 3.3.4.1): enveloped, exclusive canonical form, SHA-256, the Signature last in alert.

Owns `sign`. signxml makes the Signature; what it made is examined here before it is given out. Must not read a clock: who
issues gives the time. Invariant: what is returned holds the alert unchanged and a signature that fits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from alerting.cap.schema import NAMESPACE
from alerting.cap.signature.document import SIGNATURE, crowded, parse
from alerting.cap.signature.facts import Coverage, examine
from alerting.cap.signature.keys import SigningKey
from alerting.cap.signature.trust import lifetime

_ROOT: Final = f"{{{NAMESPACE}}}alert"


class SigningError(ValueError):
    """Nothing was signed; the text says why, and holds nothing of the key."""


def sign(document: bytes, key: SigningKey, *, at: datetime | None = None) -> bytes:
    """The document with a Signature as the last child of alert, in UTF-8; comments around alert are left behind.

    RSA keys sign by rsa-sha256, ECDSA keys by ecdsa-sha256 (whose values differ from call to call). With `at`, which is aware,
    the certificate must be valid then. Raises SigningError, also for a document that is signed already: a second signature
    would change what the first one covers.
    """
    if at is not None and (reason := lifetime(key.certificate, at)) is not None:
        raise SigningError(f"the document cannot be signed: {reason}")
    try:
        tree = parse(document)
    except ValueError as error:
        raise SigningError(str(error)) from None
    root = tree.getroot()
    if root.tag != _ROOT:
        raise SigningError(f"the root must be alert in the namespace {NAMESPACE}")
    if next(root.iter(SIGNATURE), None) is not None:
        raise SigningError("the document is signed already: take its Signature out first")
    if (reason := crowded(tree)) is not None:
        raise SigningError(reason)
    signed = _signed(root, key)
    facts = examine(signed)
    if len(facts) != 1 or not facts[0].fits or facts[0].coverage is not Coverage.SELF:
        raise SigningError("the signature that was made does not fit the document: nothing was signed")
    return signed


def _signed(root: etree._Element, key: SigningKey) -> bytes:
    # Loaded only by who signs: it costs a tenth of a second, and the most callers only read.
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.signer import XMLSigner

    rsa_key = isinstance(key.private, rsa.RSAPrivateKey)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256 if rsa_key else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    try:
        made = signer.sign(root, key=key.private, cert=[key.certificate, *key.chain])
    except (SignXMLException, etree.LxmlError, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise SigningError(f"the document cannot be signed ({type(error).__name__})") from None
    written: bytes = etree.tostring(made, xml_declaration=True, encoding="UTF-8", with_tail=False)
    return written + b"\n"
