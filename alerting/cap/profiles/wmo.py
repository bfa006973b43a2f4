"""The guidelines of the World Meteorological Organization on issuing CAP: rules WMO-01 to WMO-04.

Owns the form of WMO object identifiers: 2.49.0.0 is an authority, 2.49.0.1 one of its alerts. Whether an authority is
in the WMO's register, and the signature, cannot be told from the document. Invariant: these are guidelines, and
only a malformed identifier or event code is ever an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert
from alerting.cap.profiles import demands
from alerting.cap.profiles.lists import listed
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import short

PROFILE: Final = Profile(
    "wmo",
    "WMO guidelines on CAP",
    "WMO alerting OIDs and Register of Alerting Authorities; checks of wmo-raf/cap-composer",
)
_rule = partial(rule, profile=PROFILE.name)

_URN = "urn:oid:"
# urn:oid:2.49.0.1.<ISO 3166 numeric>.<authority>.<the alert>; the last arc is the issuer's own text.
_ALERT = re.compile(r"2\.49\.0\.1\.([0-9]{1,3})\.([0-9]+)\.\S+")
_COUNTRY = re.compile(r"2\.49\.0\.1\.([0-9]{1,3})\.\S+")
_AUTHORITY = re.compile(r"2\.49\.0\.0\.([0-9]{1,3})\.([0-9]+)")
_OET = re.compile(r"OET-[0-9]{3}")


def _oid(text: str) -> str:
    return text.strip().removeprefix(_URN)


@_rule("WMO-01", clause="WMO alerting OID", severity=WARNING, publish=ERROR, needs=("identifier",))
def identifier_is_an_alert_oid(alert: Alert, _: Case) -> Iterator[Fault]:
    """The identifier is an object identifier of an alert, urn:oid:2.49.0.1 with country and authority."""
    oid = _oid(alert.identifier)
    form = f"{_URN}2.49.0.1.<country, ISO 3166 numeric>.<authority>.<alert>"
    if oid.startswith("2.49.0.0."):
        yield Fault(("identifier",), f"2.49.0.0 is an authority, an alert is 2.49.0.1: write {form}")
    elif not _COUNTRY.fullmatch(oid):
        yield Fault(("identifier",), f"the identifier is no alert of the WMO's tree: write {form}")
    elif not _ALERT.fullmatch(oid):
        yield Fault(("identifier",), f"the number of the authority is missing: write {form}", WARNING)
    elif not alert.identifier.strip().startswith(_URN):
        yield Fault(
            ("identifier",),
            f"an object identifier is a URI only with its scheme: put {_URN} before it",
            WARNING,
        )


@_rule(
    "WMO-02", clause="WMO Register of Alerting Authorities", severity=WARNING, needs=("sender", "identifier")
)
def sender_is_the_authority(alert: Alert, _: Case) -> Iterator[Fault]:
    """A sender that is an object identifier is the authority to which the identifier belongs."""
    sender = _oid(alert.sender)
    if not sender.startswith("2.49.0."):
        return
    authority = _AUTHORITY.fullmatch(sender)
    issued = _ALERT.fullmatch(_oid(alert.identifier))
    if authority is None:
        yield Fault(
            ("sender",),
            f"a sender is registered as {_URN}2.49.0.0.<country>.<authority>, two numbers: correct it",
        )
    elif issued is not None and issued.groups() != authority.groups():
        yield Fault(
            ("sender",),
            "the identifier belongs to another authority than the sender: make their numbers equal",
        )


@_rule("WMO-03", clause="WMO guidelines: info", severity=WARNING, needs=("expires", "senderName", "web"))
def recommended_by_the_wmo(alert: Alert, _: Case) -> Iterator[Fault]:
    """expires, senderName and web are there."""
    yield from demands.advised(alert, "expires", "senderName", "web")


@_rule("WMO-04", clause="OASIS Event Terms List", severity=WARNING, needs=("eventCode",))
def event_from_the_list(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has an event code of the OASIS list, and that list has it."""
    for i, info in enumerate(alert.info):
        codes = [(n, c) for n, c in enumerate(info.event_code) if c.value_name.strip().startswith("OET")]
        if not codes:
            yield Fault(
                ("info", i, "eventCode"),
                "name the event for machines: add an event code OET:v1.2 such as OET-079 (flash flood)",
            )
        for n, code in codes:
            value = code.value.strip()
            if not _OET.fullmatch(value):
                yield Fault(
                    ("info", i, "eventCode", n, "value"),
                    "a term of the OASIS list is OET and three digits, such as OET-079: correct it",
                    ERROR,
                )
            elif code.value_name.strip() == "OET:v1.2" and value not in listed("OET"):
                yield Fault(
                    ("info", i, "eventCode", n, "value"),
                    f"{short(value)} is not in version 1.2 of the OASIS list: take a term from it",
                    ERROR,
                )
