"""Our reading of X-Twilio-Signature says what Twilio's own validator says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.twilio_signature import signed

TOKEN = "a token of the tests"

ORIGINS = [
    "https://warn.example",
    "https://warn.example:443",
    "https://warn.example:8443",
    "http://warn.example",
    "http://warn.example:80",
    "http://127.0.0.1:8000",
]
PATHS = ["/webhooks/sms/status?delivery=1.2", "/service/webhooks/sms/inbound", "/a?b=%C3%BC&c=d%2Fe", "/", ""]

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
forms = st.dictionaries(words, words, max_size=8)


@given(st.sampled_from(ORIGINS), st.sampled_from(ORIGINS), st.sampled_from(PATHS), forms, st.booleans())
def test_it_agrees_with_twilios_validator(
    called: str, ours: str, path: str, form: dict[str, str], whole: bool
) -> None:
    validator = RequestValidator(TOKEN)
    signature = validator.compute_signature(called + path, form)
    signature = signature if whole else signature[:-2] + "x="
    assert signed(TOKEN.encode(), ours + path, form, signature) == validator.validate(
        ours + path, form, signature
    )


@pytest.mark.parametrize("origin", ["https://warn.example", "http://warn.example"])
@pytest.mark.parametrize("named", ["", ":443", ":80"])
def test_the_port_of_the_scheme_may_be_named_or_not(origin: str, named: str) -> None:
    own = ":443" if origin.startswith("https") else ":80"
    signature = RequestValidator(TOKEN).compute_signature(origin + named + "/x", {"a": "b"})
    assert signed(TOKEN.encode(), origin + "/x", {"a": "b"}, signature) == (named in {"", own})
    assert signed(TOKEN.encode(), origin + own + "/x", {"a": "b"}, signature) == (named in {"", own})


@pytest.mark.parametrize("signature", ["", "é", "\udce9", "A" * 28, "AAAA"])
def test_what_is_no_signature_is_refused_and_raises_nothing(signature: str) -> None:
    assert not signed(TOKEN.encode(), "https://warn.example/x", {"a": "b"}, signature)
