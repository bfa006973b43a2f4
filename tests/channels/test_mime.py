from __future__ import annotations

from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from channels.base import Content
from channels.mime import letter, mailbox, message_id, own_headers

SENDER = Address("Wärnungen, City", "warnings", "example.org")


def parsed(content: Content) -> EmailMessage:
    tail = letter(content, SENDER).tail
    assert tail.endswith(b"\r\n.\r\n")
    unstuffed = tail.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    message = message_from_bytes(
        own_headers("p@example.org", "1.2@example.org", "d", None) + unstuffed, policy=policy.SMTP
    )
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").rstrip("\n")


@pytest.mark.parametrize(
    "text",
    ["Flood.", "تحذير من الفيضانات " * 40, "水害警報", "a" * 3000, ".\n..\n.leading dots\n.", "tail\n\n\n"],
)
def test_text_and_html_come_back_as_they_were(text: str):
    message = parsed(Content(text, "ar", subject="S", html=f"<p>{text}</p>"))

    assert message.get_content_type() == "multipart/alternative"
    assert text_of(message, "plain") == text.rstrip("\n")
    assert text_of(message, "html").replace("\n", "") == f"<p>{text}</p>".replace("\n", "")


def test_without_html_the_mail_is_plain_text():
    message = parsed(Content("Flood.", "en", subject="S"))

    assert message.get_content_type() == "text/plain"
    assert message["Content-Language"] == "en"


@pytest.mark.parametrize("text", ["ü" * 2000, ".\n" * 50, "x" * 5000, "\n.\n"])
def test_what_goes_out_is_seven_bit_dot_stuffed_and_of_short_lines(text: str):
    tail = letter(Content(text, "de", subject="Ü" * 200, html=f"<p>{text}</p>"), SENDER).tail

    assert tail.isascii()
    assert b"\r\n.\r\n" not in tail.removesuffix(b".\r\n")
    lines = tail.split(b"\r\n")
    assert max(len(line) for line in lines) <= 998
    assert all(line.startswith(b"..") for line in lines[:-2] if line.startswith(b"."))
    assert b"\n" not in b"".join(lines)


def test_equal_content_gives_equal_bytes():
    content = Content("Flood.", "en", subject="S", html="<p>Flood.</p>")

    assert letter(content, SENDER) == letter(content, SENDER)


def test_a_line_break_in_the_subject_adds_no_header():
    message = parsed(Content("t", "en", subject="Flood\r\nBcc: all@example.org\n\nbody"))

    assert message["Subject"] == "Flood Bcc: all@example.org body"
    assert message["Bcc"] is None


def test_the_fixed_headers_name_sender_and_machine():
    message = parsed(Content("t", "mul", subject="S"))

    assert message["From"].addresses == (SENDER,)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] is None


def test_one_recipients_lines_offer_one_click_unsubscribing():
    lines = own_headers(
        "p@example.org", "7.1@example.org", "Sun, 01 Nov 2026 12:00:00 +0000", "https://w.example/u/t"
    )

    assert lines.decode().split("\r\n") == [
        "To: <p@example.org>",
        "Message-ID: <7.1@example.org>",
        "Date: Sun, 01 Nov 2026 12:00:00 +0000",
        "List-Unsubscribe: <https://w.example/u/t>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "",
    ]


@pytest.mark.parametrize(
    "url", ["https://w.example/\r\nBcc: x", "javascript:x", "https://w.example/>,<x", "https://ü/"]
)
def test_an_unsubscribe_url_that_is_none_is_refused(url: str):
    with pytest.raises(ValueError, match="unsubscribe"):
        own_headers("p@example.org", "7.1@example.org", "d", url)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("p@example.org", "p@example.org"),
        ("p.q+tag@Example.ORG", "p.q+tag@Example.ORG"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("p@bücher.example", "p@xn--bcher-kva.example"),
        ("pü@example.org", "pü@example.org"),
        ("p@example.org\r\nRCPT TO:<x@example.org>", None),
        ("p@example.org>\r\nDATA", None),
        ("p q@example.org", None),
        ('"p q"@example.org', None),
        ("p@@example.org", None),
        ("p@exa mple.org", None),
        ("p@-example.org", None),
        ("p@example..org", None),
        (".p@example.org", None),
        ("p@[127.0.0.1]", None),
        ("example.org", None),
        ("@example.org", None),
        ("p@", None),
        ("", None),
        ("p" * 65 + "@example.org", None),
        ("p@" + "e" * 64 + ".org", None),
    ],
)
def test_an_address_is_written_for_commands_or_refused(address: str, written: str | None):
    assert mailbox(address) == written


def test_a_message_id_is_the_same_each_time_and_holds_no_odd_character():
    assert message_id("12.34", "example.org") == "12.34@example.org"
    odd = message_id("1>\r\nX: y", "example.org")
    assert odd == message_id("1>\r\nX: y", "example.org")
    assert odd.partition("@")[0].isalnum()
