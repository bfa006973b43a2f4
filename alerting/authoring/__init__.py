"""The officers' use cases: submit, approve, issue, cancel; the keys and the policy that they act under.

Owns its transactions: a warning, its frozen texts and the intention to deliver it commit together, then the bell. May import
cap, store, wording and fanout.bell. Invariant: no public dispatch, feed entry or page without the gate (`gate`), and none
without ground (`ground`).
"""

from alerting.authoring.cancel import cancel
from alerting.authoring.errors import (
    AuthoringError,
    Conflict,
    Contradicted,
    NotFound,
    NotSigned,
    Refused,
    SamePerson,
    WrongState,
)
from alerting.authoring.issue import approve
from alerting.authoring.overrides import Override
from alerting.authoring.refusal import judge
from alerting.authoring.release import release
from alerting.authoring.signing import signature_findings
from alerting.authoring.submit import submit
from alerting.authoring.values import Actor, Issued, Submitted
from alerting.store.states import CHANNELS, AlertState, Role

__all__ = [
    "CHANNELS",
    "Actor",
    "AlertState",
    "AuthoringError",
    "Conflict",
    "Contradicted",
    "Issued",
    "NotFound",
    "NotSigned",
    "Override",
    "Refused",
    "Role",
    "SamePerson",
    "Submitted",
    "WrongState",
    "approve",
    "cancel",
    "judge",
    "release",
    "signature_findings",
    "submit",
]
