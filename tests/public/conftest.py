from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from alerting import public
from alerting.cap.model import Alert, Info
from alerting.config import Settings
from alerting.feeds import documents
from tests.wording import samples


@pytest.fixture
def app(settings: Settings) -> Flask:
    documents._asked.clear()
    made = Flask("public")
    public.register(made, settings)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def flood(now: datetime) -> Callable[..., Alert]:
    """The sample flood, sent a minute ago and good for an hour."""

    def made(*infos: Info, **changes: object) -> Alert:
        sent = now - timedelta(minutes=1)
        given = infos or (samples.ENGLISH, samples.CHINESE, samples.ARABIC)
        lasting = (replace(each, expires=sent + timedelta(hours=1)) for each in given)
        return samples.alert(*lasting, **{"sent": sent, **changes})

    return made


@pytest.fixture
def statements(database: str) -> Iterator[list[str]]:
    """Every SQL statement of this process, as it is sent."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)
