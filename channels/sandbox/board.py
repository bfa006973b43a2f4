"""What the counting mode knows: counters, the script, the texts kept for look-ups, and the control paths that tell of them.

Standard library only. Invariant: with no rule, no look-ups and no callbacks asked for (`plain`), a message costs one
counter and nothing else.
"""

from __future__ import annotations

import json
import re
import resource as limits
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from channels.sandbox import resource
from channels.sandbox.callbacks import Callbacks
from channels.sandbox.script import Script, ScriptError, parse

_DELIVERY = re.compile(rb"delivery%3D([0-9A-Za-z._-]+)").search
_MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>\r]+)", re.IGNORECASE | re.MULTILINE).search
_PHRASES = {200: b"OK", 201: b"Created", 400: b"Bad Request", 404: b"Not Found", 429: b"Too Many Requests"}


class Counter:
    """Sends per recipient, as the recipient was written."""

    def __init__(self) -> None:
        self.sent: dict[bytes, int] = {}

    def add(self, recipient: bytes) -> None:
        self.sent[recipient] = self.sent.get(recipient, 0) + 1

    def totals(self, readable: Callable[[bytes], str] | None) -> dict[str, object]:
        """Received, distinct and repeated (received beyond the first of each); with `readable` each recipient too."""
        received = sum(self.sent.values())
        totals: dict[str, object] = {
            "received": received,
            "distinct": len(self.sent),
            "repeated": received - len(self.sent),
        }
        if readable is not None:
            totals["recipients"] = {readable(recipient): n for recipient, n in self.sent.items()}
        return totals


