from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.cap.model import Alert, Area, MsgType, ResponseType, Severity, Status
from alerting.wording import MUL, Issuer, Rendered, SmsLimits, content_hash, render, render_all, sms
from alerting.wording.phrases import phrases
from tests.wording.samples import (
    ARABIC,
    CHINESE,
    ENGLISH,
    ISSUER,
    LINK,
    SENT,
    alert,
    cancel_without_info,
    first,
    info,
)

SIX = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")


def text_of(told: Alert, language: str = "en", channel: str = "sms", issuer: Issuer = ISSUER) -> str:
    return render(told, first(told), channel, language, issuer, LINK).text


# ---- SMS ----


def test_an_sms_says_what_where_until_when_what_to_do_who_and_where_to_read_more() -> None:
    assert text_of(alert(info(sender_name="Anhui Water Office"))).replace("\u202f", " ").split("\n") == [
        "Flood in the lower valley",
        "Lower valley",
        "Until Fri, Jul 24, 7:00 PM UTC+8",
        "The river rises quickly.",
        "Move to higher ground now.",
        "Anhui Water Office",
        LINK,
    ]


def test_without_instruction_the_response_types_are_said_in_the_language() -> None:
    told = alert(
        info(instruction=None, response_type=(ResponseType.EVACUATE, ResponseType.MONITOR)),
        replace(CHINESE, instruction=None, response_type=(ResponseType.EVACUATE,)),
        replace(ARABIC, instruction=None),
    )
    assert "Leave the area now. Follow the news for further information." in text_of(told)
    assert "请立即撤离该区域。" in text_of(told, "zh-Hans")
    assert "اتبع تعليمات السلطات." in text_of(told, "ar")


def test_a_warning_that_begins_later_says_when() -> None:
    told = alert(info(onset=SENT + timedelta(hours=3)))
    assert "From Fri, Jul 24, 1:00 PM UTC+8 until Fri, Jul 24, 7:00 PM UTC+8" in text_of(told)


def test_a_long_description_gives_way_and_nothing_else() -> None:
    whole, long = text_of(alert(ENGLISH)), alert(info(description="The river rises quickly. " * 100))
    cut = render(long, first(long), "sms", "en", ISSUER, LINK)
    assert cut.segments == sms.segments(cut.text) == 3
    lines = cut.text.split("\n")
    assert [line for line in lines if "rises" not in line] == [
        line for line in sms.plain(whole).split("\n") if "rises" not in line
    ]
    assert lines[3].endswith("...")


def test_the_budget_is_the_issuers() -> None:
    long = alert(info(description="The river rises quickly. " * 100))
    for most in (2, 5):
        issuer = replace(ISSUER, sms_limits=SmsLimits(gsm7=most))
        assert render(long, first(long), "sms", "en", issuer, LINK).segments == most


words_of_any_kind = st.text(alphabet="Flood water river “—” éç€ 洪水河 نهر\n\t👩‍👩‍👧", max_size=700)


@given(
    headline=words_of_any_kind,
    description=words_of_any_kind,
    instruction=words_of_any_kind,
    area=st.lists(words_of_any_kind, min_size=1, max_size=3),
    sender=words_of_any_kind,
    status=st.sampled_from([Status.ACTUAL, Status.EXERCISE]),
    kind=st.sampled_from([MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL]),
)
@example(
    "\u200d", "", "\u2060", ["\u200b"], "\u200d", Status.ACTUAL, MsgType.ALERT
)  # nothing in it can be seen
def test_whatever_the_texts_the_five_parts_and_the_link_are_there(
    headline: str,
    description: str,
    instruction: str,
    area: list[str],
    sender: str,
    status: Status,
    kind: MsgType,
) -> None:
    written = info(
        headline=headline,
        description=description,
        instruction=instruction,
        sender_name=sender,
        area=tuple(Area(a) for a in area),
    )
    told = alert(written, status=status, msg_type=kind)
    made = render(told, first(told), "sms", "en", ISSUER, LINK)
    lines = made.text.split("\n")
    assert lines[-1] == LINK
    assert all(lines)  # no part is empty
    assert len(lines) >= 6 + (status is Status.EXERCISE)
    assert any("Jul 24" in line and "UTC+8" in line for line in lines)
    limit = 3 if sms.encoding(made.text) is sms.Encoding.GSM7 else 4
    assert made.segments == sms.segments(made.text) <= limit


def test_the_link_is_never_cut_even_if_the_budget_must_yield() -> None:
    link = "https://warnings.example.org/" + "w" * 700
    made = render(alert(ENGLISH), first(alert(ENGLISH)), "sms", "en", ISSUER, link)
    assert made.text.endswith("\n" + link)
    assert made.segments > 3
    for part in ("Flood", "Lower", "Jul 24", "Move to", "Water"):
        assert part in made.text


