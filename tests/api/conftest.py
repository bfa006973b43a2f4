"""The application on real servers, a key for each role, a small invented country and a warning for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from alerting import create_app
from alerting.authoring import keys, policy
from alerting.authoring.keys import Key, Role
from alerting.config import Settings
from alerting.gazetteer.importing import import_regions
from alerting.gazetteer.mapping import Mapping
from alerting.store import engine

XML = "application/cap+xml"
JSON = "application/json"

# code, parent, box (west, south, east, north), names
REGIONS = (
    ("XA", None, (10, 0, 14, 4), {"en": "Atlantis", "fr": "Atlantide"}),
    ("XA-N", "XA", (10, 2, 14, 4), {"en": "Northland", "fr": "Pays du Nord"}),
    ("XA-S", "XA", (10, 0, 14, 2), {"en": "Southland", "fr": "Pays du Sud"}),
)


@dataclass(frozen=True, slots=True)
class Officers:
    """The keys that exist, and how they are sent."""

    secrets: dict[str, str]

    def of(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[name]}"}


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def officers(app: Flask) -> Officers:
    """A key for each role, named after it, and a second approver."""
    now = datetime.now(UTC)
    secrets = {"administrator": keys.new_secret()}
    first: Key = keys.create_first("administrator", secret=secrets["administrator"], now=now)
    for name, role in [(r.value, r) for r in Role if r is not Role.ADMINISTRATOR] + [
        ("second", Role.APPROVER)
    ]:
        secrets[name] = keys.new_secret()
        keys.create(name, role, secret=secrets[name], by=first, now=now)
    return Officers(secrets)


@pytest.fixture
def country(app: Flask) -> None:
    features = []
    for code, parent, (west, south, east, north), names in REGIONS:
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        properties = {"code": code, "names": names} | ({"parent": parent} if parent else {})
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    import_regions(data, mapping=Mapping(), actor="tests", now=datetime.now(UTC), source="invented")


@pytest.fixture
def at_once(officers: Officers) -> None:
    """The policy that issues without an approver."""
    policy.set_approvers(0, actor="tests", now=datetime.now(UTC))


def cap_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


@pytest.fixture
def warning() -> Callable[..., dict[str, Any]]:
    """A flood in the south, in English and French; keywords replace keys of the alert."""
    now = datetime.now(UTC).replace(microsecond=0)

    def made(identifier: str = "flood-1", **changes: Any) -> dict[str, Any]:
        area = {
            "areaDesc": "Southland",
            "polygon": ["0.5,10.5 0.5,13.5 1.5,13.5 1.5,10.5 0.5,10.5"],
        }
        info = {
            "language": "en",
            "category": ["Met"],
            "event": "Flood",
            "responseType": ["Evacuate"],
            "urgency": "Immediate",
            "severity": "Severe",
            "certainty": "Observed",
            "effective": cap_time(now - timedelta(minutes=1)),
            "expires": cap_time(now + timedelta(hours=6)),
            "senderName": "Atlantis Rivers",
            "headline": "Flood on the Lower Lethe",
            "description": "The Lethe leaves its banks.",
            "instruction": "Go to higher ground now.",
            "contact": "Duty desk",
            "area": [area],
        }
        french = {
            **copy.deepcopy(info),
            "language": "fr",
            "event": "Crue",
            "headline": "Crue du Léthé",
            "description": "Le Léthé déborde.",
            "instruction": "Gagnez les hauteurs.",
        }
        return {
            "identifier": identifier,
            "sender": "rivers@atlantis.example",
            "sent": cap_time(now - timedelta(minutes=1)),
            "status": "Actual",
            "msgType": "Alert",
            "scope": "Public",
            "info": [info, french],
            **changes,
        }

    return made
