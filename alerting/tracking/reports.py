"""What became of a warning: for the API, the command line and the demo.

Owns read-only transactions. Addresses leave this module masked or not at all. Invariant: the sum of a dispatch's tallies is
the number of its deliveries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.config import Settings
from alerting.store import regions, tallies
from alerting.store.addresses import UnknownKey, Vault, masked
from alerting.store.engine import transaction
from alerting.store.tallies import DeliveryRow, DispatchRow

#: Deliveries that will not change any more, but for a late receipt.
SETTLED = frozenset(
    {
        "accepted",
        "delivered",
        "undelivered",
        "bounced",
        "rejected",
        "opted_out",
        "expired",
        "withdrawn",
        "unconfirmed",
    }
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many deliveries of a channel and region stand at a status; region "" is none."""

    channel: str
    region: str  # code
    region_name: str
    status: str
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery; `to` is a masked address or the key of a feed, None after erasure."""

    dispatch: int
    n: int
    channel: str
    region: str
    segment: int
    language: str
    status: str
    reason: str | None
    attempts: int
    maybe_repeated: bool
    reference: str | None
    at: datetime | None
    to: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Tallies and dispatches of one alert at one moment."""

    counts: tuple[Count, ...]
    dispatches: tuple[DispatchRow, ...]

    @property
    def finished(self) -> bool:
        """Every dispatch has ended: nothing more will be sent."""
        return all(dispatch.state in {"done", "withdrawn"} for dispatch in self.dispatches)


def report(alert: UUID, *, language: str) -> Report:
    """Tallies by channel, region and status, with region names in `language`."""
    with transaction() as session:
        found = tallies.of_alert(session, alert)
        names = regions.of_ids(session, {tally.region for tally in found if tally.region is not None})
        dispatches = tallies.dispatches_of(session, alert)
    counts = []
    for tally in found:
        region = names.get(tally.region) if tally.region is not None else None
        code, name = (region.code, region.name(language)) if region is not None else ("", "")
        counts.append(Count(tally.channel, code, name, tally.status, tally.n))
    return Report(tuple(counts), tuple(dispatches))


def deliveries(
    alert: UUID,
    *,
    settings: Settings,
    after: tuple[int, int] = (0, 0),
    limit: int = 100,
    channel: str | None = None,
    statuses: Sequence[str] = (),
) -> list[Row]:
    """Rows after (dispatch, n), in that order, with masked addresses."""
    vault = Vault(settings)
    with transaction() as session:
        found = tallies.rows_of_alert(
            session, alert, after=after, limit=limit, channel=channel, statuses=statuses
        )
        codes = regions.of_ids(session, {row.region for row in found if row.region is not None})
    return [_row(row, codes[row.region].code if row.region in codes else "", vault) for row in found]


def _row(row: DeliveryRow, region: str, vault: Vault) -> Row:
    to = row.feed
    if row.cipher is not None and row.key_id is not None and row.mac is not None:
        try:
            to = masked(vault.open(row.channel, row.key_id, row.cipher, row.mac))
        except UnknownKey:
            to = "(sealed under an unknown key)"
    return Row(
        row.dispatch, row.n, row.channel, region, row.segment, row.language, row.status, row.reason, row.attempts,
        row.maybe_repeated, row.reference, row.at, to,
    )  # fmt: skip
