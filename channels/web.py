"""The warnings in force as one JSON document for web pages and apps: JSON Feed 1.1.

A pure renderer: no clock, equal input gives equal bytes. Must not import anything of the service. Invariant: every
entry of a Publication is in its document; what JSON Feed has no word for stands under `_cap`, as its section on
extensions asks.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from channels.base import Entry, Publication


class JsonFeed:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    name = "web"
    media_type = "application/feed+json"

    def render(self, publication: Publication) -> bytes:
        """The document in UTF-8, keys in a fixed order."""
        document = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": publication.title,
            "description": publication.subtitle,
            "language": publication.language,
            "home_page_url": publication.alternate,
            "feed_url": publication.self_url,
            "_cap": {"updated": _rfc3339(publication.updated)},
            "items": [_item(entry) for entry in publication.entries],
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _item(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "content_text": entry.summary,
        "language": entry.language,
        "date_published": _rfc3339(entry.published),
        "date_modified": _rfc3339(entry.updated),
        "authors": [{"name": entry.author}],
        "tags": list(entry.categories),
        "attachments": [{"url": entry.cap, "mime_type": "application/cap+xml"}],
        "_cap": {
            "expires": _rfc3339(entry.expires),
            "areas": list(entry.areas),
            "polygons": list(entry.polygons),
        },
    }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
