"""W-05: the texts of IPAWS for telephones, where a document has them.

US-09 of the IPAWS profile judges their length in every document that names the profile; here it is judged in the others,
and in all of them the characters: IPAWS Tip 9 (December 2018) asks for straight quotes and apostrophes, since curly ones
and other symbols of word processors can make a delivery fail. Invariant: without the parameters nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import WARNING, Finding
from alerting.cap.model import Alert
from alerting.wording import sms
from alerting.wording.checks.texts import LONG, SHORT, cellular

_MOST: Final = {SHORT: 90, LONG: 360}
_PROFILE: Final = "ipawsv1.0"


def find(alert: Alert) -> Iterator[Finding]:
    """A warning for each text that is too long or has a character that telephones may not show."""
    named = any(code.strip().casefold() == _PROFILE for code in alert.code)
    for i, info in enumerate(alert.info):
        for place, name, text in cellular(info, i):
            length = len(" ".join(text.split()))
            if not named and length > _MOST[name]:
                yield Finding(
                    "W-05",
                    WARNING,
                    place,
                    f"{name} has {length} characters and WEA shows {_MOST[name]}: shorten it",
                )
            strange = dict.fromkeys(c for c in text if sms.encoding(c) is not sms.Encoding.GSM7)
            if strange and not _other_alphabet(strange):
                shown = " ".join(list(strange)[:8])
                yield Finding(
                    "W-05",
                    WARNING,
                    place,
                    f"{name} has characters beyond the telephones' basic alphabet ({shown}): "
                    "write straight quotes, plain dashes and plain letters",
                )


def _other_alphabet(strange: dict[str, None]) -> bool:
    """Letters beyond Latin or with the accents of Spanish are the language's own, and there is no plain way to write it."""
    return any(c.isalpha() and (ord(c) > 0x24F or c in "áíóúÁÍÓÚ") for c in strange)
