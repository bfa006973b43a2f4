"""`alerting cap sign` and `verify`: what they write, what they say, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from alerting.cap.xml import read
from alerting.cli import main
from tests.cap import made_files

AT = ("--at", "2026-03-01T09:05:00+08:00")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made_files.write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cap("sign", "river.xml", "--key", "key.pem", "--output", "signed.xml").exit_code == 0
    return tmp_path


def cap(*words: str) -> Result:
    return CliRunner().invoke(main, ["cap", *words])


def test_a_signed_document_is_valid_under_its_own_anchor(files: Path) -> None:
    verified = cap("verify", "signed.xml", "--anchors", "anchors.pem", *AT)
    assert verified.exit_code == 0
    assert verified.output.startswith(
        "signed.xml: valid (ecdsa-sha256, CN=River Authority, until 2029-01-01): "
    )
    assert read((files / "signed.xml").read_bytes()).alert is not None


def test_a_stranger_is_untrusted_and_a_changed_text_invalid(files: Path) -> None:
    _, stranger = made_files.key_and_certificate("Somebody")
    (files / "others.pem").write_bytes(stranger)
    untrusted = cap("verify", "signed.xml", "--anchors", "others.pem", *AT)
    assert (untrusted.exit_code, untrusted.output.split()[1]) == (1, "untrusted")
    changed = (files / "signed.xml").read_bytes().replace(b"rises", b"falls")
    (files / "changed.xml").write_bytes(changed)
    invalid = cap("verify", "changed.xml", "--anchors", "anchors.pem", *AT)
    assert (invalid.exit_code, invalid.output.split()[1]) == (1, "invalid")


def test_at_is_the_time_of_the_verdict() -> None:
    late = cap("verify", "signed.xml", "--anchors", "anchors.pem", "--at", "2030-01-01T00:00:00Z")
    assert (late.exit_code, late.output.split()[1]) == (1, "untrusted")
    for wrong in ("yesterday", "2030-01-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        refused = cap("verify", "signed.xml", "--anchors", "anchors.pem", "--at", wrong)
        assert refused.exit_code == 2
        assert "--at" in refused.stderr


def test_an_unsigned_document_is_not_valid() -> None:
    both = cap("verify", "signed.xml", "river.xml", "--anchors", "anchors.pem", *AT)
    assert both.exit_code == 1
    assert "river.xml: unsigned\n" in both.output


def test_json_has_an_object_for_each_file_read_or_not() -> None:
    verified = cap("verify", "signed.xml", "none", "--anchors", "anchors.pem", *AT, "--format", "json")
    assert verified.exit_code == 2
    signed, unread = json.loads(verified.stdout)
    (signature,) = signed["signatures"]
    assert signature.keys() == {"verdict", "algorithm", "subject", "not_after", "message"}
    assert (signature["verdict"], signature["not_after"]) == ("valid", "2029-01-01T00:00:00+00:00")
    assert unread == {"file": "none", "signatures": []}
    assert "none: cannot be read" in verified.stderr


def test_a_key_opens_with_the_first_line_of_the_password_file(files: Path) -> None:
    private, certificate = made_files.key_and_certificate()
    closed = load_pem_private_key(private, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    (files / "closed.pem").write_bytes(closed + certificate)
    (files / "word").write_bytes(b"open sesame\nsecond line\n")
    (files / "wrong").write_bytes(b"another word")
    key = ("sign", "river.xml", "--key", "closed.pem")
    assert cap(*key, "--password-file", "word").exit_code == 0
    for refused in (cap(*key), cap(*key, "--password-file", "wrong"), cap(*key, "--password-file", "none")):
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "sesame" not in refused.output
        assert "another word" not in refused.output


def test_what_is_no_cap_1_2_and_what_is_signed_already_is_not_signed() -> None:
    for file in ("old.xml", "feed.xml", "key.pem", "signed.xml"):
        refused = cap("sign", file, "--key", "key.pem")
        assert (refused.exit_code, refused.stdout) == (1, ""), file
        assert file in refused.stderr


def test_every_fault_of_a_document_that_is_not_signed_is_told(files: Path) -> None:
    broken = (files / "river.xml").read_bytes().replace(b"Severe", b"Bad").replace(b"Observed", b"Sure")
    (files / "broken.xml").write_bytes(broken)
    refused = cap("sign", "broken.xml", "--key", "key.pem")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "/alert/info[1]/severity" in refused.stderr
    assert "/alert/info[1]/certainty" in refused.stderr


def test_files_that_hold_no_key_or_certificate_end_with_2() -> None:
    for words in (
        ("sign", "river.xml", "--key", "anchors.pem"),
        ("sign", "river.xml", "--key", "none"),
        ("sign", "none", "--key", "key.pem"),
        ("verify", "signed.xml", "--anchors", "river.xml"),
        ("verify", "signed.xml", "--anchors", "none"),
    ):
        refused = cap(*words)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr
