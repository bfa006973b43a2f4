"""An e-mail as bytes for the wire: the part that all recipients share is made once, the rest is a few lines.

Standard library only; the Date is an argument. Invariant: what comes out is 7-bit, dot-stuffed and ended for DATA
(RFC 5321, 4.5.2), and no value can add a header line.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from channels.base import Content

_POLICY = SMTP.clone(cte_type="7bit")
_LOCAL = re.compile(r"[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,\"]{1,64}").fullmatch
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE).fullmatch
_URL = re.compile(r"https?://[\x21-\x3b\x3d\x3f-\x7e]{1,900}").fullmatch
_ID = re.compile(r"[0-9A-Za-z._-]{1,100}").fullmatch


@dataclass(frozen=True, slots=True)
class Letter:
    """A Content ready to be sent: `tail` is headers, body and final dot, what precedes it is one recipient's own."""

    tail: bytes


def letter(content: Content, sender: Address) -> Letter:
    """Build the shared part: From, Subject, language, body (text, with HTML multipart/alternative)."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["Subject"] = " ".join((content.subject or "").split())
    # RFC 3834: no answering machine shall answer, and none shall wonder who wrote.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text)
    if content.html is not None:
        message.add_alternative(content.html, subtype="html")
        # Equal content gives equal bytes; the standard library's boundary is random.
        digest = hashlib.sha256(f"{content.text}\0{content.html}".encode("utf-8", "replace")).hexdigest()
        message.set_boundary(f"=_{digest[:32]}")
    # After set_content, which drops what begins with Content-.
    if content.language != "mul":
        message["Content-Language"] = content.language
    written = message.as_bytes(policy=_POLICY)
    if not written.endswith(b"\r\n"):
        written += b"\r\n"
    return Letter(written.replace(b"\r\n.", b"\r\n..") + b".\r\n")


def own_headers(to: str, message_id: str, date: str, unsubscribe: str | None) -> bytes:
    """The lines of one recipient, to stand before a Letter's tail. Raises ValueError for an unusable URL."""
    lines = f"To: <{to}>\r\nMessage-ID: <{message_id}>\r\nDate: {date}\r\n"
    if unsubscribe is not None:
        if not _URL(unsubscribe):
            raise ValueError("the unsubscribe URL is not an http(s) URL in ASCII")
        # RFC 8058: both lines, the POST answers without a question.
        lines += f"List-Unsubscribe: <{unsubscribe}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return lines.encode("utf-8")


def message_id(delivery: str, domain: str) -> str:
    """Deterministic (RFC 5322, 3.6.4), so that a repeated mail is recognised as the same one."""
    left = delivery if _ID(delivery) else hashlib.sha256(delivery.encode("utf-8", "replace")).hexdigest()[:40]
    return f"{left}@{domain}"


def mailbox(address: str) -> str | None:
    """The address as it is written in commands: domain in ASCII, quoted local parts refused; None if unusable.

    A local part beyond ASCII is kept: it needs a server with SMTPUTF8 (RFC 6531).
    """
    local, at, domain = address.rpartition("@")
    if (
        not at
        or not _LOCAL(local)
        or len(address) > 254
        or local[0] == "."
        or local[-1] == "."
        or ".." in local
    ):
        return None
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return f"{local}@{domain}" if _DOMAIN(domain) and len(domain) <= 253 else None
