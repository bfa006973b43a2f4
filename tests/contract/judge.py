"""Twilio's judge: Prism, which answers by Twilio's own OpenAPI alone, and a clerk before it who keeps what was asked.

Prism judges types, formats, patterns and what is required (201 or 422), and lets names pass that the document does not
know: the clerk's record is compared with the document's names. Needs node, tests/judge/node_modules (`make setup-judge`)
and the folder `shared`. Invariant: neither server is reached from outside, and both end with the tests.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PRISM = Path(__file__).resolve().parents[1] / "judge/node_modules/@stoplight/prism-cli/dist/index.js"
FORM = "application/x-www-form-urlencoded"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"

#: Seconds that Prism may take to read 2 MB of OpenAPI on a busy machine; alone it takes under two.
START = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came and how Prism answered."""

    method: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    status: int
    answer: str


@dataclass(slots=True)
class Judge:
    """The clerk's address, what was asked since `forget`, and the names that the document knows."""

    url: str
    prism_port: int
    document: dict[str, Any]
    asked: list[Asked] = field(default_factory=list)

    def forget(self) -> None:
        self.asked.clear()

    def names(self, method: str) -> set[str]:
        """Names of form fields (POST) or query parameters (GET) of the Messages resource."""
        operation = self.document["paths"][MESSAGES][method.lower()]
        if method == "GET":
            return {each["name"] for each in operation["parameters"] if each["in"] == "query"}
        return set(operation["requestBody"]["content"][FORM]["schema"]["properties"])

    def unknown(self) -> set[str]:
        """Names in what was asked that the document does not know."""
        return {
            name
            for one in self.asked
            for name, _ in (one.query if one.method == "GET" else one.form)
            if name not in self.names(one.method)
        }

    def ask(self, method: str, path: str, body: str | None = None, media: str = FORM) -> int:
        """One request of a test's own making; Prism's status."""
        token = b64encode(b"AC:token").decode()
        headers = {"Authorization": f"Basic {token}"} | ({"Content-Type": media} if body is not None else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.prism_port, timeout=30)
        connection.request(method, path, body, headers)
        with connection.getresponse() as response:
            status = response.status
        connection.close()
        return status


def missing() -> str | None:
    """What this machine lacks for the judge; None when nothing."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not PRISM.is_file():
        return "Prism is not installed: make setup-judge"
    return None


@contextmanager
def sitting(document: Path, log: Path) -> Iterator[Judge]:
    """Prism and the clerk, for the length of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as told:
        prism = subprocess.Popen(
            ["node", PRISM, "mock", "--host", "127.0.0.1", "--port", str(port), document],
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(prism, port, log)
            judge = Judge("", port, json.loads(document.read_text(encoding="utf-8")))
            with _clerk(judge):
                yield judge
        finally:
            prism.terminate()
            prism.wait(10)


def _wait(prism: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if prism.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(
        "Prism does not listen: " + log.read_text(encoding="utf-8", errors="replace")[-2000:]
    )


@contextmanager
def _clerk(judge: Judge) -> Iterator[None]:
    """A server that passes every request on to Prism and keeps both sides."""

    class Clerk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection("127.0.0.1", judge.prism_port, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            judge.asked.append(
                Asked(
                    self.command,
                    tuple(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)),
                    tuple(parse_qsl(body.decode("ascii"), keep_blank_values=True)),
                    response.status,
                    answer.decode("utf-8", "replace"),
                )
            )
            self.send_response(response.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _pass_on  # noqa: N815  # the names that http.server looks for

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # http.server's name
            """Say nothing: the record is `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Clerk)
    server.daemon_threads = True
    judge.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
