"""A text as it leaves: frozen, with the hash that drain and tests compare.

Owns the framing of the hash. Imports only the standard library. Invariant: two texts with one hash are the same text in
the same places (subject, text, HTML).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmsLimits:
    """SMS segments that a text may cost in one language. Long link, place or sender name: a text may cost more."""

    gsm7: int = 3
    ucs2: int = 4
    #: Of a text in all languages; providers refuse more (Twilio: 1 600 characters, error 21617).
    all_languages: int = 10


@dataclass(frozen=True, slots=True)
class Issuer:
    """The authority in whose name a warning goes out.

    `default_language` is BCP 47, `time_zone` an IANA name, `base_url` the public address without a slash at its end.
    """

    name: str
    default_language: str
    time_zone: str
    base_url: str
    sms_limits: SmsLimits = SmsLimits()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text of one channel in one language; `segments` counts SMS segments and is 1 for other channels."""

    language: str  # BCP 47, or mul
    subject: str | None
    text: str
    html: str | None
    segments: int
    sha256: bytes


def freeze(
    language: str, *, text: str, subject: str | None = None, html: str | None = None, segments: int = 1
) -> Rendered:
    """The text with its hash."""
    return Rendered(language, subject, text, html, segments, content_hash(subject, text, html))


def content_hash(subject: str | None, text: str, html: str | None) -> bytes:
    """SHA-256 of the three parts, each with its length before it, so that no text can slide into another part."""
    digest = hashlib.sha256(b"alerting content 1\n")
    for part in (subject, text, html):
        if part is None:
            digest.update(b"-\n")
        else:
            octets = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d\n" % len(octets) + octets)
    return digest.digest()
