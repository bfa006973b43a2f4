"""What Twilio's words and numbers mean: the tables, and the reading of one reply or callback by them.

The codes are those of Twilio's error dictionary (twilio.com/docs/api/errors). Must not import a client or the service.
Invariant: a word or a number that no table holds becomes UNKNOWN and keeps its raw form; no raw form holds an address.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from channels.base import Misconfigured, ProviderDown, Reason, Status

# MessageStatus, in the reply to a send and in callbacks. "sent" is the carrier's word that it took it, not the handset's.
STATUS: dict[str, Status] = {
    "accepted": Status.ACCEPTED,
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.ACCEPTED,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.UNDELIVERED,
    "canceled": Status.UNDELIVERED,
}

# Error codes in the reply to a send: nothing was sent.
REFUSALS: dict[int, tuple[Status, Reason | None]] = {
    14107: (Status.THROTTLED, None),  # send rate exceeded
    20429: (Status.THROTTLED, None),
    20500: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    20503: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    21211: (Status.REJECTED, Reason.INVALID_ADDRESS),
    21214: (Status.REJECTED, Reason.NOT_REACHABLE),
    21217: (Status.REJECTED, Reason.INVALID_ADDRESS),
    21265: (Status.REJECTED, Reason.INVALID_ADDRESS),  # a short code as recipient
    21266: (Status.REJECTED, Reason.INVALID_ADDRESS),  # the sender itself as recipient
    21408: (Status.REJECTED, Reason.BLOCKED),  # the account may not send to this country
    21421: (Status.REJECTED, Reason.INVALID_ADDRESS),
    21602: (Status.REJECTED, Reason.CONTENT_REFUSED),
    21604: (Status.REJECTED, Reason.INVALID_ADDRESS),
    21608: (Status.REJECTED, Reason.BLOCKED),  # a trial account and an unverified recipient
    21610: (Status.OPTED_OUT, None),
    21611: (Status.THROTTLED, Reason.QUEUE_FULL),
    21612: (Status.REJECTED, Reason.NOT_REACHABLE),
    21614: (Status.REJECTED, Reason.INVALID_ADDRESS),
    21617: (Status.REJECTED, Reason.CONTENT_REFUSED),  # longer than 1 600 characters
    21619: (Status.REJECTED, Reason.CONTENT_REFUSED),
    21635: (Status.REJECTED, Reason.LANDLINE),
    30001: (Status.THROTTLED, Reason.QUEUE_FULL),
    30022: (Status.THROTTLED, None),  # rate of the campaign exceeded
    30023: (Status.THROTTLED, None),  # daily cap of the campaign reached
    63038: (Status.THROTTLED, None),  # daily cap of the account reached
}

# Error codes that say that we, not a recipient, are refused: no message of this sender will pass.
MISCONFIGURED: dict[int, str] = {
    20003: "the account SID or the auth token is wrong",
    20005: "the account is not active",
    20403: "the account may not do this",
    20404: "the account or the service does not exist",
    21212: "the sender is not a valid number",
    21603: "no sender was given",
    21606: "the sender cannot send messages",
    21607: "the sender cannot send messages",
    21659: "the sender is not a number of the provider",
    21660: "the sender belongs to another account",
    21701: "the messaging service does not exist",
    21703: "the messaging service has no sender",
    21705: "the messaging service SID is invalid",
    21712: "the sender is not in the messaging service",
    30002: "the account is suspended",
}

# Error codes of callbacks: why a message that was accepted did not arrive.
REASONS: dict[int, Reason] = {
    21610: Reason.BLOCKED,
    21611: Reason.QUEUE_FULL,
    21612: Reason.NOT_REACHABLE,
    21614: Reason.INVALID_ADDRESS,
    21635: Reason.LANDLINE,
    30001: Reason.QUEUE_FULL,
    30002: Reason.PROVIDER_ERROR,
    30003: Reason.NOT_REACHABLE,
    30004: Reason.BLOCKED,
    30005: Reason.INVALID_ADDRESS,
    30006: Reason.LANDLINE,
    30007: Reason.BLOCKED,
    30008: Reason.OTHER,
    30010: Reason.OTHER,
    30017: Reason.PROVIDER_ERROR,
    30019: Reason.CONTENT_REFUSED,
    30022: Reason.QUEUE_FULL,
    30023: Reason.QUEUE_FULL,
    30034: Reason.BLOCKED,
    30036: Reason.EXPIRED,
    30410: Reason.TIMED_OUT,
    30450: Reason.BLOCKED,
    30500: Reason.PROVIDER_ERROR,
}

# HTTP codes of replies whose body names no known code. 500 and 503 are the API's own word that it did not make the
# message. 502 and 504 come from a gateway before it, which cannot know: the message may exist.
HTTP: dict[int, tuple[Status, Reason | None]] = {
    429: (Status.THROTTLED, None),
    500: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    502: (Status.AMBIGUOUS, Reason.PROVIDER_ERROR),
    503: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    504: (Status.AMBIGUOUS, Reason.TIMED_OUT),
}

MAY_RETRY = frozenset({Status.THROTTLED, Status.UNREACHABLE, Status.AMBIGUOUS})
TROUBLE = frozenset(
    {Status.UNREACHABLE, Status.AMBIGUOUS}
)  # says something of the provider, not of the recipient


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply to a send; `fatal` ends the Run."""

    status: Status
    reason: Reason | None
    reference: str | None
    raw: str
    fatal: Misconfigured | ProviderDown | None = None


def answer(http: int, body: str) -> Answer:
    """Read one reply: HTTP code and JSON body."""
    document = _object(body)
    if http in (200, 201):
        return _made(http, document)
    code = _number(document.get("code"))
    raw = f"{http} {code}" if code else str(http)
    if code in REFUSALS:
        status, reason = REFUSALS[code]
        return Answer(status, reason, None, raw)
    if code in MISCONFIGURED or http in (401, 403, 404):
        why = MISCONFIGURED.get(code, "the credentials, the account or the address of the API is wrong")
        return Answer(
            Status.UNREACHABLE, Reason.PROVIDER_ERROR, None, raw, Misconfigured(f"Twilio ({raw}): {why}")
        )
    status, reason = HTTP.get(http, (Status.UNKNOWN, Reason.OTHER))
    return Answer(status, reason, None, raw)


def _made(http: int, document: dict[str, object]) -> Answer:
    reference = document.get("sid")
    if not isinstance(reference, str):
        # Not Twilio's own reply: something in between may or may not have passed the request on.
        return Answer(Status.AMBIGUOUS, Reason.PROVIDER_ERROR, None, f"{http} without sid")
    word = str(document.get("status"))
    status = STATUS.get(word, Status.UNKNOWN)
    if status is not Status.UNDELIVERED:
        return Answer(status, None, reference, word)
    status, reason = callback(word, str(document.get("error_code") or ""))
    return Answer(status, reason, reference, word)


def callback(word: str, error_code: str) -> tuple[Status, Reason | None]:
    """Status and reason of a MessageStatus and an ErrorCode, "" when there is none."""
    status = STATUS.get(word, Status.UNKNOWN)
    code = _number(error_code)
    if code == 21610:  # with a messaging service the opt-out comes only after the acceptance
        return Status.OPTED_OUT, None
    if status is Status.UNDELIVERED:
        default = Reason.EXPIRED if word == "canceled" and not code else Reason.OTHER
        return status, REASONS.get(code, default)
    return status, None


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; its form with a date needs a clock and is read as not said."""
    try:
        seconds = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None


def _object(body: str) -> dict[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
