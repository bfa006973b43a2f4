"""Twilio's Message resource and its list (twilio.com/docs/messaging/api/message-resource), as the sandbox answers them.

Owns the names, the filters and the paging. Standard library only, and no state. Invariant: the newest stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode

PAGE_SIZE = 50
LARGEST_PAGE = 1000

_FILTERS: dict[str, Callable[[datetime, datetime], bool]] = {
    "DateSent": lambda at, day: day <= at < day + timedelta(days=1),
    "DateSent<": lambda at, day: at < day + timedelta(days=1),
    "DateSent>": lambda at, day: at >= day,
}


class BadQuery(ValueError):
    """A parameter of the list cannot be read; the text names it."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text that the sandbox has taken. `at` is seconds from the epoch; `sent` is False while it is queued."""

    sid: str
    to: str
    sender: str
    body: str
    status: str
    at: float
    error_code: int | None = None
    sent: bool = True


def message(account: str, text: Text) -> dict[str, object]:
    """One Message resource."""
    date = format_datetime(datetime.fromtimestamp(text.at, UTC))
    service = text.sender if text.sender.startswith("MG") else None
    uri = f"/2010-04-01/Accounts/{account}/Messages/{text.sid}"
    return {
        "sid": text.sid,
        "account_sid": account,
        "messaging_service_sid": service,
        "from": None if service else text.sender,
        "to": text.to,
        "body": text.body,
        "status": text.status,
        "direction": "outbound-api",
        "num_segments": "0",
        "num_media": "0",
        "error_code": text.error_code,
        "error_message": None,
        "price": None,
        "price_unit": None,
        "api_version": "2010-04-01",
        "date_created": date,
        "date_updated": date,
        "date_sent": date if text.sent else None,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def page(account: str, query: Mapping[str, str], texts: Sequence[Text]) -> dict[str, object]:
    """The list of what `query` leaves of `texts`, given oldest first. Raises BadQuery."""
    size = _number(query, "PageSize", PAGE_SIZE, 1, LARGEST_PAGE)
    number = _number(query, "Page", 0, 0, 1 << 31)
    found = [text for text in reversed(texts) if _fits(query, text)]
    start = number * size
    shown = found[start : start + size]
    uri = f"/2010-04-01/Accounts/{account}/Messages.json"

    def of(n: int) -> str:
        kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}
        token = {"PageToken": f"PASM{n:032x}"} if n else {}
        return f"{uri}?{urlencode({**kept, 'PageSize': size, 'Page': n, **token})}"

    return {
        "first_page_uri": of(0),
        "next_page_uri": of(number + 1) if start + size < len(found) else None,
        "previous_page_uri": of(number - 1) if number else None,
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "uri": of(number),
        "messages": [message(account, text) for text in shown],
    }


def _fits(query: Mapping[str, str], text: Text) -> bool:
    if query.get("To", text.to) != text.to or query.get("From", text.sender) != text.sender:
        return False
    at = datetime.fromtimestamp(int(text.at), UTC)
    for name, keeps in _FILTERS.items():
        # What still waits in the queue has no date of sending: no filter by it finds it.
        if name in query and not (text.sent and keeps(at, _date(name, query[name]))):
            return False
    return True


def _date(name: str, written: str) -> datetime:
    try:
        date = datetime.fromisoformat(written)
    except ValueError as error:
        raise BadQuery(f"{name} is no date") from error
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    written = query.get(name, str(default))
    if not written.isdecimal() or not low <= int(written) <= high:
        raise BadQuery(f"{name} must be a number from {low} to {high}")
    return int(written)
