"""A person's record as JSON, for the person: names in full, times with their offset, nothing shortened.

Imports nothing but the standard library and, for its types, the use case. Invariant: every field of a Record is in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerting.store.person import HeardRow
    from alerting.subscribing import Record
    from alerting.subscribing.person import Sent


def as_json(record: Record) -> str:
    """The record as one JSON object, indented, in UTF-8 characters."""
    who = record.subscriber
    plain = {
        "subscription": None
        if who is None
        else {
            "number": who.id,
            "list": who.audience,
            "language": who.language,
            "source": who.source,
            "external_id": who.external_id,
            "consent_at": who.consent_at.isoformat(),
            "unsubscribe_token": who.token,
        },
        "addresses": [
            {"channel": each.channel, "address": each.address, "state": each.state.value}
            for each in record.addresses
        ],
        "follows": [
            {
                "region": each.region,
                "lat": each.lat,
                "lon": each.lon,
                "floor": each.floor.name.casefold(),
                "hazards": None if each.hazards is None else list(each.hazards),
            }
            for each in record.follows
        ],
        "sent": [_sent(each) for each in record.sent],
        "acts": [{"at": each.at.isoformat(), "by": each.actor, "act": each.act} for each in record.acts],
        "kept_silent": record.silent,
    }
    return json.dumps(plain, ensure_ascii=False, indent=2)


def _sent(sent: Sent) -> dict[str, object]:
    row = sent.row
    return {
        "delivery": f"{row.dispatch}.{row.n}",
        "to": sent.to,
        "channel": row.channel,
        "of": {"notice": row.kind}
        if row.alert is None
        else {"sender": row.sender, "identifier": row.identifier},
        "language": row.language,
        "status": row.status,
        "reason": row.reason,
        "attempts": row.attempts,
        "maybe_repeated": row.maybe_repeated,
        "reference": row.reference,
        "at": None if row.at is None else row.at.isoformat(),
        "subject": sent.subject,
        "text": sent.text,
        "receipts": [_heard(each) for each in sent.heard],
    }


def _heard(heard: HeardRow) -> dict[str, object]:
    return {
        "at": heard.received_at.isoformat(),
        "provider": heard.provider,
        "event": heard.event_id,
        "status": heard.status,
        "reason": heard.reason,
        "reference": heard.reference,
        "raw": dict(heard.raw),
    }
