"""sandbox.sms_rate, sandbox.mail_rate: what the counting sandbox takes from a bare client, so that it is never the limit.

Absolute rates in messages/s, client and sandbox in a process each. Every sample is checked by the sandbox's own counters:
all arrived, none twice.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from bench import bare
from channels.sandbox.process import CountingProcess

COUNT = 30_000
BODY = (
    b"Subject: Flood\r\nFrom: <w@example.org>\r\n\r\n"
    + b"Leave the river banks now and move to higher ground.\r\n" * 40
)


def rows() -> list[dict[str, Any]]:
    """The two rows."""
    with CountingProcess() as sandbox:
        return [
            _row(
                "sandbox.sms_rate", 15_000, "sms", sandbox, lambda: bare.post(sandbox.http_url, _forms(), 64)
            ),
            _row(
                "sandbox.mail_rate",
                10_000,
                "email",
                sandbox,
                lambda: bare.mail(sandbox.smtp_url, _mails(), 16),
            ),
        ]


def _row(
    name: str, goal: float, channel: str, sandbox: CountingProcess, send: Callable[[], None]
) -> dict[str, Any]:
    samples = []
    for _ in range(3):
        sandbox.reset()
        started = time.perf_counter()
        send()
        samples.append([COUNT / (time.perf_counter() - started), None])
        assert sandbox.counts()[channel] == {"received": COUNT, "distinct": COUNT, "repeated": 0}
    return {
        "name": name,
        "value": statistics.median(value for value, _ in samples if value is not None),
        "unit": "messages/s",
        "reference": None,
        "goal": goal,
        "samples": samples,
    }


def _forms() -> Any:
    return (
        b"Body=Leave+the+river+banks+now&MessagingServiceSid=MG1&To=%%2B1555%07d" % n for n in range(COUNT)
    )


def _mails() -> Any:
    ended = BODY + b".\r\n"
    return (
        (b"MAIL FROM:<w@example.org>\r\nRCPT TO:<p%d@example.org>\r\nDATA\r\n" % n, ended)
        for n in range(COUNT)
    )


if __name__ == "__main__":
    for row in rows():
        print(row)
