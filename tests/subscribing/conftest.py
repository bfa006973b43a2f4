"""A small invented country, so that each test sees who follows what: XA with the boxes XA-N, XA-S and two Springfields."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from alerting.config import Settings
from alerting.gazetteer.importing import import_regions
from alerting.gazetteer.mapping import Mapping

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)

# code, parent, box, names
REGIONS = (
    ("XA", None, (10, 0, 14, 4), {"en": "Atlantis", "fr": "Atlantide"}),
    (
        "XA-N",
        "XA",
        (10, 2, 12, 4),
        {"en": "Northland", "fr": "Pays du Nord", "zh-Hans": "北国", "ar": "الشمال"},
    ),
    (
        "XA-S",
        "XA",
        (10, 0, 12, 2),
        {"en": "Southland", "fr": "Pays du Sud", "es": "País del Sur", "gl": "Paìs del Sur"},
    ),
    ("XA-P", "XA", (12, 0, 13, 2), {"en": "Springfield"}),
    ("XA-Q", "XA", (12, 2, 13, 4), {"en": "Springfield"}),
)


def _feature(code: str, parent: str | None, box: tuple[int, ...], names: dict[str, str]) -> dict[str, object]:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"code": code, "names": names} | ({"parent": parent} if parent else {})
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@pytest.fixture
def places(settings: Settings) -> Settings:
    """The settings of a database that holds the invented country."""
    features = [_feature(*region) for region in REGIONS]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    import_regions(data, mapping=Mapping(), actor="tests", now=NOW, source="invented")
    return settings
