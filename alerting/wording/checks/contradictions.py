"""W-03: words that contradict the status, and an exercise that does not say so.

A drill that goes out as real, and "this is not a drill" in a drill, are errors: they block until an approver overrides them
by name. Cancel and Error are let pass, whatever they say: a correction of a test must never wait for anybody.
Invariant: one finding for each text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import ERROR, WARNING, Finding, Place
from alerting.cap.model import Alert, MsgType, Status
from alerting.cap.segment import canonical_language
from alerting.wording.checks import drills
from alerting.wording.checks.identify import group
from alerting.wording.checks.texts import said

_JUDGED: Final = frozenset({MsgType.ALERT, MsgType.UPDATE})
_UNREAL: Final = frozenset({Status.EXERCISE, Status.TEST})

#: The language of a note is nobody's claim.
_ENGLISH: Final = "en"


def find(alert: Alert) -> Iterator[Finding]:
    """Contradictions, errors all; and a warning for each info of an exercise or a test that does not say so."""
    if alert.msg_type not in _JUDGED:
        return
    if alert.status is Status.ACTUAL:
        yield from _drills_sent_as_real(alert)
    elif alert.status in _UNREAL:
        yield from _drills_said_to_be_real(alert)
        yield from _unsaid(alert)


def _texts(alert: Alert) -> Iterator[tuple[Place, str, str]]:
    """Place, text and group of languages of all that people read."""
    if alert.note:
        yield ("note",), alert.note, _ENGLISH
    for i, info in enumerate(alert.info):
        language = _group(info.language)
        for place, text in said(info, i):
            yield place, text, language


def _group(tag: str | None) -> str:
    return group(canonical_language(tag).split("-")[0])


def _drills_sent_as_real(alert: Alert) -> Iterator[Finding]:
    for place, text, language in _texts(alert):
        found = drills.words(text, language)
        if found:
            yield Finding(
                "W-03", ERROR, place,
                f"{_shown(found)} contradicts the status Actual: send it as Exercise or Test, or change the words, "
                "or let who approves override this with a reason",
            )  # fmt: skip


def _drills_said_to_be_real(alert: Alert) -> Iterator[Finding]:
    for place, text, language in _texts(alert):
        found = drills.denials(text, language)
        if found:
            yield Finding(
                "W-03", ERROR, place,
                f"{_shown(found)} contradicts the status {alert.status}: take the words out, "
                "or let who approves override this with a reason",
            )  # fmt: skip


def _unsaid(alert: Alert) -> Iterator[Finding]:
    if alert.note and _says_so(alert.note, _ENGLISH):
        return
    for i, info in enumerate(alert.info):
        language = _group(info.language)
        if (
            language != _ENGLISH
            and drills.tongues(language) is drills.EVERYWHERE
            and language not in {"zh", "ja", "ko"}
        ):
            continue  # no word of this language is known here
        if not any(_says_so(text, language) for _, text in said(info, i)):
            yield Finding(
                "W-03", WARNING, ("info", i, "headline"),
                f"the status is {alert.status} and no text of this info says so: begin the headline with it",
            )  # fmt: skip


def _says_so(text: str, language: str) -> bool:
    return bool(drills.words(text, language)) or drills.hints(text)


def _shown(found: tuple[str, ...]) -> str:
    return ", ".join(f'"{each}"' for each in found[:4])
