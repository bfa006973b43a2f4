"""The rules of resource, section 3.2.3: supplementary files, linked or carried along.

Owns R-01 to R-06. A carried file is decoded once per rule that looks into it, which no real document does twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert
from alerting.cap.rules.registry import Case, Fault, rule

_TOKEN: Final = r"[A-Za-z0-9!#$&^_.+\-]{1,127}"  # noqa: S105 - a token of RFC 2045, no secret
_MIME: Final = re.compile(rf"{_TOKEN}/{_TOKEN}(?:\s*;.*)?", re.DOTALL)
_TYPES: Final = frozenset(  # IANA's register of media types, 2025
    {
        "application",
        "audio",
        "example",
        "font",
        "haptics",
        "image",
        "message",
        "model",
        "multipart",
        "text",
        "video",
    }
)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.")
_SHA1: Final = re.compile(r"[0-9A-Fa-f]{40}")


def _content(deref_uri: str) -> bytes | None:
    try:
        return base64.b64decode("".join(deref_uri.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


@rule("R-01", clause="3.2.3", severity=ERROR, about="resources")
def resource_says_what_it_is(_: Alert, case: Case) -> Iterator[Fault]:
    """resourceDesc is not blank and mimeType is type/subtype; an unregistered type is a warning."""
    for place, resource in case.resources:
        if not resource.resource_desc.strip():
            yield Fault((*place, "resourceDesc"), "resourceDesc is blank: say what the file shows")
        mime_type = resource.mime_type.strip()
        if _MIME.fullmatch(mime_type) is None:
            yield Fault(
                (*place, "mimeType"), "mimeType is not type/subtype of RFC 2046: write one such as image/png"
            )
        elif mime_type.partition("/")[0].lower() not in _TYPES:
            yield Fault(
                (*place, "mimeType"), "no such type is registered: write one such as image/png", WARNING
            )


@rule("R-02", clause="3.2.3", severity=ERROR, about="resources")
def size_is_told(_: Alert, case: Case) -> Iterator[Fault]:
    """size is not negative; a linked file without it is a warning."""
    for place, resource in case.resources:
        if resource.size is not None and resource.size < 0:
            yield Fault((*place, "size"), "size is negative: give the number of bytes")
        elif resource.size is None and resource.uri:
            yield Fault(
                (*place, "size"), "size is missing: give the number of bytes of the linked file", WARNING
            )


@rule("R-03", clause="3.2.3", severity=ERROR, needs=("uri", "derefUri"), about="resources")
def uri_can_be_followed(_: Alert, case: Case) -> Iterator[Fault]:
    """uri is absolute, or derefUri holds what it names."""
    for place, resource in case.resources:
        uri = resource.uri
        if uri is not None and _ABSOLUTE.match(uri) is None and not resource.deref_uri:
            yield Fault(
                (*place, "uri"),
                "a relative uri names the content of derefUri, which is missing: write it whole",
            )


@rule("R-04", clause="3.2.3", severity=ERROR, needs=("uri", "derefUri"), about="resources")
def carried_file_is_base64(_: Alert, case: Case) -> Iterator[Fault]:
    """derefUri is base-64 text; one without a uri beside it is a warning."""
    for place, resource in case.resources:
        if resource.deref_uri is None:
            continue
        if not _content(resource.deref_uri):
            yield Fault(
                (*place, "derefUri"), "derefUri is not the base-64 text of a file: encode it or take it out"
            )
        elif not resource.uri:
            yield Fault(
                (*place, "derefUri"), "only one-way links take a carried file: give a uri as well", WARNING
            )


@rule("R-05", clause="3.2.3", severity=WARNING, needs=("digest", "derefUri"), about="resources")
def digest_is_the_files(_: Alert, case: Case) -> Iterator[Fault]:
    """digest is the SHA-1 of the carried file (of its bytes or of its base-64 text)."""
    for place, resource in case.resources:
        if resource.digest is None:
            continue
        digest = resource.digest.strip()
        if _SHA1.fullmatch(digest) is None:
            yield Fault((*place, "digest"), "digest is not a SHA-1: write its 40 hexadecimal digits")
        elif resource.deref_uri and not _is_digest(digest.lower(), resource.deref_uri):
            yield Fault((*place, "digest"), "digest is not the SHA-1 of the carried file: compute it again")


def _is_digest(digest: str, deref_uri: str) -> bool:
    """Pelmorex takes the digest of the base-64 text instead of the bytes: both count (R-05)."""
    texts = (_content(deref_uri) or b"", deref_uri.encode(), "".join(deref_uri.split()).encode())
    return any(hashlib.sha1(text, usedforsecurity=False).hexdigest() == digest for text in texts)


@rule("R-06", clause="3.2.3", severity=WARNING, needs=("uri", "derefUri"), about="resources")
def resource_leads_somewhere(_: Alert, case: Case) -> Iterator[Fault]:
    """A resource has a uri or derefUri."""
    for place, resource in case.resources:
        if not resource.uri and not resource.deref_uri:
            yield Fault(place, "the resource has neither uri nor derefUri: give one, or take it out")
