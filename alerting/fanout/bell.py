"""The bell: wakes the workers of a lane through RQ, and is never needed.

Owns the Redis connection of whoever rings. A job carries no data but the lane's name. Redis that is slow or gone costs the
caller at most its socket time-out of 0.3 s, is counted, and never raised: the sweep rings again each second.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

from redis import Redis
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.backoff import NoBackoff
from rq import Queue
from rq.serializers import JSONSerializer

from alerting.store.states import Lane

#: What RQ runs in a worker's child process.
JOB = "alerting.fanout.worker.serve"

#: Seconds for which no bell is rung after Redis did not answer: a burst of issues must not wait 0.3 s each.
REST = 1.0


@dataclass(slots=True)
class _Bell:
    """The bell of this process."""

    url: str = ""
    pid: int = 0
    connection: Redis | None = None
    failures: int = 0
    resting_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_bell = _Bell()


def configure(redis_url: str) -> None:
    """Name the Redis of this process."""
    with _bell.lock:
        _bell.url, _bell.connection, _bell.resting_until = redis_url, None, 0.0


def connect(redis_url: str, *, timeout: float) -> Redis:
    """A client that fails after `timeout` seconds and never tries twice by itself; understands redis+sentinel URLs."""
    return Redis.from_url(
        redis_url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


def failures() -> int:
    """How often this process could not ring, since it started."""
    return _bell.failures


def ring(lane: Lane) -> bool:
    """Wake a worker of the lane unless as many jobs as it has workers are queued already; False if Redis is away."""
    if not _bell.url or time.monotonic() < _bell.resting_until:
        return False
    with _bell.lock:
        if _bell.connection is None or _bell.pid != os.getpid():
            _bell.connection, _bell.pid = connect(_bell.url, timeout=0.3), os.getpid()
        connection = _bell.connection
    try:
        queue = Queue(lane.value, connection=connection, serializer=JSONSerializer)
        slots = max(1, int(connection.scard(f"rq:workers:{lane.value}")))
        if queue.count < slots:
            queue.enqueue_call(JOB, args=[lane.value], timeout=-1, result_ttl=0, failure_ttl=3600)
        return True
    except (RedisError, OSError):
        _bell.failures += 1
        _bell.resting_until = time.monotonic() + REST
        return False
