"""The failure matrix, PostgreSQL restarted: what came back is kept until it can be written, and nobody is lost."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from bench.servers import OwnServers
from tests.chaos.conftest import Cluster


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shut down", "crashed"])
def test_postgresql_restarted_in_mid_dispatch_keeps_what_came_back_and_loses_and_repeats_nobody(
    lonely: Cluster, own_servers: OwnServers, how: signal.Signals
) -> None:
    lonely.country.warn(squares=100)
    lonely.paced("sms", "email")
    lonely.until(lambda: lonely.received() > 100 and lonely.received("email") > 100, 20)
    stop = threading.Event()

    def restart_what_ends() -> None:
        while not stop.wait(0.5):
            lonely.parts.mend()

    mending = threading.Thread(target=restart_what_ends)
    mending.start()
    try:
        own_servers.stop_postgres(how)
        time.sleep(2)
        own_servers.start_postgres()
        lonely.until(lambda: lonely.finished() and lonely.finished("email"), 40)
    finally:
        stop.set()
        mending.join()
    for channel in ("sms", "email"):
        assert set(lonely.counts(channel)) == lonely.everybody(channel)
        assert set(lonely.counts(channel).values()) == {1}
        assert not lonely.marked(channel)
    assert lonely.country.tally_differs() == []
