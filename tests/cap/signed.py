"""Signed documents for tests, and ways to tamper with them."""

from __future__ import annotations

import base64
import re
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from alerting.cap.signature import (
    Signature,
    load_key,
    sign,
    verify,
)
from alerting.cap.xml import write
from tests.cap import made
from tests.cap.certified import AT, Owner, authority, office

DOCUMENT = write(made.alert())
DS = "http://www.w3.org/2000/09/xmldsig#"


def signed(by: Owner | None = None, *chain: Owner, document: bytes = DOCUMENT) -> bytes:
    return sign(document, load_key((by or office()).pem(*chain)))


def trusted(*owners: Owner) -> tuple[x509.Certificate, ...]:
    return tuple(each.certificate for each in owners)


def verdict(data: bytes, *anchors: Owner, at: datetime = AT) -> Signature:
    (found,) = verify(data, trusted(*(anchors or (authority(),))), at=at)
    return found


def signature_of(data: bytes) -> bytes:
    found = re.search(rb"<ds:Signature .*</ds:Signature>", data, re.DOTALL)
    assert found is not None
    return found.group(0)


def with_certificate(data: bytes, certificate: x509.Certificate | bytes) -> bytes:
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(form.Encoding.DER)
    written = b"<ds:X509Certificate>" + base64.b64encode(der) + b"</ds:X509Certificate>"
    return re.sub(rb"<ds:X509Certificate>.*</ds:X509Certificate>", lambda _: written, data, flags=re.DOTALL)


def with_value(data: bytes, value: bytes) -> bytes:
    written = b"<ds:SignatureValue>" + base64.b64encode(value) + b"</ds:SignatureValue>"
    return re.sub(rb"<ds:SignatureValue>.*</ds:SignatureValue>", lambda _: written, data, flags=re.DOTALL)


def signed_info_of(data: bytes) -> bytes:
    element = next(etree.fromstring(data).iter(f"{{{DS}}}SignedInfo"))
    alone = etree.fromstring(etree.tostring(element, with_tail=False)).getroottree()
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=False)


def resigned(data: bytes, key: object, algorithm: hashes.HashAlgorithm) -> bytes:
    """The same document with a value by another key or hash."""
    assert isinstance(key, rsa.RSAPrivateKey)
    return with_value(data, key.sign(signed_info_of(data), padding.PKCS1v15(), algorithm))
