"""Old algorithms, missing keys, two signatures, indentation, and documents made to cost time."""

from __future__ import annotations

import re
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from alerting.cap.signature import (
    Coverage,
    Unreadable,
    examine,
    findings,
    verify,
)
from tests.cap.certified import AT, authority, office, old_office, owner, private
from tests.cap.signed import (
    DOCUMENT,
    resigned,
    signature_of,
    signed,
    trusted,
    verdict,
    with_certificate,
)

# ---- old and odd ----


def test_sha1_fits_and_is_not_trusted() -> None:
    key = old_office().private
    assert isinstance(key, rsa.RSAPrivateKey)
    data = signed(old_office()).replace(b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1")
    data = resigned(data, key, hashes.SHA1())  # noqa: S303 - what is tested
    assert examine(data)[0].fits
    found = verdict(data)
    assert (found.verdict, found.algorithm, "SHA-1" in found.message) == ("untrusted", "rsa-sha1", True)


def test_a_short_key_is_not_trusted_though_it_is_certified() -> None:
    key = private("rsa1024")
    data = resigned(signed(old_office()), key, hashes.SHA256())
    data = with_certificate(data, owner("office", issuer=authority(), key=key).certificate)
    found = verdict(data)
    assert (found.verdict, "1024 bits" in found.message) == ("untrusted", True)


def test_a_bare_key_is_no_identity_but_a_pinned_certificate_may_stand_in_for_a_missing_one() -> None:
    data = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", signed(), flags=re.DOTALL)
    assert verdict(data, office()).verdict == "valid"
    assert verdict(data).verdict == "invalid"
    (found,) = verify(data, (), at=AT)
    assert (found.verdict, found.subject) == ("unsupported", None)


def test_an_indented_document_is_invalid_and_told_why() -> None:
    tight = etree.fromstring(DOCUMENT, etree.XMLParser(remove_blank_text=True))
    data = signed(document=etree.tostring(tight))
    assert verdict(data).verdict == "valid"
    root = etree.fromstring(data)
    etree.indent(root)
    found = verdict(etree.tostring(root))
    assert (found.verdict, "white space" in found.message) == ("invalid", True)
    next(root.iter("{*}event")).text = "Drought"
    assert "white space" not in verdict(etree.tostring(root)).message


def test_two_signatures_over_the_alert_without_both_are_tolerated() -> None:
    first, second = signed(office()), signed(old_office())
    both = first.replace(b"</alert>", signature_of(second) + b"</alert>")
    assert [each.coverage for each in examine(both)] == [Coverage.LATER, Coverage.ALL]
    found = verify(both, trusted(authority()), at=AT)
    assert [(each.verdict, each.algorithm) for each in found] == [
        ("valid", "ecdsa-sha256"),
        ("valid", "rsa-sha256"),
    ]
    broken = both.replace(b"The river rises", b"The river falls")
    assert {each.verdict for each in verify(broken, trusted(authority()), at=AT)} == {"invalid"}
    crowd = first.replace(b"</alert>", signature_of(second) * 4 + b"</alert>")
    (one,) = verify(crowd, trusted(authority()), at=AT)
    assert (one.verdict, "more than 4" in one.message) == ("unsupported", True)


def test_a_style_sheet_put_before_a_signed_alert_does_not_break_it() -> None:
    data = signed().replace(b"<alert", b'<?xml-stylesheet href="x.xsl"?><alert', 1)
    assert verdict(data).verdict == "valid"


def test_findings_report_and_never_refuse() -> None:
    assert findings(signed(), trusted(authority()), AT) == ()
    assert findings(DOCUMENT, (), AT) == ()
    (found,) = findings(signed(), (), AT)
    assert (found.rule, found.severity, found.path) == ("S-02", "warning", "/alert/Signature[1]")
    assert "untrusted" in found.message


# ---- hostile ----


def test_hostile_documents_cost_little() -> None:
    template = signed()
    many = b" ".join(b"xmlns:n%d='urn:%d'" % (n, n) for n in range(1000))
    cases = {
        "namespaces": template.replace(b"<info>", b"<info %b>" % many + b"<a/>" * 20_000, 1),
        "attributes": template.replace(
            b"<info>", b"<info %b>" % b" ".join(b"a%d='x'" % n for n in range(50_000)), 1
        ),
        "prefixes": template.replace(
            b'<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
            b'<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
            b'<i:InclusiveNamespaces xmlns:i="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="'
            + b"a " * 500_000
            + b'"/></ds:CanonicalizationMethod>',
        ),
        "signatures": template.replace(b"</alert>", signature_of(template) * 300 + b"</alert>"),
        "large": template.replace(b"<info>", b"<info>" + b"<a/>" * 29_000, 1),
        "depth": template.replace(b"<info>", b"<info>" + b"<a>" * 20_000, 1),
    }
    for name, data in cases.items():
        assert data != template
        begun = time.perf_counter()
        try:
            found = verify(data, trusted(authority()), at=AT)
        except Unreadable:
            found = ()
        assert time.perf_counter() - begun < 15, name
        assert all(each.verdict != "valid" for each in found), name
