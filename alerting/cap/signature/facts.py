"""What the bytes of each Signature say by themselves: whether its value fits its key, and what of the document it covers.

Owns `examine`. Must not know of trust or time: a Signature that fits may be anybody's. Invariant: a Signature counts only as
a child of an alert that is the whole document, with one Reference to that document; what it says of other things is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from lxml import etree

from alerting.cap.limits import LIMITS, Limits
from alerting.cap.schema import NAMESPACE
from alerting.cap.signature import algorithms
from alerting.cap.signature.document import SIGNATURE, canonical, contents, crowded, parse
from alerting.cap.signature.parts import Parts, Unusable, parts_of

#: Two are met (RULES S-04); the limit bounds the work, for each is checked against several forms of the document.
MOST_SIGNATURES: Final = 4
_ROOTS: Final = frozenset(
    f"{{{namespace}}}alert"
    for namespace in (NAMESPACE, "urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0")
)


class Coverage(StrEnum):
    """Without which Signature elements the document has the digest: of one signature all three are the same.

    SELF is the enveloped-signature transform of the standard; the others are met (RULES S-04).
    """

    SELF = "self"
    LATER = "later"  # itself and those behind it, which were added afterwards
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Facts:
    """One Signature. `algorithm` is a name such as "rsa-sha256", or the URI of an unknown one, or empty.

    `fits`: its value is one of its SignedInfo by the key in it. `coverage` None: the document is not the signed one.
    `certificates` are those in it, `signers` those whose key fits. `problem` says why nothing could be examined, `misplaced`
    that this is because the Signature or its parts stand where they must not.
    """

    algorithm: str
    fits: bool = False
    coverage: Coverage | None = None
    certificates: tuple[x509.Certificate, ...] = ()
    signers: tuple[x509.Certificate, ...] = ()
    weakness: str | None = None
    problem: str | None = None
    misplaced: bool = False


def examine(
    data: bytes,
    anchors: Sequence[x509.Certificate] = (),
    *,
    limits: Limits = LIMITS,
    drop_blank: bool = False,
) -> tuple[Facts, ...]:
    """Every Signature of a document, in its order; raises Unreadable.

    `anchors` are tried as keys for a Signature that brings no certificate. `drop_blank` looks at the document without the
    white space between elements, as it may have been when it was signed (RULES S-03).
    """
    tree = parse(data, limits, drop_blank=drop_blank)
    found = [each for each in tree.iter(SIGNATURE) if not any(True for _ in each.iterancestors(SIGNATURE))]
    if not found:
        return ()
    if len(found) > MOST_SIGNATURES:
        return (Facts("", problem=f"the document has more than {MOST_SIGNATURES} signatures"),)
    if (reason := crowded(tree)) is not None:
        return tuple(Facts("", problem=reason) for _ in found)
    return tuple(_facts(tree, each, anchors) for each in found)


def _facts(tree: etree._ElementTree, signature: etree._Element, anchors: Sequence[x509.Certificate]) -> Facts:
    root = tree.getroot()
    if root.tag not in _ROOTS:
        return Facts(
            "", problem="the document is not a CAP alert itself: verify the bytes of the alert alone"
        )
    if signature.getparent() is not root:
        return Facts("", problem="the Signature is no child of alert: it says nothing of it", misplaced=True)
    try:
        parts = parts_of(signature)
    except Unusable as error:
        return Facts(error.algorithm, problem=str(error), misplaced=error.broken)
    try:
        signed = canonical(parts.signed_info, parts.form, parts.prefixes)
        coverage = _coverage(tree, signature, parts)
    except etree.C14NError:
        problem = "the document has no canonical form: give its namespaces absolute names"
        return Facts(parts.method.name, problem=problem)
    return _keys(parts, signed, coverage, anchors)


def _coverage(tree: etree._ElementTree, signature: etree._Element, parts: Parts) -> Coverage | None:
    every = tree.getroot().findall(SIGNATURE)
    own = every.index(signature)
    forms = {
        Coverage.SELF: {own},
        Coverage.LATER: set(range(own, len(every))),
        Coverage.ALL: set(range(len(every))),
    }
    tried: list[set[int]] = []
    for coverage, without in forms.items():
        if without in tried:
            continue
        tried.append(without)
        for covered in contents(tree, without, parts.content_form, parts.content_prefixes):
            if algorithms.digest(parts.digest_by, covered) == parts.digest:
                return coverage
    return None


def _keys(
    parts: Parts, signed: bytes, coverage: Coverage | None, anchors: Sequence[x509.Certificate]
) -> Facts:
    """With a certificate in the Signature only that counts; without one, a pinned one may be its signer's."""
    offered = parts.certificates if parts.certificates or parts.unread else tuple(anchors)
    signers = tuple(
        each
        for each in offered
        if (key := _key_of(each)) is not None and algorithms.fits(parts.method, key, signed, parts.value)
    )
    key = _key_of(signers[0]) if signers else parts.key
    bare = (
        not offered
        and parts.key is not None
        and algorithms.fits(parts.method, parts.key, signed, parts.value)
    )
    problem = None
    if parts.unread and not parts.certificates:
        problem = "no certificate in it can be read"
    elif not offered and parts.key is None:
        problem = "it brings neither a certificate nor a key"
    return Facts(
        parts.method.name,
        fits=bool(signers) or bare,
        coverage=coverage,
        certificates=parts.certificates,
        signers=signers,
        weakness=algorithms.weakness(parts.method, parts.digest_by, key),
        problem=problem,
    )


def _key_of(certificate: x509.Certificate) -> PublicKeyTypes | None:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
