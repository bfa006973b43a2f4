"""Whatever is touched in a signed document breaks it, and nothing that a message asks for is followed."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives import serialization as form

from alerting.cap.signature import (
    Unreadable,
    findings,
    verify,
)
from alerting.cap.xml import read, write
from tests.cap import made
from tests.cap.certified import AT, authority, office, owner
from tests.cap.signed import (
    DOCUMENT,
    DS,
    signature_of,
    signed,
    signed_info_of,
    trusted,
    verdict,
    with_certificate,
    with_value,
)

# ---- what was touched ----


def test_one_letter_of_any_text_breaks_it() -> None:
    data = signed()
    assert verdict(data.replace(b"The river rises", b"The river falls")).verdict == "invalid"
    changed = 0
    for found in re.finditer(rb">([^<>]+)</(?!ds:)", data):
        at = found.start(1)
        touched = data[:at] + bytes([data[at] ^ 1 if data[at] not in b"&" else data[at]]) + data[at + 1 :]
        if not found.group(1).strip() or read(touched).alert == read(data).alert:
            continue
        try:
            assert verdict(touched).verdict == "invalid", found.group(1)
        except Unreadable:
            continue
        changed += 1
    assert changed > 15


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<status>Actual</status>", b"<status>Test</status>"),
        (b"<info>", b'<info note="x">'),
        (b"<info>", b"<!-- --><info>\n"),
        (b"</info>", b"</info><info><event>Tsunami</event></info>"),
        (b"<info>", b"<?style x?><info>"),
        (b"<language>en-GB</language>", b""),
        (b"<ds:Signature ", b"<note>added</note><ds:Signature "),
        (b"</ds:Signature>", b"</ds:Signature><note>added</note>"),
        (b"<ds:Signature ", b'<ds:Other xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/><ds:Signature '),
    ],
)
def test_what_is_added_taken_or_changed_breaks_it(old: bytes, new: bytes) -> None:
    data = signed()
    assert data.count(old) >= 1
    found = verdict(data.replace(old, new, 1))
    assert found.verdict == "invalid"
    assert "changed" in found.message


@pytest.mark.parametrize("part", ["DigestValue", "SignatureValue"])
def test_another_value_breaks_it(part: str) -> None:
    data = signed()
    at = data.index(f"<ds:{part}>".encode()) + len(part) + 6
    touched = data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]
    assert verdict(touched).verdict == "invalid"


def test_a_replaced_certificate_breaks_it() -> None:
    other = owner("River office", issuer=authority())
    found = verdict(with_certificate(signed(), other.certificate))
    assert (found.verdict, "certificate" in found.message) == ("invalid", True)
    # Nor does the pinned certificate of the true signer take the place of what the message says.
    assert verdict(with_certificate(signed(), other.certificate), office()).verdict == "invalid"
    assert verdict(with_certificate(signed(), b"rubbish")).verdict == "unsupported"


def test_a_signature_moved_into_another_alert_breaks() -> None:
    other = write(made.alert(identifier="another"))
    moved = other.replace(b"</alert>", signature_of(signed()) + b"</alert>")
    assert verdict(moved).verdict == "invalid"


def test_a_stripped_signature_is_no_signature() -> None:
    data = signed()
    assert verify(data.replace(signature_of(data), b""), trusted(authority()), at=AT) == ()
    assert verify(DOCUMENT, trusted(authority()), at=AT) == ()


def test_a_signature_inside_a_block_says_nothing() -> None:
    data = signed()
    inside = data.replace(signature_of(data), b"").replace(b"</info>", signature_of(data) + b"</info>", 1)
    found = verdict(inside)
    assert (found.verdict, "no child of alert" in found.message) == ("invalid", True)


def test_a_true_alert_wrapped_in_a_false_one_says_nothing() -> None:
    data = signed()
    true = data[data.index(b"<alert") :]
    false = DOCUMENT.replace(b"The river rises", b"Run")
    hidden = false.replace(
        b"</alert>", b"<ds:Object xmlns:ds='%b'>%b</ds:Object></alert>" % (DS.encode(), true)
    )
    assert verdict(hidden).verdict == "invalid"
    in_object = signed(document=false).replace(
        b"</ds:Signature>", b"<ds:Object>" + true + b"</ds:Object></ds:Signature>"
    )
    assert [each.verdict for each in verify(in_object, trusted(authority()), at=AT)] == ["valid"]
    enclosed = b"<feed>" + true + b"</feed>"
    found = verdict(enclosed)
    assert (found.verdict, "alone" in found.message) == ("unsupported", True)


def test_a_reference_to_a_part_leaves_the_rest_free_and_is_refused() -> None:
    data = signed(document=DOCUMENT.replace(b"<info>", b'<info Id="one">'))
    partial = data.replace(b'URI=""', b'URI="#one"')
    found = verdict(partial)
    assert (found.verdict, "whole document" in found.message) == ("unsupported", True)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'URI=""', b'URI="http://192.0.2.1/alert.xml"', "fetched"),
        (b'URI=""', b'URI="file:///etc/passwd"', "fetched"),
        (b'URI=""', b'URI="#xpointer(/)"', "whole document"),
        (b"xmldsig#enveloped-signature", b"xmldsig#base64", "enveloped-signature"),
        (b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>', b"", "matches nothing"),
        (
            b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
            b'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>',
            "canonicalization is unknown",
        ),
        (
            b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
            b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>' * 2,
            "more transforms",
        ),
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#hmac-sha256", "HMAC"),
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#rsa-md5", "unknown"),
        (b"xmlenc#sha256", b"xmlenc#md5", "digest method"),
        (b"</ds:Reference>", b'</ds:Reference><ds:Reference URI=""/>', "several References"),
        (b"<ds:KeyInfo>", b"<ds:KeyInfo/><ds:KeyInfo>", "twice"),
        (b"<ds:SignedInfo>", b"<ds:SignedInfo/><ds:SignedInfo>", "must hold"),
        (b"</ds:SignatureValue>", b"!</ds:SignatureValue>", "base-64"),
    ],
)
def test_what_asks_for_more_than_is_done_here_is_not_followed(old: bytes, new: bytes, reason: str) -> None:
    data = signed()
    assert old in data
    found = verdict(data.replace(old, new, 1))
    assert found.verdict in {"unsupported", "invalid"}
    assert reason in found.message or reason == "matches nothing"


def test_a_value_made_with_a_public_key_as_hmac_secret_is_refused() -> None:
    data = signed().replace(b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#hmac-sha256")
    secret = (
        office()
        .certificate.public_key()
        .public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    )
    made_up = hmac.HMAC(secret, hashes.SHA256())
    made_up.update(signed_info_of(data))
    found = verdict(with_value(data, made_up.finalize()))
    assert (found.verdict, "HMAC" in found.message) == ("unsupported", True)


def test_dtds_and_entities_are_refused_before_anything_is_read() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "&y;&y;">]>' + signed().partition(b"?>\n")[2]
    with pytest.raises(Unreadable, match="DOCTYPE"):
        verify(bomb, trusted(authority()), at=AT)
    wide = (
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a>" + signed().partition(b"?>\n")[2].decode()
    ).encode("utf-16")
    with pytest.raises(Unreadable, match="DOCTYPE"):
        verify(wide, trusted(authority()), at=AT)
    assert findings(bomb, (), AT) == ()
