"""The body of a new subscription, judged whole: its form by the schema, its parts by the use case, in one answer.

Must not import the store. Invariant: what the schema refuses is told once, and every part whose form is good is judged even
where another's is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from alerting.api.problems import Fault, flatten, invalid
from alerting.api.reading import read_json
from alerting.api.schemas import AddressBody, FollowBody, SubscriberBody
from alerting.api.setting import now, settings
from alerting.subscribing import Floor, Follow, NewAddress, PointFollow, RegionFollow, examine


def read() -> Mapping[str, Any]:
    """The body as SubscriberBody loads it; raises Refused with 400, 415 or, with everything that is wrong, 422."""
    body = read_json()
    try:
        loaded: Mapping[str, Any] = SubscriberBody().load(body)
    except ValidationError as error:
        structure = [Fault(detail, pointer) for pointer, detail in flatten(error.messages)]
        told = {fault.pointer for fault in structure}
        good = error.valid_data if isinstance(error.valid_data, dict) else {}
        raise invalid(
            [*structure, *(fault for fault in _further(body, good) if fault.pointer not in told)]
        ) from error
    return loaded


def follow(body: Mapping[str, Any]) -> Follow:
    """A follow as FollowBody loads it."""
    floor = Floor[body["floor"].upper()]
    if "region" in body:
        return RegionFollow(body["region"], floor, body["hazards"])
    return PointFollow(body["lat"], body["lon"], floor, body["hazards"])


def address(body: Mapping[str, Any]) -> NewAddress:
    """An address as AddressBody loads it."""
    return NewAddress(body["channel"], body["address"])


def _further(body: Any, good: Mapping[str, Any]) -> list[Fault]:
    """What the use case says of the parts whose form is good."""
    written = body if isinstance(body, dict) else {}
    found = examine(
        language=good.get("language"),
        follows=[
            None if each is None else follow(each) for each in _loaded(FollowBody, written.get("follows"))
        ],
        addresses=[
            None if each is None else address(each) for each in _loaded(AddressBody, written.get("addresses"))
        ],
        consent_at=good.get("consent_at"),
        external_id=good.get("external_id"),
        settings=settings(),
        now=now(),
    )
    return [Fault(f"{each.problem}: {each.mend}", each.pointer) for each in found]


def _loaded(schema: type[FollowBody | AddressBody], items: Any) -> list[Mapping[str, Any] | None]:
    """Each item as the schema loads it, None in the place of one that it refuses."""
    loaded: list[Mapping[str, Any] | None] = []
    for item in items if isinstance(items, list) else []:
        try:
            loaded.append(schema().load(item))
        except ValidationError:
            loaded.append(None)
    return loaded
