"""Feeds and public pages as values and bytes: which segments are in force, for whom, in which words.

Imports CAP, the store, the words and the renderers `channels.rss` and `channels.web`; no framework. Owns its read
transactions and the storing of publications by the web lane. Invariant: nothing is served that has not passed the gate, and
nothing that is older than what is in force.
"""

from __future__ import annotations

from alerting.feeds.documents import MEDIA, Served, current_version, document, publish
from alerting.feeds.pages import CapDocument, Overview, WarningPage, cap_document, overview, saying, warning
from alerting.store.engine import DatabaseError as Unavailable
from alerting.store.publications import bump, wanted

__all__ = [
    "MEDIA",
    "CapDocument",
    "Overview",
    "Served",
    "Unavailable",
    "WarningPage",
    "bump",
    "cap_document",
    "current_version",
    "document",
    "overview",
    "publish",
    "saying",
    "wanted",
    "warning",
]
