"""Regions over HTTP: the tree in pages, a search by name or code, one region with its codes.

Thin views over `alerting.gazetteer`. Must not import the store. Invariant: nothing here changes a region.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response

from alerting.api import paging
from alerting.api.access import allow
from alerting.api.answers import RegionDetailAnswer, RegionsAnswer
from alerting.api.documented import refuses
from alerting.api.problems import Fault, Problem, Refused, invalid
from alerting.api.reading import ApiBlueprint
from alerting.api.schemas import RegionsQuery
from alerting.authoring.keys import Role
from alerting.gazetteer import reading

EVERY_ROLE = tuple(Role)

blp = ApiBlueprint(
    "regions", __name__, url_prefix="/api/v1", description="Places that can be warned and followed."
)


@blp.route("/regions", methods=["GET"])
@refuses(blp)
@blp.arguments(RegionsQuery, location="query")
@blp.response(200, RegionsAnswer, headers=paging.LINK)
@allow(*EVERY_ROLE)
def region_list(query: dict[str, Any]) -> Response:
    """Regions in order of code; all, those below a parent, or those whose name or code begins with `q`."""
    if "q" in query:
        found: reading.Page | None = reading.search(query["q"], limit=query["limit"])
    else:
        found = reading.listing(
            parent=query.get("parent"), after=paging.after_text(query) or "", limit=query["limit"]
        )
    if found is None:
        raise invalid([Fault("there is no region with this code: search by q", parameter="parent")])
    return paging.link_next(paging.written(RegionsAnswer(), found), found.next)


@blp.route("/regions/<code>", methods=["GET"])
@refuses(blp, 404)
@blp.response(200, RegionDetailAnswer)
@allow(*EVERY_ROLE)
def region_one(code: str) -> dict[str, Any]:
    """One region with its codes in every scheme that is known."""
    found = reading.detail(code)
    if found is None:
        raise Refused(Problem(404, f"there is no region {code}: search by /api/v1/regions?q=", "not-found"))
    return {
        **asdict(found.region),
        "geocodes": [{"scheme": scheme, "value": value} for scheme, value in found.geocodes],
        "has_geometry": found.has_geometry,
    }
