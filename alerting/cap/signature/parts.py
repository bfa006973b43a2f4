"""One Signature element taken apart, strictly by the schema of XML-Signature.

Owns the reading of SignedInfo and KeyInfo. Follows no URI, no RetrievalMethod and no transform but the two that CAP needs:
what asks for more is refused, not skipped. Invariant: every part stands where it must, once; a second SignedInfo, Reference or
value is never overlooked, so what is checked is what another reader sees.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.utils import CryptographyDeprecationWarning
from lxml import etree

from alerting.cap.schema import SIGNATURE_NAMESPACE
from alerting.cap.signature import algorithms
from alerting.cap.signature.algorithms import Form, Method

_MOST_CERTIFICATES: Final = 10
_MOST_PREFIXES: Final = 20
_MOST_BITS: Final = 16_384  # of a key: OpenSSL's own bound for RSA
_INCLUSIVE: Final = f"{{{algorithms.EXCLUSIVE}}}InclusiveNamespaces"


class Unusable(Exception):
    """This Signature cannot be checked; `broken` when it is not one by the schema, else it asks for more than is taken."""

    def __init__(self, message: str, *, algorithm: str = "", broken: bool = False) -> None:
        super().__init__(message)
        self.algorithm = algorithm
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Parts:
    """A Signature over the document that holds it. `form` is that of SignedInfo, `content_form` that of the document.

    `unread` certificates were there and could not be read; `key` is that of a KeyValue, which only a Signature without
    certificates may be checked by.
    """

    method: Method
    signed_info: etree._Element
    form: Form
    prefixes: tuple[str, ...]
    value: bytes
    content_form: Form
    content_prefixes: tuple[str, ...]
    digest_by: hashes.HashAlgorithm
    digest: bytes
    certificates: tuple[x509.Certificate, ...]
    unread: int
    key: PublicKeyTypes | None


def parts_of(signature: etree._Element) -> Parts:
    """Read a Signature element; raises Unusable."""
    signed_info, value, *others = _children(signature, "SignedInfo", "SignatureValue", many=True)
    method_uri = _algorithm_of(signed_info.find(_ds("SignatureMethod")))
    named = _name(method_uri)
    try:
        canonicalization, method_element, reference = _children(
            signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference"
        )
        form, prefixes = _form(canonicalization)
        method = _method(_algorithm_of(method_element))
        content_form, content_prefixes, digest_by, digest = _reference(reference)
        # What else follows is not looked at: NAADS adds an Object that is not in the namespace of the schema.
        tags = [each.tag for each in others]
        key_infos = [each for each in others if each.tag == _ds("KeyInfo")]
        if len(key_infos) > 1 or _ds("SignedInfo") in tags or _ds("SignatureValue") in tags:
            raise Unusable("it has a part twice that it must have once", broken=True)
        key_info = key_infos[0] if key_infos else None
        certificates, unread = _certificates(key_info)
        return Parts(
            method=method,
            signed_info=signed_info,
            form=form,
            prefixes=prefixes,
            value=_base64(value),
            content_form=content_form,
            content_prefixes=content_prefixes,
            digest_by=digest_by,
            digest=digest,
            certificates=certificates,
            unread=unread,
            key=_key_value(key_info),
        )
    except Unusable as error:
        raise Unusable(str(error), algorithm=named, broken=error.broken) from None


def _ds(name: str) -> str:
    return f"{{{SIGNATURE_NAMESPACE}}}{name}"


def _name(uri: str) -> str:
    method = algorithms.METHODS.get(uri)
    return uri[:200] if method is None else method.name


def _elements(parent: etree._Element) -> list[etree._Element]:
    return list(parent.iterchildren(etree.Element))


def _children(parent: etree._Element, *names: str, many: bool = False) -> list[etree._Element]:
    """The children, which must be `names` in order; with `many` others may follow."""
    found = _elements(parent)
    tags = [each.tag for each in found]
    wanted = [_ds(name) for name in names]
    if tags[: len(wanted)] != wanted or (len(tags) > len(wanted) and not many):
        if tags.count(_ds("Reference")) > 1:
            raise Unusable("it has several References: only one, to the alert, is taken")
        within = etree.QName(parent).localname
        raise Unusable(f"{within} must hold {', '.join(names)} in this order", broken=True)
    return found


def _algorithm_of(element: etree._Element | None) -> str:
    return "" if element is None else (element.get("Algorithm") or "")


def _method(uri: str) -> Method:
    found = algorithms.METHODS.get(uri)
    if found is not None:
        return found
    if "hmac" in uri:
        raise Unusable("it uses HMAC: who can check such a value can also make it")
    raise Unusable("its signature method is unknown here")


def _form(element: etree._Element) -> tuple[Form, tuple[str, ...]]:
    form = algorithms.FORMS.get(_algorithm_of(element))
    if form is None:
        raise Unusable("its canonicalization is unknown here")
    inside = _elements(element)
    if not inside:
        return form, ()
    if len(inside) > 1 or inside[0].tag != _INCLUSIVE or not form.exclusive:
        raise Unusable("its canonicalization has parameters that are unknown here")
    prefixes = tuple((inside[0].get("PrefixList") or "").split()[: _MOST_PREFIXES + 1])
    if len(prefixes) > _MOST_PREFIXES:
        raise Unusable(f"its canonicalization names more than {_MOST_PREFIXES} prefixes")
    return form, tuple("" if each == "#default" else each for each in prefixes)


def _reference(
    reference: etree._Element,
) -> tuple[Form, tuple[str, ...], hashes.HashAlgorithm, bytes]:
    """The form of the document, and its digest; a Reference without URI means what the application signs: the alert."""
    uri = reference.get("URI")
    if uri:
        raise Unusable(
            'its Reference is not to the whole document (URI=""), and no other is looked up or fetched'
        )
    transforms, digest_method, digest_value = _children(
        reference, "Transforms", "DigestMethod", "DigestValue"
    )
    steps = _elements(transforms)
    uris = [_algorithm_of(each) for each in steps]
    if any(each.tag != _ds("Transform") for each in steps) or uris[:1] != [algorithms.ENVELOPED]:
        raise Unusable("its first transform must be enveloped-signature")
    if len(uris) > 2 or _elements(steps[0]):
        raise Unusable("it has more transforms than enveloped-signature and a canonicalization")
    form, prefixes = _form(steps[1]) if len(steps) == 2 else (algorithms.DEFAULT_FORM, ())
    digest_by = algorithms.DIGESTS.get(_algorithm_of(digest_method))
    if digest_by is None:
        raise Unusable("its digest method is unknown here")
    return form, prefixes, digest_by, _base64(digest_value)


def _base64(element: etree._Element) -> bytes:
    if len(element):
        raise Unusable(f"{etree.QName(element).localname} must hold text alone", broken=True)
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unusable(f"{etree.QName(element).localname} is not base-64", broken=True) from None


def _certificates(key_info: etree._Element | None) -> tuple[tuple[x509.Certificate, ...], int]:
    """The certificates that can be read, and how many cannot."""
    path = f"{_ds('X509Data')}/{_ds('X509Certificate')}"
    written = [] if key_info is None else key_info.findall(path)
    if len(written) > _MOST_CERTIFICATES:
        raise Unusable(f"it brings more than {_MOST_CERTIFICATES} certificates")
    found: list[x509.Certificate] = []
    for each in written:
        try:
            found.append(_certificate(_base64(each)))
        except (Unusable, ValueError):
            continue
    return tuple(found), len(written) - len(found)


def _certificate(der: bytes) -> x509.Certificate:
    with warnings.catch_warnings():
        # Old certificates break rules that the library will enforce one day: then they are among the unread.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return x509.load_der_x509_certificate(der)


def _key_value(key_info: etree._Element | None) -> PublicKeyTypes | None:
    """The bare key of old documents (RSA, DSA); None when there is none that can be read."""
    if key_info is None:
        return None
    for name, make in (("RSAKeyValue", _rsa), ("DSAKeyValue", _dsa)):
        value = key_info.find(f"{_ds('KeyValue')}/{_ds(name)}")
        if value is not None:
            try:
                return make(value)
            except (Unusable, ValueError, UnsupportedAlgorithm):
                return None
    return None


def _rsa(value: etree._Element) -> PublicKeyTypes:
    modulus, exponent = _numbers(value, ("Modulus", "Exponent"))
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _dsa(value: etree._Element) -> PublicKeyTypes:
    p, q, g, y = _numbers(value, ("P", "Q", "G", "Y"))
    return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()


def _numbers(value: etree._Element, names: Sequence[str]) -> list[int]:
    found: list[int] = []
    for name in names:
        element = value.find(_ds(name))
        if element is None:
            raise Unusable(f"{name} is missing")
        number = int.from_bytes(_base64(element))
        if number.bit_length() > _MOST_BITS:
            raise Unusable(f"{name} is too long")
        found.append(number)
    return found