class Clocked(Counter):
    """A counter that also keeps when each came, in monotonic seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.times = array("d")

    def add(self, recipient: bytes) -> None:
        self.times.append(time.monotonic())
        super().add(recipient)


@dataclass(slots=True)
class Library:
    """Texts by recipient, for whoever asks whether one was taken: a text is kept once, each send of it as a number."""

    texts: dict[bytes, list[tuple[str, float, bytes, bool]]]  # as written -> (sid, at, form, sent on)
    asked: int = 0
    found: int = 0
    unanswered: int = 0  # look-ups that a rule refused or let hang
    deliveries: Counter = field(
        default_factory=Counter
    )  # of texts and mails, by the sender's own name of each

    def keep(self, recipient: bytes, sid: str, form: bytes, *, sent: bool) -> None:
        """Keep a text; its delivery is named by the status callback."""
        self.texts.setdefault(recipient, []).append((sid, time.time(), form, sent))
        named = _DELIVERY(form)
        if named is not None:
            self.deliveries.add(named[1])

    def keep_mail(self, mail: bytes) -> None:
        """Count a mail; its delivery is named by the Message-ID."""
        named = _MESSAGE_ID(mail)
        if named is not None:
            self.deliveries.add(named[1])

    def of(self, recipient: bytes | None, sid: str | None = None) -> list[resource.Text]:
        """What was sent to a recipient, or to everybody, the oldest first; `sid` picks one."""
        chosen = self.texts if recipient is None else {recipient: self.texts.get(recipient, [])}
        kept = [
            (number, one) for number, texts in chosen.items() for one in texts if sid is None or one[0] == sid
        ]
        return [_text(number, *one) for number, one in sorted(kept, key=lambda entry: entry[1][1])]


def _text(number: bytes, sid: str, at: float, form: bytes, sent: bool) -> resource.Text:
    fields = dict(parse_qsl(form.decode("ascii", "replace")))
    sender = fields.get("MessagingServiceSid") or fields.get("From", "")
    body, status = fields.get("Body", ""), "accepted" if sent else "queued"
    return resource.Text(sid, readable_number(number), sender, body, status, at, sent=sent)


class Board:
    """Everything that is asked and told over HTTP beside the texts themselves."""

    def __init__(self, callbacks: Callbacks | None = None, words: tuple[str, ...] = ()) -> None:
        self.sms = Counter()
        self.email = Counter()
        self.script = Script()
        self.library: Library | None = None
        self.callbacks = callbacks
        self.words = words  # statuses to report, in order
        self.plain = True  # a message is only counted; an attribute, for it is looked at once for each
        self.judge()

    def judge(self) -> None:
        """Look anew whether a message is only counted."""
        self.plain = not self.script.rules and self.library is None and self.callbacks is None

    def keep_texts(self) -> None:
        """Keep every text from now on, for look-ups."""
        self.library = self.library or Library({})
        self.judge()

    def reply(self, method: bytes, target: bytes, body: bytes) -> bytes:
        """The answer to a control request or a look-up."""
        path, _, query = target.partition(b"?")
        if method == b"GET" and b"/Messages" in path:
            return self._look_up(path.decode("ascii", "replace"), query.decode("ascii", "replace"))
        each = b"recipients=1" in query
        if (method, path) == (b"GET", b"/counts"):
            sms = self.sms.totals(readable_number if each else None)
            email = self.email.totals(readable_mailbox if each else None)
            return answer(200, {"sms": sms, "email": email})
        if (method, path) == (b"POST", b"/sandbox/times"):
            self.sms = Clocked()
            return answer(200, {})
        if (method, path) == (b"GET", b"/sandbox/times"):
            return answer(200, {"sms": list(self.sms.times) if isinstance(self.sms, Clocked) else []})
        if (method, path) == (b"GET", b"/cpu"):
            used = limits.getrusage(limits.RUSAGE_SELF)
            return answer(200, {"cpu_s": used.ru_utime + used.ru_stime})
        if (method, path) == (b"POST", b"/reset"):
            self._reset()
            return answer(200, {})
        if (method, path) == (b"POST", b"/sandbox/script"):
            return self._misbehave(body)
        if (method, path) == (b"POST", b"/sandbox/lookups"):
            self.keep_texts()
            return answer(200, {})
        if (method, path) == (b"GET", b"/sandbox/deliveries"):
            named = self.library.deliveries.sent if self.library is not None else {}
            return answer(200, {name.decode(): n for name, n in named.items()})
        if (method, path) == (b"GET", b"/sandbox/lookups"):
            kept = self.library or Library({})
            told = {"asked": kept.asked, "found": kept.found, "unanswered": kept.unanswered}
            return answer(200, told)
        return answer(
            404,
            {"message": "GET /counts, /cpu, /sandbox/lookups, /sandbox/times; POST /reset, /sandbox/script"},
        )

    def _reset(self) -> None:
        self.sms = type(self.sms)()
        self.email.sent.clear()
        self.script.rules.clear()
        self.library = None if self.library is None else Library({})
        if self.callbacks is not None:
            self.callbacks.forget()
        self.judge()

    def _misbehave(self, body: bytes) -> bytes:
        try:
            self.script.rules[:] = parse(json.loads(body))
        except (ScriptError, ValueError) as error:
            return answer(400, {"error": str(error)})
        self.judge()
        return answer(200, {"rules": len(self.script.rules)})

    def _look_up(self, path: str, query: str) -> bytes:
        """Messages.json?To=... or Messages/SM....json, of what is kept."""
        account = path.partition("/Accounts/")[2].partition("/")[0]
        if self.library is None:
            return answer(404, {"code": 20404, "message": "nothing is kept: POST /sandbox/lookups first"})
        if not path.endswith("/Messages.json"):
            sid = path.rpartition("/")[2].removesuffix(".json")
            found = self.library.of(None, sid)
            if not found:
                return answer(404, {"code": 20404, "message": "no such text", "status": 404})
            return answer(200, resource.message(account, found[0]))
        given = dict(parse_qsl(query))
        to = given.get("To")
        texts = self.library.of(None if to is None else _written(to))
        try:
            listed = resource.page(account, given, texts)
        except resource.BadQuery as error:
            return answer(400, {"code": 20001, "message": str(error), "status": 400})
        self.library.asked += 1
        self.library.found += bool(listed["messages"])
        return answer(200, listed)


def readable_number(form: bytes) -> str:
    """A telephone number as it stands in a form."""
    return unquote_plus(form.decode("ascii", "replace"))


def readable_mailbox(written: bytes) -> str:
    """A mailbox as it stands in an envelope."""
    return written.decode("utf-8", "replace")


def _written(number: str) -> bytes:
    return number.replace("+", "%2B").encode("ascii", "replace")


def answer(code: int, document: Mapping[str, object], more: bytes = b"") -> bytes:
    """A reply with a JSON body; `more` are header lines, each with its end."""
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        code,
        _PHRASES.get(code, b"-"),
        more,
        len(body),
        body,
    )
