"""The authority's policy: how many approvers a warning needs.

Owns its transactions. Invariant: each change is audited in the transaction that makes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from alerting.store import audit, policies
from alerting.store.engine import transaction

#: 0: who submits issues at once (demo, bench). 1: a second person approves.
ALLOWED: Final = (0, 1)

_NAME: Final = "approvers"


def approvers() -> int:
    """How many approvers a warning needs now."""
    with transaction() as session:
        return required(session)


def required(session: Session) -> int:
    """The same inside a transaction; a policy that is missing or broken asks for one."""
    value = policies.get(session, _NAME)
    return value if isinstance(value, int) and value in ALLOWED else 1


def set_approvers(count: int, *, actor: str, now: datetime) -> None:
    """Set the policy; raises ValueError for a number that is not in ALLOWED."""
    if count not in ALLOWED:
        raise ValueError(f"approvers must be one of {', '.join(map(str, ALLOWED))}")
    with transaction() as session:
        before = required(session)
        policies.put(session, _NAME, count)
        audit.append(
            session,
            actor=actor,
            act="policy.changed",
            subject=f"policy:{_NAME}",
            detail={"from": before, "to": count},
            now=now,
        )
