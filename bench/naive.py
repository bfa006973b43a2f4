"""The design that everybody writes first: one RQ job for each recipient.

Each job loads its delivery by the ORM, opens the address, picks the text, sends it by a warm Twilio client or a warm
smtplib connection, and commits one update. Two SimpleWorker processes, which fork nothing. Kept to be measured against.
"""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, text
from sqlalchemy.orm import DeclarativeBase, Session
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from alerting.config import Settings
from alerting.store import tables
from alerting.store.addresses import Vault
from alerting.store.engine import normalise_url

QUEUE = "naive"


class Base(DeclarativeBase):
    """The service's own tables."""

    metadata = tables.metadata


class Delivery(Base):
    """A delivery as an ORM object."""

    __table__ = tables.delivery


class Origin(TwilioHttpClient):
    """Twilio's own client, sent to another origin."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin

    def request(self, method: str, url: str, *arguments: Any, **more: Any) -> Any:
        """Swap the origin and go on."""
        return super().request(method, self.origin + urlsplit(url).path, *arguments, **more)


@cache
def warm() -> tuple[Any, Client, smtplib.SMTP, Vault, Settings]:
    """Everything that one process keeps open."""
    settings = Settings.from_env()
    smtp = urlsplit(settings.smtp_url)
    client = Client(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        http_client=Origin(settings.twilio_api_base_url),
    )
    mail = smtplib.SMTP(smtp.hostname or "", smtp.port or 25)
    return create_engine(normalise_url(settings.database_url)), client, mail, Vault(settings), settings


def send(dispatch: int, n: int) -> None:
    """The job: one recipient."""
    engine, client, mail, vault, settings = warm()
    with Session(engine) as session:
        delivery: Any = session.get(Delivery, (dispatch, n))
        channel, key_id, cipher, mac = session.execute(
            text("SELECT channel, key_id, cipher, mac FROM address WHERE id = :id"), {"id": delivery.address}
        ).one()
        words = session.execute(
            text("""SELECT subject, r.text, html FROM rendering r JOIN dispatch d ON d.alert = r.alert
                    WHERE d.id = :d AND r.segment = :s AND r.channel = :c AND r.language = :l"""),
            {"d": dispatch, "s": delivery.segment, "c": channel, "l": delivery.language},
        ).one()
        to = vault.open(channel, key_id, cipher, mac)
        if channel == "sms":
            message = client.messages.create(
                to=to, body=words.text, messaging_service_sid=settings.twilio_messaging_service_sid
            )
            delivery.reference = message.sid
        else:
            mail_message = EmailMessage()
            mail_message["From"], mail_message["To"], mail_message["Subject"] = (
                settings.mail_from,
                to,
                words.subject,
            )
            mail_message.set_content(words.text)
            mail_message.add_alternative(words.html, subtype="html")
            mail.send_message(mail_message)
        delivery.status = "accepted"
        session.commit()


def enqueue(redis_url: str, rows: list[tuple[int, int]]) -> None:
    """A job for each row."""
    queue = Queue(QUEUE, connection=Redis.from_url(redis_url), serializer=JSONSerializer)
    for dispatch, n in rows:
        queue.enqueue_call("bench.naive.send", args=[dispatch, n], result_ttl=0)


def main() -> None:
    """A worker that ends when its queue is empty; `forking` as RQ does it by default."""
    settings = Settings.from_env()
    connection = Redis.from_url(settings.redis_url)
    kind = Worker if "forking" in sys.argv else SimpleWorker
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
    worker = kind([queue], connection=connection, serializer=JSONSerializer, log_job_description=False)
    worker.work(burst="burst" in sys.argv, logging_level="ERROR")


if __name__ == "__main__":
    main()
