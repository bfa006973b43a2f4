"""The figures of this installation for Prometheus: read from the database by whichever process is asked.

Imports the store and the health check, never Flask. Every web process gives the same answer, since nothing but requests not
yet written down stands in a process alone; one of them is to be scraped. Invariant: no label comes from a person, an address
or a document, and looking costs the database a few milliseconds each `KEPT` seconds, whoever asks how often.
"""

from __future__ import annotations

from alerting.metrics.exposition import CONTENT_TYPE, Exposition
from alerting.metrics.traffic import Traffic

__all__ = ["CONTENT_TYPE", "Exposition", "Traffic"]
