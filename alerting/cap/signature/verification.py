"""The verdict on each signature of a document: facts of the bytes, and trust at a time.

Owns `verify` and its report as findings (RULES S-01 to S-05). Must not read a file or a clock. Invariant: only what fits, covers
the document as received, uses no weak algorithm and is trusted at that time is `valid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from alerting.cap.findings import WARNING, Finding
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.signature.document import Unreadable
from alerting.cap.signature.facts import Facts, examine
from alerting.cap.signature.trust import day, distrust


class Verdict(StrEnum):
    """What a signature is worth to who asked."""

    VALID = "valid"  # it fits, and its owner is trusted
    UNTRUSTED = (
        "untrusted"  # it fits, but its owner, his certificate at that time or its algorithm is not trusted
    )
    INVALID = "invalid"  # it does not fit the document or its own certificate, or stands where none may
    UNSUPPORTED = "unsupported"  # it asks for what is not done here: nothing is known of it


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. `algorithm` is a name such as "rsa-sha256", the URI of an unknown one, or empty.

    `subject` (RFC 4514) and `not_after` (UTC) are those of the signer's certificate, of the first in it when none fits, None
    without one. `message` is a sentence for people.
    """

    verdict: Verdict
    algorithm: str
    subject: str | None
    not_after: datetime | None
    message: str


def verify(
    data: bytes, anchors: Sequence[x509.Certificate], *, at: datetime, limits: Limits = LIMITS
) -> tuple[Signature, ...]:
    """Every signature of a document, in its order; none gives an empty tuple. Raises Unreadable (a ValueError).

    `data` are the bytes as received, `anchors` the pinned certificates: of authorities, or of signers themselves. `at` is
    aware: the time at which certificates must be valid. For a document of the past give the time of its receipt.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a time zone")
    found = examine(data, anchors, limits=limits)
    return tuple(_judged(facts, n, data, anchors, at, limits) for n, facts in enumerate(found))


def findings(
    data: bytes, anchors: Sequence[x509.Certificate], at: datetime, *, limits: Limits = LIMITS
) -> tuple[Finding, ...]:
    """A warning for each signature that is not valid (RULES S-02: reported, never fatal).

    Bytes that cannot be read have no finding here: `cap.xml.read` reports them.
    """
    try:
        found = verify(data, anchors, at=at, limits=limits)
    except Unreadable:
        return ()
    return tuple(
        Finding("S-02", WARNING, ("Signature", n), f"the signature is {each.verdict}: {each.message}")
        for n, each in enumerate(found)
        if each.verdict is not Verdict.VALID
    )


def _judged(
    facts: Facts, n: int, data: bytes, anchors: Sequence[x509.Certificate], at: datetime, limits: Limits
) -> Signature:
    shown = next(iter((*facts.signers, *facts.certificates)), None)
    verdict, message = _verdict(facts, n, data, anchors, at, limits)
    return Signature(
        verdict,
        facts.algorithm,
        None if shown is None else subject(shown),
        None if shown is None else shown.not_valid_after_utc,
        message,
    )


def _verdict(
    facts: Facts, n: int, data: bytes, anchors: Sequence[x509.Certificate], at: datetime, limits: Limits
) -> tuple[Verdict, str]:
    if facts.problem is not None:
        return Verdict.INVALID if facts.misplaced else Verdict.UNSUPPORTED, facts.problem
    if facts.coverage is None or not facts.fits:
        return Verdict.INVALID, _mismatch(facts, n, data, anchors, limits)
    if facts.weakness is not None:
        return Verdict.UNTRUSTED, f"it fits the document, but {facts.weakness}"
    if not facts.signers:
        return Verdict.UNTRUSTED, "it fits the document, but brings a bare key and no certificate"
    reasons: list[str] = []
    for signer in facts.signers:
        reason = distrust(signer, facts.certificates, anchors, at)
        if reason is None:
            return Verdict.VALID, f"signed by {subject(signer)}, trusted at {day(at)}"
        reasons.append(reason)
    return Verdict.UNTRUSTED, f"it fits the document, but {reasons[0]}"


def _mismatch(facts: Facts, n: int, data: bytes, anchors: Sequence[x509.Certificate], limits: Limits) -> str:
    tight = examine(data, anchors, limits=limits, drop_blank=True)[n]
    if tight.fits and tight.coverage is not None:
        return (
            "it fits only without the white space between the elements: the document was indented anew after it was "
            "signed, publish the bytes as they were signed"
        )
    if facts.fits:
        return "the document is not the one that was signed: it was changed afterwards"
    if facts.coverage is not None:
        return "its value does not fit its certificate or key: the Signature was changed or made anew"
    return "neither the document nor the signature's value is the one that was signed"


def subject(certificate: x509.Certificate) -> str:
    """The owner of a certificate, as RFC 4514 writes names."""
    try:
        return certificate.subject.rfc4514_string()[:300]
    except ValueError:  # a name that breaks its own syntax
        return "a name that cannot be read"
