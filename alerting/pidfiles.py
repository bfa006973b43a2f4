"""Which process a number means: a pidfile holds the pid and when that process started.

A pid alone is recycled; a pid with its start time is one process for ever. Everything that starts processes writes
these files, so that whoever comes after a kill -9 can find and stop what was left. Imports only the standard library.
Invariant: a process that did not write its start time into the file is never signalled.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process: its number and an opaque word for the moment at which it started."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """The process that has this number now; None when there is none, or only a zombie that nobody has waited for."""
    if pid <= 0:
        return None
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            # The command stands in brackets and may hold spaces and brackets itself: fields count from the last one.
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        if fields[0] in {"Z", "X"}:
            return None
        # Ticks since boot begin anew with each boot, so the boot is part of the name.
        boot = _BOOT.read_text(encoding="ascii").strip()[:8] if _BOOT.exists() else "0"
        return Identity(pid, f"{boot}-{fields[19]}")
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "/bin:/usr/bin")},
    ).stdout.split()
    if not listed or listed[0].startswith("Z"):
        return None
    return Identity(pid, "-".join(listed[1:]))


def alive(identity: Identity) -> bool:
    """Whether that very process, not a later one with its number, still runs."""
    return identify(identity.pid) == identity


def write(path: Path, pid: int) -> Identity:
    """Record the running process `pid`; raises ProcessLookupError when it has already ended."""
    identity = identify(pid)
    if identity is None:
        raise ProcessLookupError(f"process {pid} has ended")
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(f"{identity.pid} {identity.started}\n", encoding="ascii")
    new.replace(path)
    return identity


def recall(path: Path) -> Identity | None:
    """The process of which the file speaks, running or not; a torn or foreign file speaks of none."""
    try:
        pid, started = path.read_text(encoding="ascii").split()
        return Identity(int(pid), started)
    except (OSError, ValueError):
        return None


def read(path: Path) -> Identity | None:
    """The process of which the file speaks, if it still runs."""
    identity = recall(path)
    return identity if identity is not None and alive(identity) else None


def session_of(leader: Identity) -> list[Identity]:
    """The processes of the session that `leader` led, itself first; without /proc the leader alone.

    A kernel gives a number to nobody while a session carries it. So if another process has the leader's number now, the
    session has died out and is empty; if nobody has, whoever is in that session descends from the leader.
    """
    now = identify(leader.pid)
    if now is not None and now != leader:
        return []
    found = [leader] if now else []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (
                (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            )
        except OSError:
            continue
        if int(folder.name) != leader.pid and int(fields[3]) == leader.pid:
            member = identify(int(folder.name))
            if member is not None:
                found.append(member)
    return found


def send(identity: Identity, number: signal.Signals) -> bool:
    """Signal that very process; False when it has ended. Where the kernel has pidfds no recycling can slip between."""
    if hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"):
        try:
            handle = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            return False
        try:
            if not alive(identity):
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True
    if not alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def stop(identity: Identity, *, patience: float, first: signal.Signals = signal.SIGTERM) -> None:
    """End that process: `first`, then SIGKILL after `patience` seconds. Returns when it has gone."""
    if send(identity, first) and not gone(identity, patience):
        send(identity, signal.SIGKILL)
        gone(identity, 5.0)


def gone(identity: Identity, patience: float) -> bool:
    """Wait until that process has ended, at most `patience` seconds; a zombie has ended."""
    deadline = time.monotonic() + patience
    while True:
        if not alive(identity):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind (Linux), so that `bury` can wait for it.

    A container's first process often waits for nobody: daemons that we stopped would stay in the list of processes.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury(pid: int, patience: float = 2.0) -> None:
    """After a daemon has ended: take it out of the list of processes, or wait a little until its parent has."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            os.waitpid(pid, os.WNOHANG)  # it is ours where we adopt orphans
        except ChildProcessError:
            try:
                os.kill(pid, 0)
            except OSError:
                return
            if identify(pid) is not None:
                return  # the number is somebody else's by now
        time.sleep(0.02)
