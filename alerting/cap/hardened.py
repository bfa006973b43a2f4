"""The one way in which bytes of others become an XML tree: no entity, no DTD, no network, no endless tree.

Imports lxml alone. Must be what every reader of the package parses with. Invariant: nothing outside the bytes is ever
looked at, and nothing inside them grows. Sizes and DOCTYPEs are the readers' to refuse, each in its own words.
"""

from __future__ import annotations

from lxml import etree


def parser(*, comments: bool = True, drop_blank: bool = False) -> etree.XMLParser:
    """A parser that keeps comments and processing instructions, and the blank text between elements, or drops them."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=not comments,
        remove_pis=not comments,
        remove_blank_text=drop_blank,
    )
