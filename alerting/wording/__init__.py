"""A segment in words: SMS, e-mail and feed summary, in the languages of the document; and the answers to citizens.

Pure: imports `alerting.cap`, Jinja, Babel and langcodes, never Flask or the store; no clock, no database. Nothing is
translated by machine: CAP texts stay as written, fixed phrases come from the catalogues in `alerting/locale`.
Invariant: equal input gives equal bytes, and every text carries the hash by which it is known later.
"""

from __future__ import annotations

from alerting.wording.language import MUL, choose
from alerting.wording.notices import Answer, notice
from alerting.wording.render import render, render_all
from alerting.wording.rendered import Issuer, Rendered, SmsLimits, content_hash

__all__ = [
    "MUL",
    "Answer",
    "Issuer",
    "Rendered",
    "SmsLimits",
    "choose",
    "content_hash",
    "notice",
    "render",
    "render_all",
]
