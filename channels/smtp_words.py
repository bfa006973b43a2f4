"""What the replies of an SMTP server mean: the tables, and the reading of one reply by them.

By enhanced status code (RFC 3463) where there is one, else by reply code (RFC 5321, 4.2.3), else by its first digit
(4.2.1). Must not import a client or the service. Invariant: the text of a reply is never kept, since servers put
addresses into it.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.base import Reason, Status

# Subject and detail of 5.x.y: final for this recipient or this text.
PERMANENT: dict[str, Reason] = {
    "1.0": Reason.INVALID_ADDRESS,
    "1.1": Reason.NO_SUCH_MAILBOX,
    "1.2": Reason.INVALID_ADDRESS,  # no such domain
    "1.3": Reason.INVALID_ADDRESS,
    "1.6": Reason.NO_SUCH_MAILBOX,
    "1.10": Reason.INVALID_ADDRESS,  # the domain takes no mail (RFC 7505)
    "2.0": Reason.NO_SUCH_MAILBOX,
    "2.1": Reason.NO_SUCH_MAILBOX,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.CONTENT_REFUSED,
    "3.4": Reason.CONTENT_REFUSED,
    "6.0": Reason.CONTENT_REFUSED,
    "6.7": Reason.INVALID_ADDRESS,  # needs SMTPUTF8, and its server has none (RFC 6531)
    "7.0": Reason.BLOCKED,
    "7.1": Reason.BLOCKED,
    "7.23": Reason.BLOCKED,
    "7.25": Reason.BLOCKED,
    "7.26": Reason.BLOCKED,
    "7.27": Reason.BLOCKED,
}

# Subject and detail of 4.x.y: nothing was taken, later it may be.
TRANSIENT: dict[str, tuple[Status, Reason | None]] = {
    "2.2": (Status.UNREACHABLE, Reason.MAILBOX_FULL),
    "3.1": (Status.THROTTLED, Reason.QUEUE_FULL),
    "5.3": (Status.THROTTLED, None),
    "7.0": (Status.THROTTLED, None),
    "7.1": (Status.THROTTLED, None),  # greylisting, mostly
}

CODES: dict[int, tuple[Status, Reason | None]] = {
    450: (Status.UNREACHABLE, Reason.NOT_REACHABLE),
    451: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    452: (Status.THROTTLED, Reason.QUEUE_FULL),
    455: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    # The server did not understand the order of commands: that says nothing of the recipient.
    500: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    502: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    503: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    504: (Status.UNREACHABLE, Reason.PROVIDER_ERROR),
    501: (Status.REJECTED, Reason.INVALID_ADDRESS),
    550: (Status.REJECTED, Reason.NO_SUCH_MAILBOX),
    551: (Status.REJECTED, Reason.NO_SUCH_MAILBOX),
    552: (Status.REJECTED, Reason.MAILBOX_FULL),
    553: (Status.REJECTED, Reason.NO_SUCH_MAILBOX),
    554: (Status.REJECTED, Reason.CONTENT_REFUSED),
    555: (Status.REJECTED, Reason.INVALID_ADDRESS),
    556: (Status.REJECTED, Reason.INVALID_ADDRESS),
}

# Codes that say that we, not a recipient, are refused (RFC 4954, 6).
MISCONFIGURED: dict[int, str] = {
    530: "the server asks for a login or for TLS",
    534: "the server wants another way to log in",
    535: "the server refuses the user or the password",
    538: "the server wants TLS before the login",
}

CONFUSED = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its code and its enhanced code ("5.1.1" or ""). `lines` is kept for EHLO only."""

    code: int
    enhanced: str = ""
    lines: tuple[str, ...] = ()

    @property
    def raw(self) -> str:
        return f"{self.code} {self.enhanced}".rstrip()


def verdict(reply: Reply) -> tuple[Status, Reason | None]:
    """Status and reason of a reply to RCPT, DATA or the final dot."""
    code, detail = reply.code, reply.enhanced.partition(".")[2]
    if 200 <= code < 300:
        return Status.ACCEPTED, None
    if 500 <= code < 600 and code not in CONFUSED and detail in PERMANENT:
        return Status.REJECTED, PERMANENT[detail]
    if 400 <= code < 500 and detail in TRANSIENT:
        return TRANSIENT[detail]
    if code in CODES:
        return CODES[code]
    if 400 <= code < 500:
        return Status.UNREACHABLE, Reason.OTHER
    if 500 <= code < 600:
        return Status.REJECTED, Reason.OTHER
    return Status.UNKNOWN, Reason.OTHER
