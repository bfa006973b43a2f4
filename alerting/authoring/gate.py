"""The gate: what may be submitted at all, whom it may reach, and over which channels.

Architecture section 3. Pure. Only Actual, Public and one of Alert, Update, Cancel, Error reaches the public; Exercise and
Test reach exercise lists over addressed channels; Ack and System are recorded; Draft, Restricted and Private are refused.
The database holds the same gate (tables.PUBLIC_GATE). Invariant: what is not understood is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alerting.cap.findings import ERROR, WARNING, Finding
from alerting.cap.model import Alert, MsgType, Scope, Status
from alerting.store.states import CHANNELS, Audience, Workspace

#: Channels on which everybody can read: an exercise never takes them.
BROADCAST = frozenset({"rss", "web"})

#: What a BLOCKCHANNEL parameter (IPAWS; observed PUBLIC, EAS, CMAS, NWEM, CAPEXCH) closes here. PUBLIC is the public feed;
#: the others are systems that this service does not feed.
BLOCKED_BY = {
    "SMS": ("sms",),
    "EMAIL": ("email",),
    "RSS": ("rss",),
    "WEB": ("web",),
    "PUBLIC": ("rss", "web"),
    "EAS": (),
    "CMAS": (),
    "NWEM": (),
    "CAPEXCH": (),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """How a document passes: `omitted` are channels left out with the reason; `audience` None: recorded, never sent."""

    workspace: Workspace
    audience: Audience | None
    channels: tuple[str, ...]
    omitted: Mapping[str, str]
    findings: tuple[Finding, ...]


def passage(alert: Alert, omit: Mapping[str, str]) -> Passage:
    """Judge a document and the channels that are to be left out; nothing may leave when a finding is an error."""
    findings = [*_not_for_sending(alert), *_omissions(omit), *_unknown_blocks(alert)]
    actual = alert.status is Status.ACTUAL
    workspace = Workspace.LIVE if actual else Workspace.EXERCISE
    if alert.msg_type is MsgType.ACK or alert.status is Status.SYSTEM:
        return Passage(workspace, None, (), dict(omit), tuple(findings))
    omitted = {**_blocked(alert), **omit}
    channels = [name for name in CHANNELS if name not in omitted and (actual or name not in BROADCAST)]
    if not channels:
        findings.append(
            Finding("GATE", ERROR, ("omit",), "every channel is left out: nobody would be warned")
        )
    audience = Audience.PUBLIC if actual else Audience.EXERCISE
    return Passage(workspace, audience, tuple(channels), omitted, tuple(findings))


def _not_for_sending(alert: Alert) -> Iterator[Finding]:
    if alert.status is Status.DRAFT:
        yield Finding(
            "GATE",
            ERROR,
            ("status",),
            "a Draft is not for sending: submit it as Actual, Exercise or Test when it is ready",
        )
    if alert.scope is not Scope.PUBLIC:
        yield Finding(
            "GATE",
            ERROR,
            ("scope",),
            f"{alert.scope} messages need a list of their recipients, which this service does not keep yet: "
            "nothing but Public is taken",
        )


def _omissions(omit: Mapping[str, str]) -> Iterator[Finding]:
    for channel, reason in omit.items():
        if channel not in CHANNELS:
            known = ", ".join(CHANNELS)
            yield Finding(
                "GATE", ERROR, ("omit", channel), f"there is no channel {channel}: the channels are {known}"
            )
        elif not reason.strip():
            yield Finding(
                "GATE", ERROR, ("omit", channel), "leaving a channel out needs a reason: it is audited"
            )


def _blocks(alert: Alert) -> Iterator[tuple[int, int, str]]:
    for i, info in enumerate(alert.info):
        for k, parameter in enumerate(info.parameter):
            if parameter.value_name.strip().upper() == "BLOCKCHANNEL":
                yield i, k, parameter.value.strip().upper()


def _blocked(alert: Alert) -> dict[str, str]:
    """A channel that one info closes is closed for the whole document: a dispatch carries all its segments."""
    return {
        channel: f"BLOCKCHANNEL {value}"
        for _, _, value in _blocks(alert)
        for channel in BLOCKED_BY.get(value, ())
    }


def _unknown_blocks(alert: Alert) -> Iterator[Finding]:
    for i, k, value in _blocks(alert):
        if value not in BLOCKED_BY:
            known = ", ".join(BLOCKED_BY)
            place = ("info", i, "parameter", k)
            yield Finding(
                "GATE", WARNING, place, f"BLOCKCHANNEL {value} closes no channel here: known are {known}"
            )
