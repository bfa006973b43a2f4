"""Signed bytes as a tree, and parts of the tree in canonical form.

Owns a parser that keeps blanks, comments and processing instructions, for a signature covers them; else it is as hard as
that of `cap.xml`. Imports lxml. Invariant: nothing is put into canonical form whose namespaces or attributes have not been
counted: libxml2's time for it grows with their square (2 000 declarations on 30 000 elements take five minutes).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from typing import Final

from lxml import etree

from alerting.cap import hardened
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.schema import SIGNATURE_NAMESPACE
from alerting.cap.signature.algorithms import Form

SIGNATURE: Final = f"{{{SIGNATURE_NAMESPACE}}}Signature"

#: Documents known have at most 9 declarations; each Signature may bring a few.
_NAMESPACES: Final = 40
_ATTRIBUTES: Final = 20
_DOCTYPE: Final = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->|\xef\xbb\xbf)*+<!DOCTYPE", re.DOTALL)
_CROWDED: Final = etree.XPath(f"boolean(//*[count(@*) > {_ATTRIBUTES}])")
_TOO_MANY: Final = "take out what CAP has no use for"


class Unreadable(ValueError):
    """The bytes are not an XML document that is safe to look into; the text says why."""


_EXACT: Final = hardened.parser()
_TIGHT: Final = hardened.parser(drop_blank=True)


def parse(data: bytes, limits: Limits = LIMITS, *, drop_blank: bool = False) -> etree._ElementTree:
    """The document as received, or without the white space between its elements. Raises Unreadable."""
    if len(data) > limits.size:
        raise Unreadable(f"the document has {len(data)} bytes and {limits.size} are allowed: shorten it")
    if data.count(b"<") - data.count(b"</") > limits.elements:
        raise Unreadable(f"the document has more than {limits.elements} elements: split or shorten it")
    if _DOCTYPE.match(data):
        raise Unreadable("CAP has no DOCTYPE, and entities are never followed: take it out")
    try:
        tree = etree.fromstring(data, _TIGHT if drop_blank else _EXACT).getroottree()
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        reason = str(error).partition("\n")[0].partition(" (<string>")[0][:200]
        raise Unreadable(f"not well-formed XML: {reason}") from None
    if tree.docinfo.internalDTD is not None:  # in an encoding in which the bytes above did not show it
        raise Unreadable("CAP has no DOCTYPE, and entities are never followed: take it out")
    return tree


def crowded(tree: etree._ElementTree) -> str | None:
    """Why the document cannot be put into canonical form in reasonable time; None when it can."""
    # Written anew in UTF-8, whatever the encoding was: "xmlns" in a text may only make the count too high.
    if etree.tostring(tree, encoding="utf-8").count(b"xmlns") > _NAMESPACES:
        return f"the document declares more than {_NAMESPACES} namespaces: {_TOO_MANY}"
    if _CROWDED(tree):
        return f"an element has more than {_ATTRIBUTES} attributes: {_TOO_MANY}"
    return None


def canonical(element: etree._Element, form: Form, prefixes: Sequence[str]) -> bytes:
    """An element inside the document; raises lxml's C14NError, as for a relative namespace."""
    return _canonical(_alone(element), form, comments=form.comments, prefixes=prefixes)


def contents(
    tree: etree._ElementTree, without: Collection[int], form: Form, prefixes: Sequence[str]
) -> Iterator[bytes]:
    """The document without some Signature children of its root, given by their order; raises lxml's C14NError.

    Comments are never part of it: a Reference with URI="" leaves them out whatever the transforms say
    (XML-Signature, 4.4.3.3). Processing instructions beside the root are by the standard, and are not where alert alone was
    signed, as by signxml and so by WMO's composer, which puts a style sheet before it: then both forms are given.
    """
    copy = deepcopy(tree)
    root = copy.getroot()
    for n, signature in enumerate(root.findall(SIGNATURE)):
        if n in without:
            _remove(root, signature)
    yield _canonical(copy, form, comments=False, prefixes=prefixes)
    if root.getprevious() is not None or root.getnext() is not None:
        yield _canonical(_alone(root), form, comments=False, prefixes=prefixes)


def _alone(element: etree._Element) -> etree._ElementTree:
    """A document of one element, with the namespaces in its scope.

    Asked for an element inside a document, lxml works on a copy whose children still point at the namespaces of the original,
    and libxml2 then writes xmlns="" where there is a default namespace.
    """
    written: bytes = etree.tostring(element, encoding="utf-8", with_tail=False)
    return etree.fromstring(written, _EXACT).getroottree()


def _canonical(tree: etree._ElementTree, form: Form, *, comments: bool, prefixes: Sequence[str]) -> bytes:
    written: bytes = etree.tostring(
        tree,
        method="c14n",
        exclusive=form.exclusive,
        with_comments=comments,
        with_tail=False,
        inclusive_ns_prefixes=list(prefixes) if form.exclusive and prefixes else None,
    )
    return written


def _remove(root: etree._Element, signature: etree._Element) -> None:
    """Take an element out and leave the text behind it where it is."""
    tail = signature.tail or ""
    before = signature.getprevious()
    if before is None:
        root.text = (root.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    signature.tail = None
    root.remove(signature)
