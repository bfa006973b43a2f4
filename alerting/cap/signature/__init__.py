"""XML-Signatures of CAP documents (CAP 1.2, 3.3.4.1): sign with a key of one's own, verify against pinned certificates.

Pure over bytes: no file, no network, no clock; `at` is the time of the verdict. Reads with a parser of its own, limits first.
Invariant: `valid` is said only of a signature that covers the whole alert as received, with algorithms that hold, by a
certificate that is pinned or issued under a pinned one; what stands inside the message never earns trust.
"""

from alerting.cap.signature.document import Unreadable
from alerting.cap.signature.facts import Coverage, Facts, examine
from alerting.cap.signature.keys import SigningKey, load_anchors, load_key
from alerting.cap.signature.signing import SigningError, sign
from alerting.cap.signature.verification import Signature, Verdict, findings, verify

__all__ = [
    "Coverage",
    "Facts",
    "Signature",
    "SigningError",
    "SigningKey",
    "Unreadable",
    "Verdict",
    "examine",
    "findings",
    "load_anchors",
    "load_key",
    "sign",
    "verify",
]