def test_with_a_long_link_the_other_parts_are_cut_further_and_all_of_them_stay() -> None:
    long = "river flood valley " * 20
    told = alert(info(headline=long, instruction=long, sender_name=long, area=(Area(long),)))
    link = "https://warnings.example.org/" + "w" * 320
    made = render(told, first(told), "sms", "en", ISSUER, link)
    assert made.segments == 3
    lines = made.text.split("\n")
    assert len(lines) == 6
    assert lines[-1] == link
    assert all(len(line) >= 8 for line in lines)


def test_typographic_quotes_do_not_make_an_sms_dearer() -> None:
    told = alert(info(headline="Flood in the “lower” valley – now"))
    assert sms.encoding(text_of(told)) is sms.Encoding.GSM7


def test_all_languages_in_one_sms_with_one_link() -> None:
    told = alert(
        *(replace(each, description=(each.description or "") * 40) for each in (ENGLISH, CHINESE, ARABIC))
    )
    made = render(told, first(told), "sms", MUL, ISSUER, LINK)
    assert made.text.count(LINK) == 1
    assert made.text.endswith(LINK)
    for part in (
        "Flood in",
        "洪水橙色预警",
        "تحذير من فيضان",
        "请立即转移到高处。",
        "انتقل إلى مكان مرتفع الآن.",
    ):
        assert part in made.text
    assert made.segments <= SmsLimits().all_languages


# ---- what kind of message it is ----


@pytest.mark.parametrize("language", SIX)
def test_an_exercise_says_so_first_in_every_language_on_every_channel(language: str) -> None:
    told = alert(info(language), status=Status.EXERCISE, note="Blue Wave 26")
    marker = phrases(language).say("EXERCISE - NOT A REAL WARNING")
    for channel in ("sms", "email", "rss", "web"):
        made = render(told, first(told), channel, language, ISSUER, LINK)
        assert marker in made.text
        assert "Blue Wave 26" in made.text
        if made.subject is not None:
            assert made.subject.startswith(marker)
    assert text_of(told, language).startswith(sms.plain(marker))
    assert language == "en" or marker != "EXERCISE - NOT A REAL WARNING"


def test_a_test_says_so_and_a_real_warning_does_not() -> None:
    assert text_of(alert(ENGLISH, status=Status.TEST)).startswith("TEST - NOT A REAL WARNING\n")
    assert text_of(alert(ENGLISH)).startswith("Flood in")


def test_update_and_cancel_are_worded_as_such() -> None:
    assert text_of(alert(ENGLISH, msg_type=MsgType.UPDATE)).startswith("UPDATE: Flood in")
    assert text_of(alert(ENGLISH, msg_type=MsgType.CANCEL)).startswith("CANCELLED: Flood in")
    assert text_of(alert(CHINESE, msg_type=MsgType.CANCEL), "zh-Hans").startswith("取消: 洪水")
    plain = alert(info(instruction=None, response_type=(ResponseType.EVACUATE,)), msg_type=MsgType.CANCEL)
    assert "The warning no longer applies." in text_of(plain)
    twice = info(instruction=None, description="The warning no longer applies.")
    for channel in ("sms", "email"):
        said = text_of(alert(twice, msg_type=MsgType.CANCEL), channel=channel)
        assert said.count("The warning no longer applies.") == 1
    assert "Leave the area" not in text_of(plain)  # what the original asked for is asked no more
    assert "Disregard the earlier message." in text_of(replace(plain, msg_type=MsgType.ERROR))


def test_a_cancel_without_info_speaks_in_the_languages_of_the_original() -> None:
    told, segment = cancel_without_info()
    texts = render_all(told, segment, ("sms", "email"), ISSUER, LINK)
    assert {language for _, language in texts} == {"en", "zh-Hans", "ar", MUL}
    english = texts["sms", "en"].text
    for part in (
        "CANCELLED",
        "Lower valley",
        "The warning was issued Fri, Jul 24, 10:00 AM UTC+8.",
        "Water Office",
    ):
        assert part in english
    assert "取消" in texts["sms", "zh-Hans"].text
    assert "إلغاء" in texts["email", "ar"].text
    assert LINK in texts["sms", MUL].text


def test_a_place_that_nobody_named_is_not_an_empty_line() -> None:
    told, segment = cancel_without_info()
    made = render(told, replace(segment, area=()), "sms", "en", ISSUER, LINK)
    assert "Place: see the link" in made.text


# ---- e-mail ----


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def email(told: Alert, language: str = "en") -> tuple[Rendered, list[tuple[str, dict[str, str | None]]]]:
    made = render(told, first(told), "email", language, ISSUER, LINK)
    assert made.html is not None
    assert made.subject is not None
    return made, _Tags(made.html).tags


