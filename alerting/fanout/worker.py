"""The RQ worker of one lane, and what its jobs do.

Owns the process: preloading, the job loop, the rules that RQ 3.0 needs (one queue for each worker, no job time-out, a
short wait when Redis is away). A job carries the lane's name alone and drains whatever PostgreSQL says is due, for a minute
at most; `serve` is the same without RQ, for the sweep's child. Invariant: losing a job loses nothing but time.
"""

from __future__ import annotations

import gc
import os
import sys
import time

import structlog
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from alerting import outlets
from alerting.config import Settings
from alerting.fanout import bell, drain, expand, publish
from alerting.store import engine, frozen, outbox, senders
from alerting.store.batches import LEASE
from alerting.store.engine import transaction
from alerting.store.states import LANE_OF_CHANNEL, Lane
from channels.base import Channel

log = structlog.get_logger(__name__)

#: Seconds that one job works before it rings for the next: RQ sees a living worker, a new child gets the next turn.
TURN = 60.0

#: What `prepare` was given and the channel that it made; a job finds both in the memory that its child inherits.
_settings: list[Settings] = []
_channels: dict[str, Channel] = {}

#: Objects that are made before the garbage collector looks at the young ones. A job makes some for each recipient and no
#: cycles: 25 000 messages took 0.04 to 0.15 s to make with Python's 700, and 0.04 to 0.05 s with this.
YOUNG = 50_000


class LaneWorker(Worker):
    """RQ's worker, looking for a lost Redis every two seconds instead of up to a minute."""

    max_connection_wait_time = 2.0


def prepare(settings: Settings, lane: Lane | None = None) -> None:
    """Configure this process and load what the lane needs; a forked child inherits it, and opens its own connections."""
    _settings[:] = [settings]
    _channels.clear()
    adapter = None if lane is None else outlets.channel_from(settings, lane.value)
    if adapter is not None:
        _channels[adapter.name] = adapter
    # The adapter's event loop and the drain share the interpreter: with Python's 5 ms the loop waits longer for its turn
    # than for the provider.
    sys.setswitchinterval(0.0005)
    engine.configure(settings.database_url, pgbouncer=settings.pgbouncer, patience=LEASE)
    bell.configure(settings.redis_url)


def main(lane: Lane, settings: Settings) -> None:
    """Work on the RQ queue of a lane until told to stop."""
    prepare(settings, lane)
    with transaction() as session:
        outbox.channels_with_work(session)  # the driver has met the server: no child needs to ask what it is
        if lane in (Lane.SMS, Lane.EMAIL):
            rate = settings.sms_rate if lane is Lane.SMS else settings.email_rate
            senders.ensure(session, channel=lane.value, provider=lane.value, name="default", rate=rate)
    engine.close_connections()
    # What was loaded stays for good: no collection walks over it, nor copies its pages in every child.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    connection = bell.connect(settings.redis_url, timeout=10.0, blocking=True)
    queue = Queue(lane.value, connection=connection, serializer=JSONSerializer)
    worker = LaneWorker([queue], connection=connection, serializer=JSONSerializer, log_job_description=False)
    bell.ring(lane)  # what was left by a worker that died
    worker.work(logging_level="WARNING")


def serve(lane_name: str) -> int:
    """One job: do what is due on the lane for at most TURN seconds; units of work done."""
    lane = Lane(lane_name)
    settings = _settings[0]
    bell.mark_started(lane)
    done = turn(lane, settings, limit=TURN)
    if _more(lane):
        bell.ring(lane)
    return done


def turn(lane: Lane, settings: Settings, *, limit: float) -> int:
    """Expand, drain or publish until nothing is due or `limit` seconds have passed."""
    ends = time.monotonic() + limit
    if lane is Lane.PLAN:
        return _plan(settings, ends)
    if lane is Lane.WEB:
        return _web(settings, ends)
    adapter = _channels.get(lane.value)
    if adapter is None:
        log.error("channel_not_configured", channel=lane.value)
        return 0
    return drain.Drain(lane.value, adapter, settings, limit=limit).run()


def _batch_size(dispatch: outbox.Dispatch) -> int:
    """Rows of a batch: about a second of sending, so that no batch keeps a sender from whoever has had less of it."""
    with transaction() as session:
        rate = senders.rate_of(session, dispatch.channel)
        if rate is None or dispatch.alert is None:
            return expand.BATCH
        longest = frozen.longest(session, dispatch.alert, dispatch.channel)
    return min(expand.BATCH, max(1, int(rate / longest)))


def _plan(settings: Settings, ends: float) -> int:
    done = 0
    while time.monotonic() < ends and expand.expand_next(
        _batch_size, now=drain.utc_now(), percent=settings.surplus_percent
    ):
        done += 1
    return done


def _web(settings: Settings, ends: float) -> int:
    done = 0
    for channel in (name for name, lane in LANE_OF_CHANNEL.items() if lane is Lane.WEB):
        while time.monotonic() < ends and publish.publish_next(channel, settings=settings, now=drain.utc_now):
            done += 1
    return done


def _more(lane: Lane) -> bool:
    with transaction() as session:
        if lane is Lane.PLAN:
            return outbox.work_to_expand(session)
        return any(LANE_OF_CHANNEL[channel] is lane for channel in outbox.channels_with_work(session))


def stand_in(lane: Lane, settings: Settings) -> None:
    """Do a lane's work without RQ, as the sweep's child, until RQ can do it again or the parent is gone.

    With work to do that is when a job of the lane has started; without, when Redis answers.
    """
    prepare(settings, lane)
    parent = os.getppid()
    since = time.time()
    while os.getppid() == parent and not bell.started_since(lane, since):
        if not turn(lane, settings, limit=2.0):
            if bell.answers():
                return
            time.sleep(0.2)
