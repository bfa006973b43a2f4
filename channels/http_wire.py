"""The bytes of HTTP/1.1 replies (RFC 9112), as far as the reply to a form needs them: no sockets, no clock.

Must not import anything but the standard library. Invariant: a Reply is whole; more bytes than LIMIT, or bytes that are
no reply, raise WireError.
"""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 1 << 20  # bytes of one reply; Twilio's are below 4 000


class WireError(Exception):
    """These bytes are no HTTP reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Header names are lower case; of a repeated header the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class ReplyBuffer:
    """Collects the bytes of one reply after the other."""

    def __init__(self) -> None:
        self.bodiless = False
        self._data = b""

    def feed(self, data: bytes) -> Reply | None:
        """Add bytes; the reply when it is whole. Interim replies (1xx) are passed over."""
        self._data = self._data + data if self._data else data
        reply = self._whole(ended=False)
        if reply is None and len(self._data) > LIMIT:
            raise WireError("too long")
        return reply

    def end(self) -> Reply | None:
        """The other side closed: the reply that is delimited by that, if there is one."""
        try:
            return self._whole(ended=True)
        except WireError:
            return None

    def _whole(self, *, ended: bool) -> Reply | None:
        while (head_end := self._data.find(b"\r\n\r\n")) >= 0:
            status, version, headers = _head(self._data[:head_end])
            rest = self._data[head_end + 4 :]
            if 100 <= status < 200:
                self._data = rest
                continue
            found = self._body(status, headers, rest, ended=ended)
            if found is None:
                return None
            body, left, delimited = found
            self._data = left
            connection = headers.get("connection", "").lower()
            keep = (
                delimited
                and not left
                and (version == "1.1" or connection == "keep-alive")
                and connection != "close"
            )
            return Reply(status, headers, body, keep)
        return None

    def _body(
        self, status: int, headers: dict[str, str], rest: bytes, *, ended: bool
    ) -> tuple[bytes, bytes, bool] | None:
        """Body, what follows it, and whether its end is told by more than the end of the connection."""
        if self.bodiless or status in (204, 304):
            return b"", rest, True
        if headers.get("transfer-encoding", "").lower() == "chunked":
            chunked = _chunks(rest)
            return None if chunked is None else (*chunked, True)
        written = headers.get("content-length")
        if written is None:
            return (rest, b"", False) if ended else None
        if not written.isdecimal():
            raise WireError("bad length")
        length = int(written)
        return None if len(rest) < length else (rest[:length], rest[length:], True)


def _head(data: bytes) -> tuple[int, str, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    if not (first.startswith("HTTP/1.") and first[9:12].isdecimal()):
        raise WireError("no status line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(first[9:12]), first[5:8], headers


def _chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """The body of a chunked reply and what follows it, None while it is not whole (RFC 9112, 7.1)."""
    body, at = [], 0
    while True:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return None
        try:
            size = int(data[at:line_end].split(b";")[0], 16)
        except ValueError as error:
            raise WireError("bad chunk") from error
        start = line_end + 2
        if size == 0:
            break
        if size < 0 or start + size > LIMIT:
            raise WireError("bad chunk")
        if len(data) < start + size + 2:
            return None
        body.append(data[start : start + size])
        at = start + size + 2
    # Trailers are read and dropped; without any, the empty line comes at once.
    if data.startswith(b"\r\n", start):
        return b"".join(body), data[start + 2 :]
    end = data.find(b"\r\n\r\n", start)
    return None if end < 0 else (b"".join(body), data[end + 4 :])