def test_an_email_has_subject_text_and_html_with_the_link_and_the_way_out() -> None:
    made, tags = email(alert(ENGLISH))
    assert made.subject == "Flood in the lower valley"
    for text in (made.text, made.html or ""):
        for part in (
            "Flood in",
            "Lower valley",
            "2026",
            "UTC+8",
            "Move to higher",
            "Water Office",
            LINK,
            "unsubscribe",
        ):
            assert part in text
    assert ("a", {"href": LINK, "style": "color:#0b3d91"}) in tags
    assert not {tag for tag, _ in tags} & {"img", "script", "link", "iframe"}


def test_arabic_is_set_from_right_to_left_and_languages_are_marked() -> None:
    _, tags = email(alert(), "ar")
    assert tags[0] == ("html", {"lang": "ar", "dir": "rtl"})
    _, tags = email(alert(), MUL)
    marked = [(a.get("lang"), a.get("dir")) for tag, a in tags if tag == "div"]
    assert marked == [("en", "ltr"), ("zh-Hans", "ltr"), ("ar", "rtl")]


@pytest.mark.parametrize(
    ("severity", "background"),
    [("Extreme", "#b3001b"), ("Severe", "#f28c00"), ("Moderate", "#ffd84d"), ("Minor", "#1d4f91")],
)
def test_the_colour_is_that_of_the_severity_and_the_word_stands_beside_it(
    severity: str, background: str
) -> None:
    made, _ = email(alert(info(severity=Severity(severity))))
    assert background in (made.html or "")
    assert severity in (made.html or "")


HOSTILE = "<script>alert(1)</script> & \"x\" 'y' {{ 7 * 7 }} {% if %}"


def test_texts_of_a_document_are_never_markup_or_templates() -> None:
    told = alert(
        info(
            headline=HOSTILE,
            event=HOSTILE,
            description=HOSTILE,
            instruction=HOSTILE,
            sender_name=HOSTILE,
            contact=HOSTILE,
            web="javascript:alert(1)",
            area=(Area(HOSTILE),),
        ),
        note=HOSTILE,
    )
    made, tags = email(told)
    assert "script" not in {tag for tag, _ in tags}
    assert "javascript:" not in (made.html or "")
    assert "{{ 7 * 7 }}" in made.text
    assert "49" not in text_of(told)
    assert "\n" not in (made.subject or "")


def test_a_subject_is_one_line_of_bounded_length() -> None:
    made, _ = email(alert(info(headline="Flood\r\nBcc: everybody@example.org " + "long " * 100)))
    assert "\n" not in (made.subject or "")
    assert "\r" not in (made.subject or "")
    assert len(made.subject or "") <= 150


# ---- freezing ----


def test_every_channel_and_language_once_and_all_of_them_together() -> None:
    made = render_all(alert(), first(alert()), ("sms", "email", "rss", "web"), ISSUER, LINK)
    assert {language for _, language in made} == {"en", "zh-Hans", "ar", MUL}
    assert len(made) == 16
    one = render_all(alert(ENGLISH), first(alert(ENGLISH)), ("sms",), ISSUER, LINK)
    assert list(one) == [("sms", "en")]


def test_a_text_carries_its_hash_and_equal_input_gives_equal_text() -> None:
    for (channel, language), made in render_all(
        alert(), first(alert()), ("sms", "email"), ISSUER, LINK
    ).items():
        assert made.sha256 == content_hash(made.subject, made.text, made.html)
        assert made == render(alert(), first(alert()), channel, language, ISSUER, LINK)


def test_no_text_can_slide_into_another_part_of_the_hash() -> None:
    parts = ("a", "ab", "", "a\n", "-\n", None)
    hashes = {content_hash(s, t or "", h) for s in parts for t in parts for h in parts}
    assert len(hashes) == 6 * 5 * 6  # a text of None counts as empty here
    assert content_hash(None, "a", None) != hashlib.sha256(b"a").digest()


def test_an_unknown_channel_or_language_is_refused() -> None:
    with pytest.raises(ValueError, match="pigeon"):
        text_of(alert(), channel="pigeon")
    with pytest.raises(ValueError, match="not written in fr"):
        text_of(alert(), "fr")


def test_a_language_without_catalogue_keeps_its_own_texts() -> None:
    told = alert(info("pt-BR", headline="Enchente no vale", instruction=None))
    made = text_of(told, "pt-BR")
    assert "Enchente no vale" in made
    assert "24 de jul" in made
    assert "Follow the instructions of the authorities." in made


# ---- feeds ----


def test_a_summary_says_the_five_parts() -> None:
    made = render(alert(), first(alert()), "rss", "en", ISSUER, LINK)
    assert made.subject == "Flood in the lower valley"
    for part in ("Lower valley", "2026", "The river rises", "Move to higher", "Water Office"):
        assert part in made.text
    everything = render(alert(), first(alert()), "web", MUL, ISSUER, LINK)
    assert "洪水橙色预警" in everything.text
