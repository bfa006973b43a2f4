"""Every knob of the service: one frozen Settings, read from the environment.

Each secret NAME may come from a file named in NAME_FILE. Imports only the standard library, and `alerting.cap` for the
names of its profiles where any are set. Invariant: a Settings is
complete and checked; whoever holds one needs no environment.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class ConfigurationError(Exception):
    """A setting is missing or unusable; the text names the variable and says how to mend it."""


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The knobs; the variable of each is its name in capitals. Secrets never show in a repr."""

    database_url: str
    redis_url: str
    secret_key: str
    address_keys: tuple[tuple[str, bytes], ...]  # (id, 32 bytes); the first encrypts, all decrypt
    address_mac_key: bytes  # 32 bytes
    public_base_url: str = "http://127.0.0.1:8000"  # as citizens see it, without a slash at the end
    data: Path = Path()  # ALERTING_DATA
    database_direct_url: str = (
        ""  # around PgBouncer: the sweep's lock, migrations, backups; default DATABASE_URL
    )
    pgbouncer: bool = False

    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_messaging_service_sid: str = ""
    twilio_api_base_url: str = "https://api.twilio.com"
    sms_in_flight: int = 64  # requests to the provider at once, per worker; rate = in flight / latency
    sms_rate: float | None = (
        None  # SMS segments a second of the whole sender; None: as fast as the provider takes
    )

    smtp_url: str = ""  # smtp:// | smtp+starttls:// | smtps://[user:password@]host[:port]
    mail_from: str = "Warnings <warnings@localhost.localdomain>"
    smtp_connections: int = 16
    email_rate: float | None = None

    default_language: str = "en"  # of the authority: BCP 47
    authority_name: str = "Warning service"
    time_zone: str = "UTC"  # IANA name, used where a region has none
    default_country: str = "US"  # ISO 3166-1 alpha-2, for telephone numbers written without +
    maximum_life: float = 24 * 3600.0  # seconds that a warning without expires is in force
    cap_profiles: tuple[
        str, ...
    ] = ()  # names of alerting.cap.profiles that every warning to be issued is held to
    cap_signing_key_file: str = ""  # PEM: private key, certificate; what is issued is signed, or not issued
    cap_signing_key_password: str = ""  # of that key, where it is encrypted
    cap_anchors_file: str = ""  # PEM with the certificates that signatures of others are verified against
    retention_deliveries: float = 90.0  # days after a warning's end that it is known who got it; 0: for ever
    retention_addresses: float = (
        365.0  # days that an address which stopped, died or never joined is kept; 0: for ever
    )
    surplus_percent: float = 10.0  # people planned above the approved number that put a dispatch on hold

    metrics_token: str = ""  # bearer token of whoever scrapes /metrics; "": API keys alone open it
    log_level: str = "INFO"
    web_concurrency: int = 1
    web_threads: int = 16  # most of them wait for the database, callbacks for the commit that they share
    port: int = 8000
    forwarded_allow_ips: str = "127.0.0.1"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment; raises ConfigurationError with every problem, one a line."""
        return _Reader(os.environ if environ is None else environ).settings()


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def settings(self) -> Settings:
        fields = Settings.__dataclass_fields__

        def default(name: str) -> str:
            return str(fields[name].default)

        def text(name: str) -> str:
            return self.text(name.upper(), default(name))

        settings = Settings(
            database_url=self.url("DATABASE_URL", {"postgres", "postgresql", "postgresql+psycopg"}),
            redis_url=self.url("REDIS_URL", {"redis", "rediss", "unix", "redis+sentinel"}),
            secret_key=self.required("SECRET_KEY", "any long random text"),
            address_keys=self.address_keys(),
            address_mac_key=self.key("ADDRESS_MAC_KEY"),
            public_base_url=self.url("PUBLIC_BASE_URL", {"http", "https"}, default("public_base_url")).rstrip(
                "/"
            ),
            data=Path(self.text("ALERTING_DATA", ".")),
            database_direct_url=self.url(
                "DATABASE_DIRECT_URL", {"postgres", "postgresql", "postgresql+psycopg"}, ""
            ),
            pgbouncer=self.text("PGBOUNCER", "") in {"1", "true", "yes"},
            twilio_account_sid=text("twilio_account_sid"),
            twilio_auth_token=text("twilio_auth_token"),
            twilio_messaging_service_sid=text("twilio_messaging_service_sid"),
            twilio_api_base_url=self.url(
                "TWILIO_API_BASE_URL", {"http", "https"}, default("twilio_api_base_url")
            ),
            sms_in_flight=int(self.number("SMS_IN_FLIGHT", 64, 1, 4096)),
            sms_rate=self.rate("SMS_RATE"),
            smtp_url=self.url("SMTP_URL", {"smtp", "smtp+starttls", "smtps"}, ""),
            mail_from=text("mail_from"),
            smtp_connections=int(self.number("SMTP_CONNECTIONS", 16, 1, 256)),
            email_rate=self.rate("EMAIL_RATE"),
            default_language=text("default_language"),
            authority_name=text("authority_name"),
            time_zone=text("time_zone"),
            default_country=text("default_country"),
            maximum_life=self.number("MAXIMUM_LIFE", 24 * 3600.0, 60, 30 * 86400),
            cap_profiles=self.profiles("CAP_PROFILES"),
            cap_signing_key_file=text("cap_signing_key_file"),
            cap_signing_key_password=text("cap_signing_key_password"),
            cap_anchors_file=text("cap_anchors_file"),
            retention_deliveries=self.number("RETENTION_DELIVERIES", 90.0, 0, 36_500),
            retention_addresses=self.number("RETENTION_ADDRESSES", 365.0, 0, 36_500),
            surplus_percent=self.number("SURPLUS_PERCENT", 10.0, 0, 1000),
            metrics_token=self.token("METRICS_TOKEN"),
            log_level=text("log_level").upper(),
            web_concurrency=int(self.number("WEB_CONCURRENCY", 1, 1, 256)),
            web_threads=int(self.number("WEB_THREADS", 16, 1, 256)),
            port=int(self.number("PORT", 8000, 1, 65535)),
            forwarded_allow_ips=text("forwarded_allow_ips"),
        )
        if settings.pgbouncer and not settings.database_direct_url:
            # In transaction pooling a lock of a session stays with whichever connection had it: no sweep would be the one.
            self.problems.append(
                "DATABASE_DIRECT_URL is not set: with PGBOUNCER the sweep, migrations and backups need the database itself"
            )
        if self.problems:
            raise ConfigurationError("\n".join(self.problems))
        return settings

    def text(self, name: str, default: str) -> str:
        value = self.environ.get(name)
        file = self.environ.get(f"{name}_FILE")
        if value is None and file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                self.problems.append(f"{name}_FILE: cannot be read ({error.strerror})")
        return default if value is None else value

    def required(self, name: str, what: str) -> str:
        value = self.text(name, "")
        if not value:
            self.problems.append(f"{name} is not set: give {what}, or a file that holds it in {name}_FILE")
        return value

    def url(self, name: str, schemes: set[str], default: str | None = None) -> str:
        value = self.text(name, default or "")
        if not value and default is not None:
            return value
        if urlsplit(value).scheme not in schemes:
            self.problems.append(f"{name} must be a URL with one of the schemes {', '.join(sorted(schemes))}")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        written = self.text(name, str(default))
        try:
            value = float(written)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.problems.append(f"{name} must be a number from {low:g} to {high:g}")
            return default
        return value

    def profiles(self, name: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(filter(None, (item.strip() for item in self.text(name, "").split(",")))))
        if names:
            from alerting.cap.profiles import named

            for profile in names:
                try:
                    named(profile)
                except ValueError as error:
                    self.problems.append(f"{name}: {error}")
        return names

    def token(self, name: str) -> str:
        value = self.text(name, "")
        if value and (len(value) < 16 or not value.isascii() or " " in value):
            self.problems.append(
                f"{name} must have at least 16 ASCII characters and no blank, as a random one has"
            )
        return value

    def rate(self, name: str) -> float | None:
        return self.number(name, 0, 0.01, 1e6) if self.text(name, "") else None

    def key(self, name: str) -> bytes:
        return self.base64_key(name, self.required(name, "32 random bytes in base64"))

    def address_keys(self) -> tuple[tuple[str, bytes], ...]:
        written = self.required("ADDRESS_KEYS", "comma-separated id:base64 pairs, the first encrypts")
        pairs = [item.partition(":") for item in written.split(",") if item.strip()]
        return tuple((name.strip(), self.base64_key("ADDRESS_KEYS", value)) for name, _, value in pairs)

    def base64_key(self, name: str, written: str) -> bytes:
        try:
            key = base64.b64decode(written.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if written and len(key) != 32:
            self.problems.append(f"{name}: a key must be 32 bytes in base64")
        return key
