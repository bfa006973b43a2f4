"""What providers tell us: status callbacks become receipts, texts from citizens become acts of theirs.

The channel verifies the signature and says what a request means; it is found by its name, never imported. Must not import
the store. Invariant: nothing of an unsigned request is stored, and no answer to a citizen goes out in the HTTP reply.
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from alerting import subscribing
from alerting.api.access import webhook
from alerting.api.callbacks import FAILED
from alerting.api.setting import channel, now, settings
from alerting.tracking import receipts
from channels.base import Event, InboundEvent, ReceiptEvent, Webhook

blp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

#: TwiML that does nothing: the answer goes through the outbox, where it is kept and tracked.
NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@blp.route("/<name>/status", methods=["POST"])
@webhook
def status(name: str) -> Response:
    """A later word about a delivery; nearly all are answered by `callbacks`, before they get here."""
    failed = request.environ.get(FAILED)
    if failed is not None:
        raise failed
    found = [event for event in _events(name) if isinstance(event, ReceiptEvent)]
    if found:
        receipts.record(found, now=now())
    return Response(status=204)


@blp.route("/<name>/inbound", methods=["POST"])
@webhook
def inbound(name: str) -> Response:
    """A text from a citizen."""
    for event in _events(name):
        if isinstance(event, InboundEvent):
            subscribing.inbound(event, settings=settings(), now=now())
    return Response(NO_REPLY, mimetype="text/xml")


def _events(name: str) -> list[Event]:
    found = channel(name)
    if found is None:
        raise NotFound
    query = request.query_string.decode("ascii", "replace")
    address = settings().public_base_url + request.path + (f"?{query}" if query else "")
    # The body is read before the form: werkzeug keeps no bytes once it has parsed them.
    body = request.get_data(cache=True, parse_form_data=False)
    return found.events(
        Webhook(
            url=address,
            method=request.method,
            headers={name.lower(): value for name, value in request.headers.items()},
            form=request.form.to_dict(),
            query=request.args.to_dict(),
            body=body,
        )
    )
