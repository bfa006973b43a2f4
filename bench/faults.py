"""The faults of `make chaos`: what can be done to a running service, and how it is mended after.

Owns the catalogue; each fault says what it did and returns when and how it ends. Invariant: a fault never touches what was
not started for this run.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from alerting import pidfiles
from bench.parts import Parts
from bench.servers import OwnServers
from channels.sandbox.process import CountingProcess

#: What the provider does to us: rules for the sandbox (channels/sandbox/script.py).
PROVIDER: dict[str, tuple[dict[str, object], ...]] = {
    "loses replies": (
        {"channel": "sms", "drop": True, "share": 0.2},
        {"channel": "email", "drop": True, "share": 0.02},
    ),
    "hangs": (
        {"channel": "sms", "hang": True, "share": 0.1},
        {"channel": "sms", "hang": True, "drop": True, "share": 0.1},
        {"channel": "email", "hang": True, "stage": "mail", "share": 0.05},
        {"channel": "email", "hang": True, "drop": True, "share": 0.02},
        {"channel": "email", "hang": True, "stage": "connect", "share": 0.5},
    ),
    "throttles": (
        {"channel": "sms", "http": 429, "code": 20429, "share": 0.6, "retry_after": 1},
        {"channel": "email", "reply": "452 4.3.1 later", "share": 0.3},
    ),
    "fails": (
        {"channel": "sms", "http": 503, "code": 20503},
        {"channel": "email", "reply": "421 4.3.2 bye", "stage": "connect"},
    ),
    "is slow": (
        {"channel": "sms", "latency": 2.0, "share": 0.5},
        {"channel": "email", "latency": 1.0, "share": 0.5},
    ),
    "forgets by a gateway": ({"channel": "sms", "http": 504, "share": 0.3},),
    "reports twice, late and backwards": (
        {"channel": "sms", "callback_times": 2, "callback_delay": 2.0, "callback_reversed": True},
    ),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """When a fault is over, in seconds from its beginning, and what mends it."""

    after: float
    mend: Callable[[], object]


@dataclass(slots=True)
class Faults:
    """What may be done to one running service."""

    parts: Parts
    servers: OwnServers
    provider: CountingProcess
    dice: random.Random

    def strike(self) -> tuple[str, Ending]:
        """Do one of them."""
        kinds: list[tuple[float, Callable[[], tuple[str, Ending]]]] = [
            (4, self._kill_worker),
            (4, self._kill_horse),
            (2, self._stop_worker),
            (1, self._kill_planner),
            (1, self._kill_sweep),
            (1, self._kill_web),
            (1, self._empty_valkey),
            (1, self._kill_valkey),
            (2, self._restart_postgres),
            (5, self._provider),
        ]
        return self.dice.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]()

    def _kill(self, name: str) -> tuple[str, Ending]:
        if name in self.parts.running:
            self.parts.signal(name, signal.SIGKILL)
        return f"{name} killed", Ending(self.dice.uniform(0.2, 2), lambda: self._again(name))

    def _again(self, name: str) -> None:
        if name not in self.parts.running:
            self.parts.again(name)

    def _kill_worker(self) -> tuple[str, Ending]:
        return self._kill(self.dice.choice(["sms", "sms 2", "email"]))

    def _kill_planner(self) -> tuple[str, Ending]:
        return self._kill("plan")

    def _kill_sweep(self) -> tuple[str, Ending]:
        return self._kill("sweep")

    def _kill_web(self) -> tuple[str, Ending]:
        return self._kill("http")

    def _kill_horse(self) -> tuple[str, Ending]:
        name = self.dice.choice(["sms", "sms 2", "email", "plan"])
        killed = name in self.parts.running and [
            pidfiles.send(horse, signal.SIGKILL) for horse in self.parts.horses(name)
        ]
        return f"horse of {name} killed" if killed else "no horse to kill", Ending(0, lambda: None)

    def _stop_worker(self) -> tuple[str, Ending]:
        name = self.dice.choice(["sms", "sms 2", "email"])
        seconds = self.dice.uniform(3, 22)
        if name in self.parts.running:
            self.parts.signal(name, signal.SIGSTOP)
        return f"{name} stopped for {seconds:.0f} s", Ending(seconds, lambda: self._continue(name))

    def _continue(self, name: str) -> None:
        if name in self.parts.running:
            self.parts.signal(name, signal.SIGCONT)

    def _empty_valkey(self) -> tuple[str, Ending]:
        self.servers.empty_valkey()
        return "Valkey emptied", Ending(0, lambda: None)

    def _kill_valkey(self) -> tuple[str, Ending]:
        seconds = self.dice.uniform(0.5, 8)
        self.servers.kill_valkey()
        return f"Valkey down for {seconds:.0f} s", Ending(seconds, self.servers.start_valkey)

    def _restart_postgres(self) -> tuple[str, Ending]:
        how = self.dice.choice([signal.SIGINT, signal.SIGQUIT])
        seconds = self.dice.choice([0.0, 2.0, 14.0])
        self.servers.stop_postgres(how)
        return f"PostgreSQL down for {seconds:.0f} s ({how.name})", Ending(
            seconds, self.servers.start_postgres
        )

    def _provider(self) -> tuple[str, Ending]:
        name = self.dice.choice(sorted(PROVIDER))
        seconds = self.dice.uniform(3, 15)
        self.provider.misbehave(*PROVIDER[name])
        return f"provider {name} for {seconds:.0f} s", Ending(seconds, self.provider.misbehave)
