"""Whose word about the caller's address is taken: only that of the proxies named in FORWARDED_ALLOW_IPS.

WSGI middleware around werkzeug's ProxyFix, which by itself believes everybody. Invariant: a caller that is no named proxy
cannot choose the address, scheme or host under which it is seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """`allowed`: addresses and networks, comma-separated; "*" trusts whoever connects."""

    def __init__(self, app: WSGIApplication, allowed: str) -> None:
        self.app = app
        self.fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        words = [word.strip() for word in allowed.split(",") if word.strip()]
        self.everybody = "*" in words
        self.networks = [network for word in words if (network := _network(word)) is not None]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self.fixed if self._trusted(str(environ.get("REMOTE_ADDR", ""))) else self.app
        return app(environ, start_response)

    def _trusted(self, address: str) -> bool:
        if self.everybody:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:  # a unix socket has no address: the web server's own listen address decides
            return False
        return any(found in network for network in self.networks)


def _network(word: str) -> Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None
