"""Region files of a few squares, and the import of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from alerting import gazetteer

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

Bring = Callable[..., gazetteer.Imported]


def square(west: float, south: float, side: float = 1.0) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, geometry: dict[str, Any] | None, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"code": code, "name": f"Place {code}", **properties},
        "geometry": geometry,
    }


def collection(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


@pytest.fixture
def bring(database: str) -> Bring:
    """Import features of GeoJSON; keyword arguments are the Mapping's, and `replace_all`."""

    def bring(*features: dict[str, Any], replace_all: bool = False, **mapping: Any) -> gazetteer.Imported:
        return gazetteer.import_regions(
            collection(*features),
            mapping=gazetteer.Mapping(**mapping),
            actor="tester",
            now=NOW,
            source="squares.geojson",
            replace_all=replace_all,
        )

    return bring
