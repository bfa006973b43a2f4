"""What the sandbox received: the last messages in full, a count per recipient of all.

Owns the inbox as JSON and as a page. Standard library only. Invariant: memory is bounded by KEPT messages and one number
per recipient; whatever came in is escaped on the page.
"""

from __future__ import annotations

import html
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy

KEPT = 5000
SHOWN = 200

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox inbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="5">
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-inline-size: 60rem; margin: 2rem auto; padding-inline: 1rem }}
article {{ border: 1px solid #8886; border-radius: .5rem; padding: .75rem 1rem; margin-block: .75rem }}
header {{ display: flex; gap: 1rem; flex-wrap: wrap; opacity: .8; font-size: .875rem }}
h2 {{ font-size: 1rem; margin: .25rem 0 }} p {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .25rem 0 }}
</style></head><body>
<h1>Sandbox inbox</h1>
<p>{sms} texts, {email} e-mails, {repeated} repeats. The last {shown} are shown, the newest first. Nothing here was sent
to anybody.</p>
{articles}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Received:
    """One message. `reference` is the MessageSid or the Message-ID; `raw` the mail's bytes, empty for a text."""

    channel: str
    to: str
    sender: str
    text: str
    reference: str
    status: str
    at: float  # seconds since the epoch
    raw: bytes = b""


class Inbox:
    """Touched by the sandbox's loop only."""

    def __init__(self) -> None:
        self.messages: deque[Received] = deque(maxlen=KEPT)
        self.counts: dict[str, dict[str, int]] = {"sms": {}, "email": {}}

    def add(self, received: Received) -> None:
        """Keep one message and count it."""
        self.messages.append(received)
        counts = self.counts[received.channel]
        counts[received.to] = counts.get(received.to, 0) + 1

    def find(self, reference: str) -> Received | None:
        """The message of a MessageSid, as long as it is kept."""
        return next((message for message in reversed(self.messages) if message.reference == reference), None)

    def clear(self) -> None:
        self.messages.clear()
        self.counts = {"sms": {}, "email": {}}

    def total(self, channel: str) -> int:
        """How many messages of a channel were received, repeats included."""
        return sum(self.counts[channel].values())

    def repeated(self, channel: str) -> dict[str, int]:
        """The recipients that got more than one message, and how many."""
        return {to: n for to, n in self.counts[channel].items() if n > 1}

    def document(self, limit: int) -> dict[str, object]:
        """{sms, email: counts; distinct, repeated: by channel; messages: the newest first}."""
        newest = list(self.messages)[-limit:][::-1] if limit > 0 else []
        return {
            "sms": self.total("sms"),
            "email": self.total("email"),
            "distinct": {channel: len(counts) for channel, counts in self.counts.items()},
            "repeated": {channel: self.repeated(channel) for channel in self.counts},
            "messages": [_described(message) for message in newest],
        }

    def page(self) -> str:
        """The same for a browser."""
        newest = list(self.messages)[-SHOWN:][::-1]
        return _PAGE.format(
            sms=self.total("sms"),
            email=self.total("email"),
            repeated=sum(n - 1 for counts in self.counts.values() for n in counts.values()),
            shown=len(newest),
            articles="\n".join(_article(message) for message in newest),
        )


def _described(message: Received) -> dict[str, object]:
    subject, text = _words(message)
    return {
        "channel": message.channel,
        "to": message.to,
        "from": message.sender,
        "subject": subject,
        "text": text,
        "reference": message.reference,
        "status": message.status,
        "at": message.at,
    }


def _article(message: Received) -> str:
    subject, text = _words(message)
    title = f'<h2 dir="auto">{html.escape(subject)}</h2>' if subject is not None else ""
    facts = (message.channel, message.to, message.status, message.reference)
    return (
        "<article><header>"
        + "".join(f"<span>{html.escape(fact)}</span>" for fact in facts)
        + f'</header>{title}<p dir="auto">{html.escape(text)}</p></article>'
    )


def _words(message: Received) -> tuple[str | None, str]:
    """Subject and plain text, a mail's parsed only when somebody looks."""
    if not message.raw:
        return None, message.text
    mail = message_from_bytes(message.raw, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    return str(mail["Subject"] or ""), str(body.get_content()).strip() if body is not None else ""
