"""Signatures: what is signed verifies, what was touched does not, and nobody is trusted for what a message brings along."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from alerting.cap.signature import (
    Coverage,
    Signature,
    SigningError,
    Unreadable,
    Verdict,
    examine,
    findings,
    load_anchors,
    load_key,
    sign,
    verify,
)
from alerting.cap.xml import read, write
from tests.cap import made
from tests.cap.certified import AT, Owner, authority, office, old_office, owner, private

DOCUMENT = write(made.alert())
DS = "http://www.w3.org/2000/09/xmldsig#"
OFFICES = (office, old_office)


def signed(by: Owner | None = None, *chain: Owner, document: bytes = DOCUMENT) -> bytes:
    return sign(document, load_key((by or office()).pem(*chain)))


def trusted(*owners: Owner) -> tuple[x509.Certificate, ...]:
    return tuple(each.certificate for each in owners)


def verdict(data: bytes, *anchors: Owner, at: datetime = AT) -> Signature:
    (found,) = verify(data, trusted(*(anchors or (authority(),))), at=at)
    return found


# ---- signing ----


@pytest.mark.parametrize(("by", "algorithm"), [(office, "ecdsa-sha256"), (old_office, "rsa-sha256")])
def test_what_is_signed_is_valid_under_the_authority(by: Callable[[], Owner], algorithm: str) -> None:
    found = verdict(signed(by()))
    assert found == Signature(
        Verdict.VALID,
        algorithm,
        by().certificate.subject.rfc4514_string(),
        by().certificate.not_valid_after_utc,
        found.message,
    )
    assert "trusted" in found.message


@pytest.mark.parametrize("by", OFFICES)
def test_another_library_verifies_it_too(by: Callable[[], Owner]) -> None:
    result = XMLVerifier().verify(
        signed(by()),
        x509_cert=by().certificate,
        expect_config=SignatureConfiguration(verification_time=AT),
    )
    assert not isinstance(result, list)
    assert result.signed_xml is not None
    assert result.signed_xml.tag == "{urn:oasis:names:tc:emergency:cap:1.2}alert"


def test_the_signature_is_enveloped_last_and_in_exclusive_form() -> None:
    root = etree.fromstring(signed())
    assert root[-1].tag == f"{{{DS}}}Signature"
    assert [each.get("Algorithm") for each in root.iter(f"{{{DS}}}Transform")] == [
        f"{DS}enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    ]
    assert [each.get("URI") for each in root.iter(f"{{{DS}}}Reference")] == [""]
    assert root.find(f".//{{{DS}}}X509Certificate") is not None


def test_signing_changes_nothing_of_the_alert() -> None:
    alert = made.alert(made.info(description="a\r\nb <&> é \U0001f30a \u00a0 end"))
    again = read(signed(document=write(alert)))
    assert again.alert == alert
    assert verdict(signed(document=write(alert))).verdict == "valid"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_encodings_are_signed_in_utf8(encoding: str) -> None:
    text = DOCUMENT.decode().replace("UTF-8", encoding).replace("The river", "La rivière")
    data = signed(document=text.encode(encoding))
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert verdict(data).verdict == "valid"


def test_a_certificate_that_does_not_hold_signs_nothing() -> None:
    key = load_key(office().pem())
    assert sign(DOCUMENT, key, at=AT)
    with pytest.raises(SigningError, match="expired on 2026-03-11"):
        sign(DOCUMENT, key, at=AT + timedelta(days=11))
    with pytest.raises(SigningError, match="not valid before"):
        sign(DOCUMENT, key, at=AT - timedelta(days=11))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"<alert/>", "root must be alert"),
        (b"<alert", "well-formed"),
        (b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (DOCUMENT.replace(b"<info>", b"<info xmlns:a='relative'>"), "cannot be signed"),
    ],
)
def test_what_is_no_alert_is_not_signed(document: bytes, reason: str) -> None:
    with pytest.raises(SigningError, match=reason):
        signed(document=document)


def test_a_signed_document_is_not_signed_again() -> None:
    with pytest.raises(SigningError, match="signed already"):
        signed(document=signed())


# ---- keys ----


def test_keys_are_found_in_any_order_and_encrypted_or_not() -> None:
    key, _, rest = office().pem(authority()).partition(b"-----BEGIN CERT")
    swapped = load_key(b"-----BEGIN CERT" + rest + key)
    assert swapped.certificate == office().certificate
    assert swapped.chain == (authority().certificate,)
    assert load_key(office().pem(password=b"tide"), b"tide").certificate == office().certificate
    assert "rivate" not in repr(swapped).replace("SigningKey", "")


def _certificate(of: Owner) -> bytes:
    return of.certificate.public_bytes(form.Encoding.PEM)


def _bare(of: Owner) -> bytes:
    return of.pem().replace(_certificate(of), b"")


@pytest.mark.parametrize(
    ("pem", "password", "reason"),
    [
        (b"", None, "no private key"),
        (_certificate(office()), None, "no private key"),
        (_bare(office()), None, "no certificate"),
        (_bare(office()) + _certificate(old_office()), None, "does not belong"),
        (office().pem() + _bare(old_office()), None, "2 private keys"),
        (office().pem(password=b"tide"), None, "give its password"),
        (office().pem(password=b"tide"), b"ebb", "password is wrong"),
        (office().pem()[:60] + b"AAAA" + office().pem()[64:], None, "damaged"),
        (owner("weak", key=private("rsa1024")).pem(), None, "2048"),
        (owner("sealer", usage="key_encipherment").pem(), None, "digitalSignature"),
        (office().pem().replace(b"-----END CERT", b"!!\n-----END CERT"), None, "cannot be read"),
    ],
)
def test_a_key_file_that_does_not_fit_says_why(pem: bytes, password: bytes | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        load_key(pem, password)
    secret = _bare(office()).splitlines()[1].decode()
    assert secret not in str(refused.value)


def test_anchors_are_all_certificates_of_a_text_and_at_least_one() -> None:
    assert load_anchors(_certificate(office()) + _certificate(authority())) == trusted(office(), authority())
    with pytest.raises(ValueError, match="no certificate"):
        load_anchors(b"nothing")


# ---- trust ----


def test_a_stranger_is_untrusted_whatever_he_brings() -> None:
    stranger = owner("River office")
    found = verdict(signed(stranger))
    assert (found.verdict, "self-signed" in found.message) == ("untrusted", True)
    impostor = owner("Root of Atlantis", ca=True, usage="key_cert_sign")
    forged = owner("River office", issuer=impostor)
    assert verdict(signed(forged, impostor)).verdict == "untrusted"


def test_nobody_is_trusted_without_anchors() -> None:
    (found,) = verify(signed(), (), at=AT)
    assert (found.verdict, found.message.partition(", but ")[2]) == (
        "untrusted",
        "no trusted certificates are known here",
    )


def test_a_pinned_signer_is_trusted_himself() -> None:
    alone = owner("Lone office")
    assert verdict(signed(alone), alone).verdict == "valid"
    assert verdict(signed(), office()).verdict == "valid"
    assert verdict(signed(), old_office()).verdict == "untrusted"


def test_chains_are_built_from_what_the_message_brings() -> None:
    middle = owner("Regional authority", issuer=authority(), ca=True, usage="key_cert_sign")
    below = owner("District office", issuer=middle)
    assert verdict(signed(below, middle)).verdict == "valid"
    assert verdict(signed(below)).verdict == "untrusted"
    assert verdict(signed(below), middle).verdict == "valid"


def test_who_is_no_authority_issues_nothing() -> None:
    below = owner("Friend of the river office", issuer=office())
    assert verdict(signed(below, office())).verdict == "untrusted"
    assert verdict(signed(below, office()), office()).verdict == "untrusted"


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [(-10, -1, "expired on 2026-02-28"), (1, 10, "not valid before 2026-03-02")],
)
def test_certificates_hold_in_their_time(begins: int, ends: int, reason: str) -> None:
    late = owner("office", issuer=authority(), begins=timedelta(days=begins), ends=timedelta(days=ends))
    data = signed(late)
    found = verdict(data)
    assert found.verdict == "untrusted"
    assert reason in found.message
    assert verdict(data, late).verdict == "untrusted"  # pinned or not
    assert verdict(data, at=AT + timedelta(days=(begins + ends) / 2)).verdict == "valid"


def test_an_expired_authority_vouches_for_nobody() -> None:
    root = owner("old root", ca=True, ends=timedelta(days=-1))
    assert verdict(signed(owner("office", issuer=root)), root).verdict == "untrusted"


def test_times_are_compared_as_instants() -> None:
    brief = owner("office", issuer=authority(), begins=timedelta(hours=-1), ends=timedelta(hours=1))
    east = timezone(timedelta(hours=8))
    assert verdict(signed(brief), at=AT.astimezone(east)).verdict == "valid"
    with pytest.raises(ValueError, match="time zone"):
        verify(signed(brief), (), at=datetime(2026, 3, 1))


def test_a_certificate_for_other_purposes_signs_no_warning() -> None:
    key = private("rsa")
    sealer = owner("office", issuer=authority(), usage="key_encipherment", key=key)
    data = _resigned(signed(old_office()), key, hashes.SHA256())
    data = _with_certificate(data, sealer.certificate)
    found = verdict(data)
    assert (found.verdict, "key usage" in found.message) == ("untrusted", True)
    assert verdict(data, sealer).verdict == "untrusted"


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
    found = verdict(_with_certificate(signed(), other.certificate))
    assert (found.verdict, "certificate" in found.message) == ("invalid", True)
    # Nor does the pinned certificate of the true signer take the place of what the message says.
    assert verdict(_with_certificate(signed(), other.certificate), office()).verdict == "invalid"
    assert verdict(_with_certificate(signed(), b"rubbish")).verdict == "unsupported"


def test_a_signature_moved_into_another_alert_breaks() -> None:
    other = write(made.alert(identifier="another"))
    moved = other.replace(b"</alert>", _signature(signed()) + b"</alert>")
    assert verdict(moved).verdict == "invalid"


def test_a_stripped_signature_is_no_signature() -> None:
    data = signed()
    assert verify(data.replace(_signature(data), b""), trusted(authority()), at=AT) == ()
    assert verify(DOCUMENT, trusted(authority()), at=AT) == ()


def test_a_signature_inside_a_block_says_nothing() -> None:
    data = signed()
    inside = data.replace(_signature(data), b"").replace(b"</info>", _signature(data) + b"</info>", 1)
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
    made_up.update(_signed_info(data))
    found = verdict(_with_value(data, made_up.finalize()))
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


# ---- old and odd ----


def test_sha1_fits_and_is_not_trusted() -> None:
    key = old_office().private
    assert isinstance(key, rsa.RSAPrivateKey)
    data = signed(old_office()).replace(b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1")
    data = _resigned(data, key, hashes.SHA1())  # noqa: S303 - what is tested
    assert examine(data)[0].fits
    found = verdict(data)
    assert (found.verdict, found.algorithm, "SHA-1" in found.message) == ("untrusted", "rsa-sha1", True)


def test_a_short_key_is_not_trusted_though_it_is_certified() -> None:
    key = private("rsa1024")
    data = _resigned(signed(old_office()), key, hashes.SHA256())
    data = _with_certificate(data, owner("office", issuer=authority(), key=key).certificate)
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
    both = first.replace(b"</alert>", _signature(second) + b"</alert>")
    assert [each.coverage for each in examine(both)] == [Coverage.LATER, Coverage.ALL]
    found = verify(both, trusted(authority()), at=AT)
    assert [(each.verdict, each.algorithm) for each in found] == [
        ("valid", "ecdsa-sha256"),
        ("valid", "rsa-sha256"),
    ]
    broken = both.replace(b"The river rises", b"The river falls")
    assert {each.verdict for each in verify(broken, trusted(authority()), at=AT)} == {"invalid"}
    crowd = first.replace(b"</alert>", _signature(second) * 4 + b"</alert>")
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
        "signatures": template.replace(b"</alert>", _signature(template) * 300 + b"</alert>"),
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
        assert time.perf_counter() - begun < 1.5, name
        assert all(each.verdict != "valid" for each in found), name


# ---- tools of these tests ----


def _signature(data: bytes) -> bytes:
    found = re.search(rb"<ds:Signature .*</ds:Signature>", data, re.DOTALL)
    assert found is not None
    return found.group(0)


def _with_certificate(data: bytes, certificate: x509.Certificate | bytes) -> bytes:
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(form.Encoding.DER)
    written = b"<ds:X509Certificate>" + base64.b64encode(der) + b"</ds:X509Certificate>"
    return re.sub(rb"<ds:X509Certificate>.*</ds:X509Certificate>", lambda _: written, data, flags=re.DOTALL)


def _with_value(data: bytes, value: bytes) -> bytes:
    written = b"<ds:SignatureValue>" + base64.b64encode(value) + b"</ds:SignatureValue>"
    return re.sub(rb"<ds:SignatureValue>.*</ds:SignatureValue>", lambda _: written, data, flags=re.DOTALL)


def _signed_info(data: bytes) -> bytes:
    element = next(etree.fromstring(data).iter(f"{{{DS}}}SignedInfo"))
    alone = etree.fromstring(etree.tostring(element, with_tail=False)).getroottree()
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=False)


def _resigned(data: bytes, key: object, algorithm: hashes.HashAlgorithm) -> bytes:
    """The same document with a value by another key or hash."""
    assert isinstance(key, rsa.RSAPrivateKey)
    return _with_value(data, key.sign(_signed_info(data), padding.PKCS1v15(), algorithm))
