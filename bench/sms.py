"""sms.vs_aiohttp: the SMS adapter alone against bare aiohttp posting the same bodies to the same sandbox.

Rates in messages/s, alternating in one run, both in this process and the sandbox in its own. Every sample is checked by the
sandbox's counters. A sample in which the sandbox used more than 40 % of the CPU of our own run makes the row void.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from base64 import b64encode
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import aiohttp

from channels.base import Content, Message, SendResult, Status
from channels.sandbox.process import CountingProcess
from channels.twilio_sms import TwilioConfig, TwilioSms

COUNT = 20_000
IN_FLIGHT = 64
SAMPLES = 3
SID, SERVICE = "AC" + "0" * 32, "MG" + "0" * 32
TEXTS = [
    Content("FLOOD WARNING until 18:00 CET: leave the river banks now. https://w.example/w/ab12cd", "en"),
    Content("洪水警报，有效至18:00：请立即离开河岸。 https://w.example/w/ab12cd", "zh-Hans"),
]


def rows() -> list[dict[str, Any]]:
    """The row."""
    with CountingProcess() as sandbox:
        channel = TwilioSms(
            TwilioConfig(
                SID,
                "token",
                SERVICE,
                sandbox.http_url,
                "https://w.example/webhooks/sms/status",
                in_flight=IN_FLIGHT,
            )
        )
        bodies = [channel._body(message) for message in _messages()]
        samples, shares = [], []
        for _ in range(SAMPLES):
            sandbox.reset()
            theirs, ours = sandbox.cpu(), time.process_time()
            value = _adapter(channel)
            shares.append((sandbox.cpu() - theirs) / (time.process_time() - ours))
            _check(sandbox)
            sandbox.reset()
            reference = _bare(sandbox.http_url, bodies)
            _check(sandbox)
            samples.append([value, reference])
        channel.close()
    share = statistics.median(shares)
    print(f"sms.vs_aiohttp: the sandbox used {share:.0%} of our CPU")
    return [
        {
            "name": "sms.vs_aiohttp",
            "value": statistics.median(value for value, _ in samples) if share <= 0.4 else None,
            "unit": "messages/s",
            "reference": statistics.median(reference for _, reference in samples),
            "goal": 0.7,
            "samples": samples,
        }
    ]


def _messages() -> Iterator[Message]:
    return (Message(n, f"7.{n}", f"+1555{n:07d}", TEXTS[n % 2], 3600.0) for n in range(COUNT))


def _check(sandbox: CountingProcess) -> None:
    assert sandbox.counts()["sms"] == {"received": COUNT, "distinct": COUNT, "repeated": 0}


def _adapter(channel: TwilioSms) -> float:
    results: SimpleQueue[SendResult] = SimpleQueue()
    messages = list(_messages())  # the reference has its bodies ready, too
    started = time.perf_counter()
    run = channel.open(iter(messages), results)
    run.done.wait()
    elapsed = time.perf_counter() - started
    assert run.error is None
    assert all(results.get().status is Status.ACCEPTED for _ in range(COUNT))
    return COUNT / elapsed


def _bare(url: str, bodies: list[bytes]) -> float:
    headers = {
        "Authorization": "Basic " + b64encode(f"{SID}:token".encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    async def post() -> float:
        left = iter(bodies)
        connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

            async def work() -> None:
                for body in left:
                    async with session.post(
                        f"{url}/2010-04-01/Accounts/{SID}/Messages.json", data=body
                    ) as response:
                        assert response.status == 201
                        await response.read()

            started = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
            return COUNT / (time.perf_counter() - started)

    return asyncio.run(post())


if __name__ == "__main__":
    for row in rows():
        print(row)
