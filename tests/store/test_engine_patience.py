"""A process that was stopped in the middle of a transaction does not keep others from the rows that it holds."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import text

from alerting.config import Settings
from alerting.store import engine
from alerting.store.engine import UNAVAILABLE, transaction


def test_a_transaction_that_does_nothing_is_ended_and_its_rows_are_free(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute(
            "INSERT INTO sender (channel, provider, name, next_free) VALUES ('sms', 'p', 'n', now())"
        )
        engine.configure(settings.database_url, patience=0.3)
        # What the server says to whoever comes back depends on the moment: that it has ended the session, or nothing.
        with pytest.raises(UNAVAILABLE), transaction() as session:  # the whole of it is what must fail
            session.execute(text("SELECT FROM sender FOR UPDATE"))
            other.execute("SET lock_timeout = '5s'")
            other.execute(
                "SELECT FROM sender FOR UPDATE"
            )  # waits until the other's time is over, and raises if it never is
            time.sleep(0.1)
            session.execute(text("UPDATE sender SET failures = 7"))
        assert other.execute("SELECT failures FROM sender").fetchone() == (0,)
        with transaction() as session:
            assert session.execute(text("SELECT count(*) FROM sender")).scalar_one() == 1
