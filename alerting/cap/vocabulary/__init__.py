"""Event vocabularies: what happened, in the codes and words of the lists that the world uses.

Owns the OASIS event terms, SAME, the Australian list, the Canadian and Taiwanese codes that alerts carry, and China's four
classes and four grades; finding one by code or by words, with its CAP categories and proposed response types. Imports
the CAP model, cap-oet and langcodes. Pure: the tables are code, built at first use; no file is opened.
"""

from alerting.cap.vocabulary.catalogue import SCHEMES
from alerting.cap.vocabulary.lookup import LARGEST_LIMIT, search, term
from alerting.cap.vocabulary.term import Instruction, Term

__all__ = ["LARGEST_LIMIT", "SCHEMES", "Instruction", "Term", "search", "term"]
