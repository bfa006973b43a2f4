"""The ways out that this installation has: Settings become channels. For the composition roots alone.

Imported by create_app, the workers and the command line; nothing else knows a concrete channel. Invariant: a channel that
is not configured is absent, and whoever needs it says so.
"""

from __future__ import annotations

from alerting.config import Settings
from channels.base import Channel


def channel_from(settings: Settings, name: str) -> Channel | None:
    """The addressed channel of this name; None when it is not configured.

    Its client library is loaded here: a worker of one lane does not carry those of the others.
    """
    if name == "sms" and settings.twilio_account_sid:
        from channels.twilio_sms import TwilioConfig, TwilioSms

        return TwilioSms(
            TwilioConfig(
                account_sid=settings.twilio_account_sid,
                auth_token=settings.twilio_auth_token,
                messaging_service_sid=settings.twilio_messaging_service_sid,
                api_base_url=settings.twilio_api_base_url,
                status_callback=f"{settings.public_base_url}/webhooks/sms/status",
                in_flight=settings.sms_in_flight,
            )
        )
    if name == "email" and settings.smtp_url:
        from channels.smtp_email import SmtpConfig, SmtpEmail

        return SmtpEmail(
            SmtpConfig(
                url=settings.smtp_url, mail_from=settings.mail_from, connections=settings.smtp_connections
            )
        )
    return None


def channels_from(settings: Settings) -> dict[str, Channel]:
    """Every addressed channel that is configured, by name."""
    found = {name: channel_from(settings, name) for name in ("sms", "email")}
    return {name: channel for name, channel in found.items() if channel is not None}
