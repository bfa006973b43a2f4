"""E-mail against the sandbox and against servers that say exactly what a test tells them."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from queue import SimpleQueue
from socket import IPPROTO_TCP, TCP_NODELAY, create_server, socket

import pytest

from channels.base import (
    BadSignature,
    Content,
    Message,
    Misconfigured,
    ProviderDown,
    Reason,
    Run,
    SendResult,
    Status,
    Webhook,
)
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox, SandboxConfig
from channels.smtp_email import SmtpConfig, SmtpEmail

LETTER = Content("Flood.\n.\nMove.", "en", subject="Flood", html="<p>Flood.</p>")
SID = "AC" + "0" * 32


def mails(count: int) -> list[Message]:
    return [
        Message(n, f"7.{n}", f"p{n}@example.org", LETTER, None, f"https://w.example/unsubscribe/{n}")
        for n in range(count)
    ]


def send(channel: SmtpEmail, messages: list[Message]) -> tuple[Run, list[SendResult]]:
    results: SimpleQueue[SendResult] = SimpleQueue()
    run = channel.open(iter(messages), results)
    assert run.done.wait(20)
    channel.close()
    return run, sorted((results.get() for _ in range(results.qsize())), key=lambda result: result.key)


def email_at(url: str, connections: int = 1, **more: object) -> SmtpEmail:
    config = SmtpConfig(url, "Warnings <w@example.org>", connections=connections, **more)  # type: ignore[arg-type]
    return SmtpEmail(config, clock=lambda: 1793534400.0)


# ---- a server that follows a script to the letter ----

Talk = Callable[[socket, int], None]


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """Call `talk(connection, n)` for the n-th connection, in a thread each."""
    listener = create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(connection: socket, n: int) -> None:
        with connection:
            connection.settimeout(5)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            try:
                talk(connection, n)
            except OSError:
                return

    def accept() -> None:
        n = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection, n)))
            threads[-1].start()
            n += 1

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(2)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


class Lines:
    """Reads a connection line by line."""

    def __init__(self, connection: socket) -> None:
        self.connection = connection
        self.rest = b""
        self.seen: list[bytes] = []

    def next(self) -> bytes:
        while b"\r\n" not in self.rest:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionResetError
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\r\n")
        self.seen.append(line)
        return line

    def say(self, text: str) -> None:
        self.connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")

    def greet(self, *extensions: str) -> None:
        self.say("220 test ESMTP")
        self.next()
        words = ["test", *extensions]
        self.say("\n".join(f"250{'-' if n < len(words) - 1 else ' '}{word}" for n, word in enumerate(words)))

    def transaction(self) -> None:
        """Take one mail as a good server does."""
        for reply in ("250 OK", "250 OK", "354 go on"):
            self.next()
            self.say(reply)
        self.body()
        self.say("250 2.0.0 OK")

    def body(self) -> list[bytes]:
        lines = []
        while (line := self.next()) != b".":
            lines.append(line)
        return lines


# ---- what arrives ----


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "no pipelining"])
def test_a_mail_arrives_whole_with_its_own_headers(pipelining: bool):
    with Sandbox(SandboxConfig(SID, "t", pipelining=pipelining)) as sandbox:
        run, results = send(email_at(sandbox.smtp_url, connections=2), mails(50))
        received = {message.to: message for message in sandbox.received("email")}

    assert run.error is None
    assert [result.status for result in results] == [Status.ACCEPTED] * 50
    assert results[3].reference == "7.3@example.org"
    mail = message_from_bytes(received["p3@example.org"].raw, policy=policy.default)
    assert mail["To"] == "p3@example.org"
    assert mail["From"] == "Warnings <w@example.org>"
    assert mail["Message-ID"] == "<7.3@example.org>"
    assert mail["Date"] == "Sun, 01 Nov 2026 12:00:00 +0000"
    assert mail["List-Unsubscribe"] == "<https://w.example/unsubscribe/3>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().split() == ["Flood.", ".", "Move."]
    assert received["p3@example.org"].sender == "w@example.org"


@pytest.mark.parametrize("starttls", [True, False], ids=["STARTTLS", "TLS"])
def test_mail_goes_over_tls_with_a_login(starttls: bool, tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    config = SandboxConfig(SID, "t", smtp_login=("us:er", "p@ss"), smtp_tls=tls[0], starttls=starttls)
    with Sandbox(config) as sandbox:
        url = sandbox.smtp_url.replace("://", "://us%3Aer:p%40ss@")
        run, results = send(email_at(url, tls=tls[1]), mails(3))

        assert run.error is None
        assert [result.status for result in results] == [Status.ACCEPTED] * 3
        untrusting, _ = send(email_at(url), mails(1))

    assert isinstance(untrusting.error, Misconfigured)
    assert "certificate" in str(untrusting.error)


def test_without_starttls_on_offer_nothing_is_sent_in_the_clear():
    seen: list[bytes] = []

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.seen = seen
        lines.greet("PIPELINING", "AUTH PLAIN")
        lines.next()

    with server(talk) as url:
        run, results = send(
            email_at(url.replace("smtp:", "smtp+starttls:").replace("//", "//u:secret@")), mails(1)
        )

    assert isinstance(run.error, Misconfigured)
    assert results[0].status is Status.UNREACHABLE
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in seen)


def test_bytes_that_come_in_the_clear_behind_the_starttls_reply_are_not_trusted(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.greet("STARTTLS")
        lines.next()
        lines.say("220 go\n250 injected")
        lines.next()

    with server(talk) as url:
        run, _ = send(email_at(url.replace("smtp:", "smtp+starttls:"), tls=tls[1]), mails(1))

    assert isinstance(run.error, ProviderDown)
    assert "bytes before TLS" in str(run.error)


def test_an_international_address_needs_a_server_with_smtputf8():
    message = Message(0, "7.0", "pelé@bücher.example", LETTER)
    with Sandbox(SandboxConfig(SID, "t")) as sandbox:
        _, results = send(email_at(sandbox.smtp_url), [message])
        assert results[0].status is Status.ACCEPTED
        assert [m.to for m in sandbox.received("email")] == ["pelé@xn--bcher-kva.example"]

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.greet("PIPELINING")
        lines.transaction()
        lines.next()

    with server(talk) as url:
        _, results = send(email_at(url), [message, *mails(2)[1:]])

    assert [(r.status, r.reason) for r in results] == [
        (Status.REJECTED, Reason.INVALID_ADDRESS),
        (Status.ACCEPTED, None),
    ]


@pytest.mark.parametrize(
    "to", ["p@example.org\r\nRCPT TO:<q@example.org>", "p@example.org>\r\nDATA\r\n", "p", ""]
)
def test_an_address_that_is_none_is_refused_here_and_never_reaches_the_wire(to: str):
    with Sandbox(SandboxConfig(SID, "t")) as sandbox:
        run, results = send(email_at(sandbox.smtp_url), [Message(0, "7.0", to, LETTER), *mails(2)[1:]])
        counts = sandbox.counts("email")

    assert run.error is None
    assert (results[0].status, results[0].reason) == (Status.REJECTED, Reason.INVALID_ADDRESS)
    assert counts == {"p1@example.org": 1}


# ---- the transaction ----


def test_the_next_mail_is_announced_behind_the_body_and_never_its_body_before_the_354():
    seen: list[bytes] = []

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.seen = seen
        lines.greet("PIPELINING")
        assert [lines.next()[:4] for _ in range(3)] == [b"MAIL", b"RCPT", b"DATA"]
        lines.say("250 OK\n250 OK\n354 go on")
        lines.body()
        # The second envelope is here before the first mail has its answer; its body is not.
        assert [lines.next()[:4] for _ in range(3)] == [b"MAIL", b"RCPT", b"DATA"]
        time.sleep(0.05)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.settimeout(5)
        lines.say("250 2.0.0 first\n250 OK\n250 OK\n354 go on")
        lines.body()
        lines.say("250 2.0.0 second")

    with server(talk) as url:
        run, results = send(email_at(url), mails(2))

    assert run.error is None
    assert [result.status for result in results] == [Status.ACCEPTED] * 2
    assert sum(line.startswith(b"DATA") for line in seen) == 2


def test_a_354_after_a_refused_recipient_gets_an_empty_mail():
    bodies: list[list[bytes]] = []

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.greet("PIPELINING")
        for _ in range(3):
            lines.next()
        lines.say("250 OK\n550 5.1.1 gone\n354 go on")
        bodies.append(lines.body())
        lines.say("554 5.5.1 nobody")
        assert lines.next() == b"RSET"
        lines.say("250 OK")
        lines.transaction()
        lines.next()

    with server(talk) as url:
        run, results = send(email_at(url), mails(2))

    assert run.error is None
    assert [r.status for r in results] == [Status.REJECTED, Status.ACCEPTED]
    assert results[0].raw == "550 5.1.1"
    assert bodies == [[]]


def test_a_421_makes_ambiguous_only_the_mail_whose_body_was_sent():
    def talk(connection: socket, n: int) -> None:
        lines = Lines(connection)
        lines.greet("PIPELINING")
        if n == 0:
            for _ in range(3):
                lines.next()
            lines.say("250 OK\n250 OK\n354 go on")
            lines.body()
            lines.next()  # the second mail is announced
            lines.say("421 4.3.2 shutting down")
            return
        for _ in range(2):
            lines.transaction()
        lines.next()

    with server(talk) as url:
        run, results = send(email_at(url), mails(3))

    assert run.error is None
    assert [r.status for r in results] == [Status.AMBIGUOUS, Status.ACCEPTED, Status.ACCEPTED]
    assert results[0].raw == "421 4.3.2"


def test_a_421_before_the_body_is_unreachable_not_ambiguous():
    def talk(connection: socket, n: int) -> None:
        lines = Lines(connection)
        lines.greet()
        if n == 0:
            lines.next()
            lines.say("421 4.7.0 slow down")
            return
        lines.transaction()
        lines.next()

    with server(talk) as url:
        run, results = send(email_at(url), mails(2))

    assert run.error is None
    assert [r.status for r in results] == [Status.UNREACHABLE, Status.ACCEPTED]


def test_a_sender_that_the_server_refuses_ends_the_run():
    with Sandbox(SandboxConfig(SID, "t")) as sandbox:
        sandbox.misbehave(Rule("email", reply="553 5.7.1 not you", stage="mail"))
        run, results = send(email_at(sandbox.smtp_url, connections=4), mails(500))
        received = sandbox.received("email")

    assert isinstance(run.error, Misconfigured)
    assert "sender" in str(run.error)
    assert len(results) < 100
    assert {result.status for result in results} == {Status.UNREACHABLE}
    assert received == []


# ---- connections ----


def test_connections_are_kept_from_run_to_run():
    connections: list[int] = []

    def talk(connection: socket, n: int) -> None:
        connections.append(n)
        lines = Lines(connection)
        lines.greet()
        while True:
            lines.transaction()

    with server(talk) as url:
        channel = email_at(url)
        for _ in range(3):
            results: SimpleQueue[SendResult] = SimpleQueue()
            assert channel.open(iter(mails(2)), results).done.wait(10)
            assert results.qsize() == 2
        channel.close()

    assert connections == [0]


def test_a_kept_connection_that_the_server_closed_meanwhile_costs_no_mail():
    def talk(connection: socket, n: int) -> None:
        lines = Lines(connection)
        lines.greet("PIPELINING")
        lines.transaction()
        if n == 0:
            lines.next()  # the first command of the second run
            return
        lines.next()

    with server(talk) as url:
        channel = email_at(url)
        results: SimpleQueue[SendResult] = SimpleQueue()
        for n in range(2):
            assert channel.open(iter(mails(2)[n : n + 1]), results).done.wait(10)
        channel.close()

    assert [results.get_nowait().status for _ in range(2)] == [Status.ACCEPTED] * 2


def test_a_server_with_fewer_connections_than_configured_gets_all_mail_over_those():
    lock, open_now, refused = threading.Lock(), [0], [0]

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        with lock:
            open_now[0] += 1
            full = open_now[0] > 2
            refused[0] += full
        if full:
            lines.say("421 4.7.0 too many connections")
            return
        lines.greet("PIPELINING")
        while True:
            lines.transaction()
            time.sleep(0.002)

    with server(talk) as url:
        run, results = send(email_at(url, connections=6), mails(100))

    assert run.error is None
    assert [result.status for result in results] == [Status.ACCEPTED] * 100
    assert refused[0] >= 1


def test_a_server_that_speaks_no_smtp_ends_the_run():
    def talk(connection: socket, _n: int) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(talk) as url:
        run, results = send(email_at(url), mails(1))

    assert isinstance(run.error, ProviderDown)
    assert results[0].status is Status.UNREACHABLE


def test_auth_login_is_used_where_plain_is_not_offered():
    seen: list[bytes] = []

    def talk(connection: socket, _n: int) -> None:
        lines = Lines(connection)
        lines.seen = seen
        lines.greet("AUTH LOGIN")
        for reply in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 welcome"):
            lines.next()
            lines.say(reply)
        lines.transaction()
        lines.next()

    with server(talk) as url:
        run, _ = send(email_at(url.replace("//", "//user:secret@")), mails(1))

    assert run.error is None
    assert seen[1:4] == [b"AUTH LOGIN", b"dXNlcg==", b"c2VjcmV0"]


# ---- configuration ----


@pytest.mark.parametrize(
    ("url", "mail_from", "word"),
    [
        ("http://mail.example", "w@example.org", "URL"),
        ("smtp://", "w@example.org", "URL"),
        ("smtp://user:secret@mail.example", "w@example.org", "clear"),
        ("smtps://mail.example", "Warnings", "sender"),
        ("smtps://mail.example", "wärnung@example.org", "sender"),
        ("smtps://mail.example", "w@example.org\r\nBcc: x@example.org", "sender"),
    ],
)
def test_an_unusable_configuration_is_refused_without_its_password(url: str, mail_from: str, word: str):
    with pytest.raises(Misconfigured, match=word) as caught:
        SmtpConfig(url, mail_from)
    assert "secret" not in str(caught.value)


def test_smtp_has_no_webhooks():
    with pytest.raises(BadSignature):
        email_at("smtp://127.0.0.1:1").events(Webhook("https://w.example/", "POST", {}, {}))
