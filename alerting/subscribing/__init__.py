"""The citizen's use cases: subscribe, stop, erase, import, export, and what a text to our number asks for.

Owns these transactions. Uses the store, the words and the bell; must not import a channel's adapter or the web side.
Addresses come in as they were written and go out masked, but for the export. Invariant: whoever said STOP is sent nothing but
the answer to it, until the same person writes START or JOIN.

    SubscribingError
    ├── Refused         something asked for is wrong: `findings`, all of them, each with its JSON pointer
    └── FileRefused     the file as a whole cannot be imported: its heading or its encoding
"""

from __future__ import annotations

from alerting.store.addresses import AddressError, UnknownKey
from alerting.store.states import AddressState, Floor
from alerting.store.subscribers import HAZARDS
from alerting.subscribing.errors import FileRefused, Finding, Refused, SubscribingError
from alerting.subscribing.exporting import export
from alerting.subscribing.importing import Report, import_csv, lines_of
from alerting.subscribing.inbound import Outcome, Understood, inbound
from alerting.subscribing.people import Listed, Page, count, find, get, page
from alerting.subscribing.person import Erased, Record, erase, forget, readmit, record
from alerting.subscribing.rotation import Rotated, rotate
from alerting.subscribing.rows import RowFinding
from alerting.subscribing.subscribe import Stopped, Subscribed, examine, stop, subscribe
from alerting.subscribing.wishes import Follow, NewAddress, PointFollow, RegionFollow

__all__ = [
    "HAZARDS",
    "AddressError",
    "AddressState",
    "Erased",
    "FileRefused",
    "Finding",
    "Floor",
    "Follow",
    "Listed",
    "NewAddress",
    "Outcome",
    "Page",
    "PointFollow",
    "Record",
    "Refused",
    "RegionFollow",
    "Report",
    "Rotated",
    "RowFinding",
    "Stopped",
    "Subscribed",
    "SubscribingError",
    "Understood",
    "UnknownKey",
    "count",
    "erase",
    "examine",
    "export",
    "find",
    "forget",
    "get",
    "import_csv",
    "inbound",
    "lines_of",
    "page",
    "readmit",
    "record",
    "rotate",
    "stop",
    "subscribe",
]
