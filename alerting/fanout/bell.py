"""The bell: wakes the workers of a lane through RQ, and is never needed.

Owns the Redis connection of whoever rings. A job carries no data but the lane's name. Redis that is slow or gone costs the
caller at most its socket time-out of 0.3 s, is counted, and never raised: the sweep rings again each second.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel
from rq import Queue
from rq.serializers import JSONSerializer

from alerting.store.states import Lane

#: What RQ runs in a worker's child process.
JOB = "alerting.fanout.worker.serve"

#: Seconds for which no bell is rung after Redis did not answer: a burst of issues must not wait 0.3 s each. Shorter
#: than a round of the sweep, which must not take the rest for another failure.
REST = 0.5

#: Jobs that wait at once: workers that were killed are counted among a lane's until RQ forgets them.
MOST_JOBS = 8


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


def connect(redis_url: str, *, timeout: float, blocking: bool = False) -> Redis:
    """A client of Redis, or of the master that the Sentinels of a redis+sentinel URL name.

    It gives up connecting after `timeout` seconds and never tries twice by itself; `blocking` allows a command to wait for
    longer than that (BLPOP).
    """
    options: dict[str, Any] = {
        "socket_timeout": None if blocking else timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
    }
    if not redis_url.startswith("redis+sentinel://"):
        return Redis.from_url(redis_url, **options)
    # redis+sentinel://[user:password@]host:port[,host:port...]/service[/db]
    url = urlsplit(redis_url)
    hosts = [host.rpartition(":") for host in url.netloc.rpartition("@")[2].split(",")]
    service, _, number = url.path.strip("/").partition("/")
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it unannotated
        [(host, int(port)) for host, _, port in hosts], socket_timeout=timeout
    )
    master: Redis = sentinel.master_for(  # type: ignore[no-untyped-call]  # as above
        service, db=int(number or 0), username=url.username, password=url.password, **options
    )
    return master


def failures() -> int:
    """How often this process could not ring, since it started."""
    return _bell.failures


def _connection() -> Redis:
    with _bell.lock:
        if _bell.connection is None or _bell.pid != os.getpid():
            _bell.connection, _bell.pid = connect(_bell.url, timeout=0.3), os.getpid()
        return _bell.connection


def ring(lane: Lane) -> bool:
    """Wake a worker of the lane unless as many jobs as it has workers are queued already; False if Redis is away."""
    if not _bell.url or time.monotonic() < _bell.resting_until:
        return False
    try:
        connection = _connection()
        queue = Queue(lane.value, connection=connection, serializer=JSONSerializer)
        slots = max(1, int(connection.scard(f"rq:workers:{lane.value}")))
        if queue.count < min(slots, MOST_JOBS):
            queue.enqueue_call(JOB, args=[lane.value], timeout=-1, result_ttl=0, failure_ttl=3600)
        return True
    except (RedisError, OSError):
        _bell.failures += 1
        _bell.resting_until = time.monotonic() + REST
        return False


def answers() -> bool:
    """Whether Redis is there."""
    try:
        return bool(_connection().ping())
    except (RedisError, OSError):
        return False


def mark_started(lane: Lane) -> None:
    """Leave word that a job of the lane has started: whoever stands in for the lane may stop."""
    try:
        _connection().set(f"alerting:started:{lane.value}", repr(time.time()), ex=3600)
    except (RedisError, OSError):
        _bell.failures += 1


def started_since(lane: Lane, when: float) -> bool:
    """Whether a job of the lane has started after `when` (seconds from the epoch); False while Redis is away."""
    try:
        word = _connection().get(f"alerting:started:{lane.value}")
    except (RedisError, OSError):
        return False
    return isinstance(word, bytes) and float(word) > when
