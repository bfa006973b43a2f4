"""What the machine carries at most: two bare asyncio clients that hand the same bytes to the same sandbox, nothing else.

    python -m bench.limit CHANNEL COUNT

prints a line when it is ready and sends when it reads one. Every form and every mail is the adapter's own, made before;
nothing of a reply is looked at but its end. As many connections as the service uses.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable

from alerting import outlets
from alerting.config import Settings
from bench import adapters, bare
from channels.smtp_email import SmtpEmail
from channels.smtp_session import Mail
from channels.twilio_sms import TwilioSms


def ready(channel: str, count: int, settings: Settings) -> Callable[[], None]:
    """Make the bytes of `count` messages; what is returned sends them."""
    adapter = outlets.channel_from(settings, channel)
    messages = adapters.messages(channel, count, adapters.contents(channel))
    if isinstance(adapter, TwilioSms):
        forms = [adapter._body(message) for message in messages]
        user = b64encode(f"{settings.twilio_account_sid}:{settings.twilio_auth_token}".encode())
        headers = b"Authorization: Basic %b\r\nContent-Type: application/x-www-form-urlencoded\r\n" % user
        return lambda: bare.post(
            settings.twilio_api_base_url, iter(forms), settings.sms_in_flight, headers=headers
        )
    assert isinstance(adapter, SmtpEmail)
    made = [mail for message in messages if isinstance(mail := adapter._prepare(message), Mail)]
    mails = [(b"".join(mail.commands), mail.data) for mail in made]
    return lambda: bare.mail(settings.smtp_url, iter(mails), settings.smtp_connections)


def main() -> None:
    send = ready(sys.argv[1], int(sys.argv[2]), Settings.from_env())
    print("ready", flush=True)
    sys.stdin.readline()
    send()
    print("done", flush=True)


if __name__ == "__main__":
    main()
