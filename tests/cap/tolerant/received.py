"""Documents as they come in, made from one that is right: the one place where a test changes is what it is about."""

from __future__ import annotations

from alerting.cap.model import Alert
from alerting.cap.tolerant import Taken, read_tolerant
from alerting.cap.xml import read, write
from tests.cap import made

RIGHT = write(made.alert()).decode()


def taken(document: str | bytes) -> Taken:
    """The one alert of a document; what it was mended to is strict CAP."""
    octets = document if isinstance(document, bytes) else document.encode()
    (only,) = read_tolerant(octets, now=made.NOW).alerts
    assert only.document.alert is None or read(write(only.document.alert)).alert == only.document.alert
    return only


def changed(*pairs: tuple[str, str]) -> Taken:
    """The right document with texts replaced, each of which must be there."""
    document = RIGHT
    for old, new in pairs:
        assert old in document, old
        document = document.replace(old, new)
    return taken(document)


def alert(only: Taken) -> Alert:
    assert only.document.alert is not None, only.document.findings
    return only.document.alert


def mends(only: Taken) -> list[tuple[str, str]]:
    return [(mend.rule, mend.path) for mend in only.mended]


def rules(only: Taken) -> set[str]:
    return {mend.rule for mend in only.mended}
