"""email.vs_smtp_source: the e-mail adapter alone, templated, against Postfix's smtp-source, both into Postfix's smtp-sink.

Rates in messages/s, alternating in one run, with as many connections and as many bytes in a mail. The adapter makes each
mail (own headers, own envelope) while it sends; smtp-source sends one text again and again. smtp-source ends with an error
when a mail was refused, and of the adapter's every result is looked at. Both tools are found in PATH or in /usr/sbin.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bench import adapters
from channels.base import SendResult, Status
from channels.smtp_email import SmtpConfig, SmtpEmail
from channels.smtp_session import Mail

NAMES = ("email.vs_smtp_source",)

COUNT = 20_000
CONNECTIONS = 16
SAMPLES = 3
WHERE = f"{os.environ.get('PATH', '')}:/usr/sbin"
INSTALL = (
    "email.vs_smtp_source: not measured. smtp-source and smtp-sink are missing: they come with Postfix, which need not run "
    "(Debian, Ubuntu: DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends postfix)"
)


@dataclass(frozen=True, slots=True)
class Sink:
    """A smtp-sink on 127.0.0.1."""

    port: int
    pid: int

    def cpu(self) -> float:
        """CPU seconds that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows() -> list[dict[str, Any]]:
    """The row; it is void, and says what to install, where a tool is missing."""
    source, sink_tool = (shutil.which(name, path=WHERE) for name in ("smtp-source", "smtp-sink"))
    if source is None or sink_tool is None:
        print(INSTALL)
        return [_row([], None)]
    samples = []
    with _sink(sink_tool) as sink:
        adapter = SmtpEmail(
            SmtpConfig(
                f"smtp://127.0.0.1:{sink.port}", "Alerts <alerts@example.org>", connections=CONNECTIONS
            )
        )
        texts = adapters.contents("email")
        made = [adapter._prepare(message) for message in adapters.messages("email", len(texts), texts)]
        size = int(statistics.mean(len(mail.data) for mail in made if isinstance(mail, Mail)))
        for _ in range(SAMPLES):
            used, began = sink.cpu(), resource.getrusage(resource.RUSAGE_SELF)
            value = _adapter(adapter)
            ended = resource.getrusage(resource.RUSAGE_SELF)
            mine = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
            samples.append([value, _source(source, sink, size)])
            print(
                f"adapter {value:.0f}/s with {mine / COUNT * 1e6:.0f} us of CPU a mail, smtp-source {samples[-1][1]:.0f}/s;"
                f" {size} bytes each; the sink used {sink.cpu() - used:.1f} s for both"
            )
        adapter.close()
    return [_row(samples, statistics.median(sample[0] for sample in samples))]


def _adapter(adapter: SmtpEmail) -> float:
    results: SimpleQueue[SendResult] = SimpleQueue()
    messages = adapters.messages("email", COUNT, adapters.contents("email"))
    started = time.perf_counter()
    run = adapter.open(messages, results)
    run.done.wait()
    elapsed = time.perf_counter() - started
    assert run.error is None
    assert all(results.get().status is Status.ACCEPTED for _ in range(COUNT))
    return COUNT / elapsed


def _source(tool: str, sink: Sink, size: int) -> float:
    # -d keeps a connection for the next mail, -N numbers the recipients: as the adapter does.
    started = time.perf_counter()
    subprocess.run(
        [tool, "-d", "-N", "-s", str(CONNECTIONS), "-m", str(COUNT), "-l", str(size), "-f", "alerts@example.org",
         "-t", "p@example.org", f"127.0.0.1:{sink.port}"],
        check=True, timeout=300,
    )  # fmt: skip
    return COUNT / (time.perf_counter() - started)


@contextmanager
def _sink(tool: str) -> Iterator[Sink]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    # As root it demands somebody else to be.
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([tool, *who, f"127.0.0.1:{port}", "128"])
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield Sink(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _row(samples: list[list[float]], value: float | None) -> dict[str, Any]:
    return {
        "name": NAMES[0],
        "value": value,
        "unit": "messages/s",
        "reference": statistics.median(sample[1] for sample in samples) if samples else None,
        "goal": 0.25,
        "samples": samples,
    }


if __name__ == "__main__":
    for row in rows():
        print(row)
