"""What goes into and comes out of the use cases of officers. Imports values of the store alone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from alerting.cap.findings import Finding
from alerting.store.forecast import Forecast
from alerting.store.states import AlertState, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the name of an API key and its role."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Submitted:
    """A warning that was taken. `created` is False when the same document was there already.

    `people` is the upper estimate by channel that an approver is shown; empty where nobody has to approve and no channel has
    a rate. `forecasts` say how long the channels with a rate need for them.
    """

    id: UUID
    slug: str
    state: AlertState
    created: bool
    warnings: tuple[Finding, ...] = ()
    people: tuple[tuple[str, int], ...] = ()
    forecasts: tuple[Forecast, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A warning in force, the ids of its dispatches, and how long the channels with a rate need for them."""

    id: UUID
    slug: str
    state: AlertState
    dispatches: tuple[int, ...]
    forecasts: tuple[Forecast, ...] = ()
