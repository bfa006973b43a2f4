from __future__ import annotations

import re
from pathlib import Path

from flask.testing import FlaskClient

from tests.feeds.rows import regions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "feeds.md"


def test_the_addresses_of_the_page_answer_with_the_media_types_it_gives(client: FlaskClient) -> None:
    regions("CN-AH")
    rows = re.findall(r"^\| `(/[^`]*)` \| `([^`]*)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 8
    for address, media_type in rows:
        answer = client.get(address)
        assert (address, answer.status_code, answer.mimetype) == (address, 200, media_type)
