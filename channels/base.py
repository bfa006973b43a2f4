"""The contract of a channel: what goes in, what comes out, and nothing of who asks.

    ChannelError
    ├── Misconfigured      credentials, sender or address of the provider are wrong: nobody can be reached
    ├── ProviderDown       the provider as a whole cannot be used at the moment
    ├── SourceFailed       the caller's own iterator of messages raised
    └── BadSignature       a webhook that the provider did not sign

What happens to one recipient is a `SendResult`, never an exception. An adapter holds no retry, database, template or
clock of the day. This module imports only the standard library; nothing below `channels` imports the service.
Invariant: an addressed channel puts exactly one SendResult for each Message that it took.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from queue import SimpleQueue
from typing import Protocol


class ChannelError(Exception):
    """Root of everything that a channel raises or reports as the end of a run."""


class Misconfigured(ChannelError):
    """The provider refuses us, not a recipient: wrong credentials, unknown sender, unusable URL."""


class ProviderDown(ChannelError):
    """The provider as a whole does not answer; `retry_after` is seconds, None when it did not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceFailed(ChannelError):
    """`next(messages)` raised: what was taken before has its results; `__cause__` is what was raised."""


class BadSignature(ChannelError):
    """A webhook request whose signature does not verify."""


class Status(StrEnum):
    """What became of one message, as far as the provider has said."""

    ACCEPTED = "accepted"  # the provider took it; the fate on the network is still open
    DELIVERED = "delivered"  # the network or the handset confirmed it
    UNDELIVERED = "undelivered"  # the network could not deliver it; final
    BOUNCED = "bounced"  # e-mail came back; final
    REJECTED = "rejected"  # the provider refuses this recipient or text; final
    OPTED_OUT = "opted_out"  # the recipient has stopped us at the provider; final
    THROTTLED = "throttled"  # too fast: nothing was sent, try again after `retry_after`
    UNREACHABLE = "unreachable"  # nothing was sent, for certain: connection refused, 5xx before acceptance
    AMBIGUOUS = "ambiguous"  # the reply was lost: it may or may not have been sent
    UNKNOWN = "unknown"  # a word that the adapter's table does not hold: moves no state, the raw word is kept


class Reason(StrEnum):
    """Why, in words that are the same for every provider."""

    INVALID_ADDRESS = "invalid_address"
    NOT_REACHABLE = "not_reachable"  # switched off, out of coverage
    BLOCKED = "blocked"  # filtered by the carrier or the recipient
    LANDLINE = "landline"
    MAILBOX_FULL = "mailbox_full"
    NO_SUCH_MAILBOX = "no_such_mailbox"
    CONTENT_REFUSED = "content_refused"
    EXPIRED = "expired"  # its validity period ended at the provider
    QUEUE_FULL = "queue_full"
    PROVIDER_ERROR = "provider_error"
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Content:
    """One text as it leaves, shared by every recipient of the same segment and language.

    Compared and cached by identity: an adapter builds its ready bytes once for each Content object that it meets.
    `subject` and `html` are None for SMS. `segments` is the number of SMS segments, 1 for other channels.
    """

    text: str
    language: str  # BCP 47; "mul" for several languages in one text
    subject: str | None = None
    html: str | None = None
    segments: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One recipient of one text.

    `key` comes back in the SendResult; `delivery` is the id that the provider sends back in its callbacks and of
    which an e-mail's Message-ID is made. `validity` is seconds until it must no longer be delivered, None for no limit.
    `doubt_since` (aware UTC) says that an earlier send may have arrived, at that time or after: a channel that `finds`
    looks it up at its provider and sends only what is not there; the others send it again.
    """

    key: int
    delivery: str
    to: str
    content: Content
    validity: float | None = None
    unsubscribe: str | None = None  # absolute URL of the RFC 8058 endpoint of this recipient, e-mail only
    doubt_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of the message `key`; `reference` is the provider's id, `raw` its own word or code, no address in it.

    `retry_after` is seconds, only for THROTTLED, UNREACHABLE and AMBIGUOUS, and None when the provider did not say.
    `found`: not sent now, for the provider had it already. A message in doubt that could not be looked up was not sent
    either: THROTTLED when the provider refused to say, UNREACHABLE when it did not answer.
    """

    key: int
    status: Status
    reason: Reason | None = None
    reference: str | None = None
    raw: str = ""
    retry_after: float | None = None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the adapter can take: messages in flight at once, and the rate in messages (SMS: segments) a second.

    `finds`: it looks a message in doubt up before it sends it (`Message.doubt_since`).
    """

    in_flight: int
    rate: float | None = None
    finds: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """A provider's request as it came in, independent of any web framework.

    `url` is the public URL with its query, as the provider signed it; header names are lower case.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    """A later word about one delivery. `event_id` is unique per provider: replays carry the same one."""

    provider: str
    event_id: str
    delivery: str
    status: Status
    reason: Reason | None
    reference: str | None
    raw: Mapping[str, str]  # the provider's fields without To, From and Body


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """A text from a citizen. `opt_out` is "STOP", "START" or "HELP" when the provider has already answered it."""

    provider: str
    event_id: str
    sender: str
    text: str
    opt_out: str | None = None


