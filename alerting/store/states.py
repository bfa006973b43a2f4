"""The closed vocabularies of the tables: every state, with what it means and what may follow it.

Imports only the standard library. Invariant: each value here is a value of the CHECK or the enum type of its column.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Workspace(StrEnum):
    """Live <=> status Actual; exercise <=> status Exercise or Test (and Draft, System, which are never sent)."""

    LIVE = "live"
    EXERCISE = "exercise"


class Origin(StrEnum):
    """Where an alert was written."""

    OWN = "own"
    RELAYED = "relayed"


class AlertState(StrEnum):
    """submitted -> issued -> superseded | cancelled | expired; Ack and System alerts are `recorded` and never sent."""

    SUBMITTED = "submitted"  # waits for approval
    ISSUED = "issued"  # in force, or to be until it expires
    SUPERSEDED = "superseded"  # an Update has taken its place
    CANCELLED = "cancelled"  # a Cancel has lifted it
    EXPIRED = "expired"
    RECORDED = "recorded"  # kept, not actionable


class Audience(StrEnum):
    """For whom a dispatch is; only PUBLIC passes the gate to the public."""

    PUBLIC = "public"
    EXERCISE = "exercise"
    OFFICERS = "officers"
    PERSON = "person"  # one recipient of a notice
    PROBE = "probe"


class DispatchState(StrEnum):
    """planning -> open -> done; planning | open -> held (too many people) | withdrawn (cancelled, updated)."""

    PLANNING = "planning"
    OPEN = "open"
    HELD = "held"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class BatchState(StrEnum):
    """ready -> leased -> done; a lost lease makes a batch ready again."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"


class DeliveryStatus(StrEnum):
    """planned -> accepted -> delivered | undelivered | bounced; planned -> rejected | opted_out | expired | withdrawn.

    planned (second lost reply) or accepted (no receipt for hours) -> unconfirmed, which a later receipt may replace.
    """

    PLANNED = "planned"
    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    OPTED_OUT = "opted_out"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


#: What a delivery may still become, by status: every arrow of the state machine, and no other.
FOLLOWS: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    DeliveryStatus.PLANNED: frozenset(DeliveryStatus) - {DeliveryStatus.PLANNED},
    DeliveryStatus.ACCEPTED: frozenset(
        {
            DeliveryStatus.UNCONFIRMED,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.UNDELIVERED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.OPTED_OUT,
        }
    ),
    DeliveryStatus.UNCONFIRMED: frozenset(
        {
            DeliveryStatus.ACCEPTED,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.UNDELIVERED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.OPTED_OUT,
        }
    ),
    # An SMTP server that took a message may send it back hours later: the only way out of `delivered`.
    DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.BOUNCED}),
    DeliveryStatus.UNDELIVERED: frozenset(),
    DeliveryStatus.BOUNCED: frozenset(),
    DeliveryStatus.REJECTED: frozenset(),
    DeliveryStatus.OPTED_OUT: frozenset(),
    DeliveryStatus.EXPIRED: frozenset(),
    DeliveryStatus.WITHDRAWN: frozenset(),
}


class AddressState(StrEnum):
    """Of a telephone number or mailbox."""

    PENDING = "pending"  # asked for, not confirmed
    ACTIVE = "active"
    STOPPED = "stopped"  # the citizen said STOP: never sent to, but the answer to it
    DEAD = "dead"  # the provider says that it does not exist


class NoticeKind(StrEnum):
    """What is sent that is not an alert."""

    REPLY = "reply"  # the answer to an inbound text
    CONFIRMATION = "confirmation"
    APPROVAL_PAGE = "approval_page"
    PROBE = "probe"


class Role(StrEnum):
    """What an API key may do; `administrator` may do everything."""

    PREPARER = "preparer"  # submit
    APPROVER = "approver"  # submit, approve, cancel
    REGISTRAR = "registrar"  # regions and subscribers
    AUDITOR = "auditor"  # read
    ADMINISTRATOR = "administrator"


class Floor(IntEnum):
    """The least severity that a subscriber wants to hear of. A warning of severity Unknown passes every floor."""

    ANY = 0
    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4


class Lane(StrEnum):
    """The RQ queues; a worker serves exactly one."""

    PLAN = "plan"
    SMS = "sms"
    EMAIL = "email"
    WEB = "web"


#: The lane on which the dispatches of a channel are drained.
LANE_OF_CHANNEL: dict[str, Lane] = {"sms": Lane.SMS, "email": Lane.EMAIL, "rss": Lane.WEB, "web": Lane.WEB}

#: The channels of a warning, all by default; leaving one out needs a reason.
CHANNELS: tuple[str, ...] = tuple(LANE_OF_CHANNEL)

#: Added to the priority of an exercise (a real warning has cap.rank's, below 125): every real warning goes first.
EXERCISE_PRIORITY = 200

#: Segment number of a delivery that belongs to no segment (a notice), and region of one that belongs to no region.
NO_SEGMENT = -1
NO_REGION = 0
