"""Lists in pages: an opaque cursor in, a Link header (RFC 8288) out.

Owns the two query parameters of every list and the form of the cursor. Invariant: a row is on exactly one page of a walk,
whatever is added meanwhile, because the cursor is the place of the last row and not a count.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request
from marshmallow import Schema, fields, validate

from alerting.api.problems import Fault, invalid

DEFAULT = 50
MOST = 500


class PageQuery(Schema):
    """What every list takes."""

    cursor = fields.String(
        metadata={"description": "Where the page begins: taken from the `Link` header of the page before."}
    )
    limit = fields.Integer(
        load_default=DEFAULT,
        validate=validate.Range(1, MOST, error=f"a page has 1 to {MOST} rows"),
        metadata={"description": "Rows of one page."},
    )


#: The header that lists document.
LINK = {
    "Link": {
        "description": 'The next page, as `<...>; rel="next"` (RFC 8288); absent on the last one.',
        "schema": {"type": "string"},
    }
}


def after_number(query: dict[str, Any]) -> int | None:
    """The number in the cursor; None for the first page; 422 for a cursor that we did not make."""
    written = after_text(query)
    if written is None:
        return None
    if not written.isdecimal() or len(written) > 18:
        raise _foreign()
    return int(written)


def after_text(query: dict[str, Any]) -> str | None:
    """The text in the cursor; None for the first page; 422 for a cursor that we did not make."""
    cursor = query.get("cursor")
    if cursor is None:
        return None
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        written = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise _foreign() from error
    if not written.isprintable():
        raise _foreign()
    return written


def _foreign() -> Exception:
    return invalid([Fault("not a cursor of ours: take it from the Link header", parameter="cursor")])


def cursor_of(place: object) -> str:
    return base64.urlsafe_b64encode(str(place).encode("utf-8")).rstrip(b"=").decode("ascii")


def link_next(response: Response, place: object | None) -> Response:
    """Add the link to the rows behind `place`; none when it is None. The other parameters of the query stay."""
    if place is not None:
        pairs: Sequence[tuple[str, str]] = [
            *((name, value) for name, value in request.args.items(multi=True) if name != "cursor"),
            ("cursor", cursor_of(place)),
        ]
        response.headers["Link"] = f'<{request.path}?{urlencode(pairs)}>; rel="next"'
    return response


def written(schema: Schema, found: object) -> Response:
    """The answer by its schema, as a response to which a header can be added."""
    response: Response = jsonify(schema.dump(found))
    return response
