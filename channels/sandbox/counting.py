"""The sandbox's counting mode: bare asyncio protocols that keep one counter per recipient, and no more unless asked.

For benches and fault tests: what was lost or repeated is proven from outside the service, and the sink is never what is
measured. Must not import a library. Invariant: a recipient is counted before the reply that accepts it is written.

    python -m channels.sandbox.counting [--http-port N] [--smtp-port N] [--lookups] [--callbacks [sent,delivered]]

prints one line of JSON {http_url, smtp_url, pid} when it listens. GET /counts[?recipients=1], POST /reset, GET /cpu,
POST /sandbox/script (see script.py), POST and GET /sandbox/lookups and /sandbox/times. Callbacks are signed with TWILIO_AUTH_TOKEN.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal

from channels.sandbox.board import Board
from channels.sandbox.callbacks import Callbacks
from channels.sandbox.sinks import MailSink, SmsSink


async def serve(
    http_port: int, smtp_port: int, *, lookups: bool = False, words: tuple[str, ...] = ()
) -> None:
    """Listen on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    callbacks = Callbacks(os.environ.get("TWILIO_AUTH_TOKEN", "")) if words else None
    board, number, prefix = Board(callbacks, words), [0], secrets.token_hex(8).encode()
    if lookups:
        board.keep_texts()
    if callbacks is not None:
        callbacks.start()
    http = await loop.create_server(
        lambda: SmsSink(board, number, prefix), "127.0.0.1", http_port, backlog=4096
    )
    smtp = await loop.create_server(lambda: MailSink(board), "127.0.0.1", smtp_port, backlog=4096)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    urls = {
        "http_url": "http://127.0.0.1:%d" % http.sockets[0].getsockname()[1],  # noqa: UP031
        "smtp_url": "smtp://127.0.0.1:%d" % smtp.sockets[0].getsockname()[1],  # noqa: UP031
    }
    print(json.dumps({**urls, "pid": os.getpid()}), flush=True)
    await ended.wait()
    http.close()
    smtp.close()
    if callbacks is not None:
        await callbacks.stop()


def main() -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="python -m channels.sandbox.counting")
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument(
        "--lookups", action="store_true", help="keep every text, to be found in Messages.json"
    )
    parser.add_argument(
        "--callbacks", nargs="?", const="sent,delivered", default="", help="statuses to report"
    )
    given = parser.parse_args()
    words = tuple(word for word in given.callbacks.split(",") if word)
    asyncio.run(serve(given.http_port, given.smtp_port, lookups=given.lookups, words=words))


if __name__ == "__main__":
    main()
