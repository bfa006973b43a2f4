"""The sandbox from the command line; prints one line of JSON {http_url, smtp_url, pid} when it listens.

    python -m channels.sandbox --account-sid AC... [--http-port N] [--smtp-port N] [--callbacks [sent,delivered]]

The auth token is read from TWILIO_AUTH_TOKEN, since arguments show in the list of processes. Ends on SIGTERM and SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from channels.sandbox.script import ScriptError, parse
from channels.sandbox.server import PortTaken, Sandbox, SandboxConfig


def main() -> int:
    """Serve until a signal; 1 when a port is taken, 2 for unusable arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m channels.sandbox", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--account-sid", required=True)
    parser.add_argument(
        "--auth-token", default=os.environ.get("TWILIO_AUTH_TOKEN"), help="default: TWILIO_AUTH_TOKEN"
    )
    parser.add_argument(
        "--callbacks", nargs="?", const="sent,delivered", default="", help="statuses to report"
    )
    parser.add_argument("--inbound-url", help="where texts from citizens are posted to")
    parser.add_argument("--script", type=Path, help="JSON file of rules, see channels/sandbox/script.py")
    given = parser.parse_args()
    if not given.auth_token:
        parser.error("set TWILIO_AUTH_TOKEN or give --auth-token")
    try:
        rules = parse(json.loads(given.script.read_text("utf-8"))) if given.script else []
    except (OSError, ValueError, ScriptError) as error:
        parser.error(f"--script: {error}")
    config = SandboxConfig(
        account_sid=given.account_sid,
        auth_token=given.auth_token,
        http_port=given.http_port,
        smtp_port=given.smtp_port,
        callbacks=tuple(word for word in given.callbacks.split(",") if word),
        inbound_url=given.inbound_url,
    )
    endings = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)  # before any thread starts, so that sigwait gets them
    try:
        with Sandbox(config) as sandbox:
            sandbox.misbehave(*rules)
            ready = {"http_url": sandbox.http_url, "smtp_url": sandbox.smtp_url, "pid": os.getpid()}
            print(json.dumps(ready), flush=True)
            signal.sigwait(endings)
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
