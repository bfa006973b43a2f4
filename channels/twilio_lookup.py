"""Whether Twilio has a text already: its Messages list by recipient and date (twilio.com/docs/messaging/api/message-resource).

Owns the question and what an answer means for a message in doubt. Must not import the service. Invariant: only a whole
answer without such a text lets it be sent again; the list shows no status callback, so recipient, text and time decide.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from twilio.rest import Client

from channels.base import Message, Reason, SendResult, Status
from channels.twilio_http import NotSent, ReplyLost
from channels.twilio_words import callback, retry_after

PAGE = 50  # texts to one recipient since the warning, the newest first: more cannot matter
SLACK = timedelta(minutes=1)  # by which Twilio's clock may be behind ours

# Of several texts that fit, the one that got furthest tells what the recipient has.
_BEST = (Status.DELIVERED, Status.ACCEPTED, Status.UNKNOWN, Status.OPTED_OUT, Status.UNDELIVERED)


async def look_up(client: Client, uri: str, message: Message, since: datetime) -> SendResult | None:
    """What Twilio knows of a message that may have been sent at `since` or after; None: it has never seen it.

    Asked by date first; what still waits in Twilio's queue has no date of sending, so a miss is asked again without.
    """
    for question in (_question(uri, message.to, since), _question(uri, message.to, None)):
        try:
            response = await client.request_async("GET", question, data=b"")
        except (NotSent, ReplyLost) as error:
            reason = Reason.TIMED_OUT if error.timed_out else Reason.CONNECTION_LOST
            return SendResult(message.key, Status.UNREACHABLE, reason, raw=f"look-up: {error}")
        texts = _texts(response.text) if response.status_code == 200 else None
        if texts is None:
            silent = response.status_code >= 500 or response.status_code == 200
            return SendResult(
                message.key,
                Status.UNREACHABLE if silent else Status.THROTTLED,
                Reason.PROVIDER_ERROR,
                raw=f"look-up: {response.status_code}",
                retry_after=retry_after(response.headers.get("retry-after")),
            )
        found = [_result(message, text) for text in texts if _same(text, message, since - SLACK)]
        if found:
            return min(found, key=lambda result: _BEST.index(result.status))
    return None


def _question(uri: str, to: str, since: datetime | None) -> str:
    fields = {"To": to, "PageSize": str(PAGE)}
    if since is not None:
        fields["DateSent>"] = (since - SLACK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{uri}?{urlencode(fields)}"


def _texts(body: str) -> list[dict[str, object]] | None:
    """The texts of a list; None for what is no list."""
    try:
        texts = json.loads(body)["messages"]
    except (ValueError, KeyError, TypeError):
        return None
    return [text for text in texts if isinstance(text, dict)] if isinstance(texts, list) else None


def _same(text: dict[str, object], message: Message, since: datetime) -> bool:
    """Whether it is this message: the recipient, the words (a trial account puts some before them), the time."""
    if text.get("to") != message.to or not isinstance(text.get("sid"), str):
        return False
    if not _words(str(text.get("body"))).endswith(_words(message.content.text)):
        return False
    try:
        made = parsedate_to_datetime(str(text.get("date_created")))
    except ValueError:
        return True  # by its words it is ours
    return made.replace(tzinfo=made.tzinfo or UTC) >= since.replace(microsecond=0)


def _words(text: str) -> str:
    return " ".join(text.split())


def _result(message: Message, text: dict[str, object]) -> SendResult:
    word = str(text.get("status"))
    status, reason = callback(word, str(text.get("error_code") or ""))
    return SendResult(message.key, status, reason, str(text["sid"]), f"found {word}", found=True)
