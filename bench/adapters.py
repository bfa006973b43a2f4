"""The two adapters alone: what they carry when nobody plans, claims or records. A process for each.

    python -m bench.adapters CHANNEL COUNT

prints a line when it is ready and sends when it reads one. The texts are rendered here, once for each segment and language.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import SimpleQueue

from alerting import outlets
from alerting.cap import xml
from alerting.cap.segment import segments
from alerting.config import Settings
from alerting.wording import Issuer, render_all
from bench.machine import warning
from bench.population import LANGUAGES
from channels.base import Content, Message, SendResult


def contents(channel: str) -> list[Content]:
    """The texts of both segments in six languages."""
    alert = xml.read(warning(squares=2, rows=1, columns=3, now=datetime.now(UTC))).alert
    assert alert is not None
    issuer = Issuer("Riverside authority", "en", "UTC", "http://127.0.0.1")
    return [
        Content(text.text, text.language, text.subject, text.html, text.segments)
        for segment in segments(alert)
        for text in render_all(alert, segment, [channel], issuer, "http://127.0.0.1/w/abcdefgh").values()
        if text.language in LANGUAGES
    ]


def messages(channel: str, count: int, texts: list[Content]) -> Iterator[Message]:
    """As the drain makes them."""
    for i in range(count):
        to = f"+4915{i:09}" if channel == "sms" else f"p{i}@example.org"
        yield Message(i, f"1.{i}", to, texts[i % len(texts)], 3600.0, None if channel == "sms" else f"http://127.0.0.1/unsubscribe/t{i}")  # fmt: skip


def main() -> None:
    channel, count = sys.argv[1], int(sys.argv[2])
    adapter = outlets.channels_from(Settings.from_env())[channel]
    print("ready", flush=True)
    sys.stdin.readline()
    results: SimpleQueue[SendResult] = SimpleQueue()
    adapter.open(messages(channel, count, contents(channel)), results).done.wait()
    print("done", flush=True)


if __name__ == "__main__":
    main()