Event = ReceiptEvent | InboundEvent


class Run(Protocol):
    """One call of `Channel.open`: goes on in the adapter's own threads until the messages end, it fails or is stopped.

    A message taken but not started when the Run ends by an error gets an UNREACHABLE result: it was not sent.
    """

    done: threading.Event  # set after the last result was put
    error: (
        Misconfigured | ProviderDown | SourceFailed | None
    )  # set before `done`; never raised across threads

    def stop(self) -> list[Message]:
        """Take no more messages; wait for those in flight; return those taken but not started, in order.

        Those returned get no SendResult. A `next(messages)` under way is waited for, since what it returns counts as
        taken: whoever lets it block makes the iterator end first. Safe to call again and after the end: [] then,
        or the same list.
        """
        ...


class Channel(Protocol):
    """An addressed channel: one message per recipient. `provider` is who carries it, one word, for receipts and counters."""

    name: str
    provider: str
    limits: Limits

    def open(self, messages: Iterator[Message], results: SimpleQueue[SendResult]) -> Run:
        """Send lazily and in order, at most `limits.in_flight` ahead; one SendResult per message taken.

        `next(messages)` may block (pacing) and is called from one thread of the adapter only, never from its event loop.
        """
        ...

    def events(self, request: Webhook) -> list[Event]:
        """The verified and normalised events of one webhook request; raises BadSignature."""
        ...

    def close(self) -> None:
        """Let go of threads and connections, which stay warm from one Run to the next.

        For when no Run goes on; opening again is allowed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One segment in force, in words, in one language: an item of a feed.

    `id` is stable over updates of the same text (a tag or urn), `updated` and `expires` are aware UTC, `link` is the
    public page, `cap` the CAP document.
    """

    id: str
    title: str
    summary: str
    language: str
    link: str
    cap: str
    author: str
    categories: tuple[str, ...]
    published: datetime
    updated: datetime
    expires: datetime
    areas: tuple[str, ...] = ()
    polygons: tuple[str, ...] = ()  # CAP polygon strings, for GeoRSS


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that a broadcast channel needs to render one feed: no clock, no database.

    `updated` is the time of the last change of the feed, so that equal input gives equal bytes. `self_url` is where
    this document is served (and its id), `alternate` the page with the same warnings, `home` the page of the service.
    """

    feed: str  # "all", "all/fr", "CN-AH", "CN-AH/fr"
    title: str
    subtitle: str
    language: str
    home: str
    self_url: str
    alternate: str
    updated: datetime
    entries: tuple[Entry, ...]


class Broadcast(Protocol):
    """A broadcast channel: a pure renderer of one document."""

    name: str
    media_type: str

    def render(self, publication: Publication) -> bytes:
        """The document of one publication: equal input gives equal bytes."""
        ...
