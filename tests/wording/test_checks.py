"""What the wording checks say of a warning's texts, where, and of which texts they say nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.cap.findings import ERROR, WARNING, Finding
from alerting.cap.model import Alert, MsgType, NamedValue, Status
from alerting.cap.rules import check
from alerting.wording.checks import check_words, contradicting

from .samples import CHINESE, ENGLISH, alert, info

ROOT = Path(__file__).resolve().parents[2]
PLAIN = alert(ENGLISH)


def found(made: Alert, rule: str) -> list[tuple[str, str]]:
    """Pointer and message of each finding of a rule."""
    return [(each.pointer, each.message) for each in check_words(made) if each.rule == rule]


def places(made: Alert, rule: str) -> list[str]:
    return [pointer for pointer, _ in found(made, rule)]


def saying(headline: str, language: str = "en", **changes: object) -> Alert:
    """An alert with this headline and nothing else that could be judged."""
    return alert(info(language, headline=headline, event="-", description=None, instruction=None, **changes))


def test_a_warning_in_three_languages_is_not_remarked_upon() -> None:
    assert check_words(alert(ENGLISH, CHINESE)) == ()


def test_findings_come_in_the_order_of_their_places() -> None:
    made = alert(
        info(headline="TBD", description="Call [NUMBER] now"), info("fr", headline="This is a drill")
    )
    order = [each.place for each in check_words(made)]
    assert order == sorted(order)
    assert len(order) >= 3


def test_words_load_no_model_and_cap_loads_no_words() -> None:
    script = (
        "import sys, alerting.wording; assert 'py3langid' not in sys.modules; "
        "assert 'alerting.wording.checks' not in sys.modules; import alerting.wording.checks; "
        "assert 'py3langid' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
    script = "import sys, alerting.cap.rules; assert not any('wording' in name for name in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


# ------------------------------------------------------------------------------------------- W-01: the language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Go to higher ground now and stay away from the river."),
        ("fr", "Éloignez-vous des berges et gagnez les hauteurs sans attendre."),
        ("de-AT", "Verlassen Sie sofort die Ufer und gehen Sie auf höher gelegenes Gelände."),
        ("es-419", "Aléjese del río y diríjase de inmediato a un terreno más alto."),
        ("nb", "Gå til høyere terreng nå, og hold deg unna elva."),
        ("no", "Gå til høgare terreng no, og hald deg unna elva."),
        ("sr-Latn", "Odmah krenite na više mesto i ne prilazite reci."),
        ("hr", "Odmah krenite na više mjesto i ne prilazite rijeci."),
        ("id", "Segera pindah ke tempat yang lebih tinggi dan jauhi sungai."),
        ("ms", "Segera berpindah ke tempat yang lebih tinggi dan jauhi sungai."),
        ("ar", "توجهوا إلى مكان مرتفع فورا وابتعدوا عن النهر."),
        ("ja", "ただちに高台へ避難し、川に近づかないでください。"),
        ("zh", "請立即轉移到高處，遠離河岸。"),
        ("zh-Hant-HK", "請立即轉移到高處，遠離河岸。"),
        ("zh-CN", "请立即转移到高处，远离河岸。"),
        ("yue", "請即刻去高啲嘅地方，唔好行近河邊。"),
        ("gsw", "Gönd sofort id Höchi und blibed weg vom Fluss und vom Bach."),
        ("x-tsunami", "Go to higher ground now and stay away from the river."),
        ("mul", "Go to higher ground now. Gagnez les hauteurs sans attendre."),
        ("fr", "NOAA, USGS: SMS 112"),
        ("zh-Hans", "SMS / USGS / NOAA"),
        ("de", "Sturm"),
    ],
)
def test_a_text_in_its_language_or_in_none_that_is_known_passes(language: str, text: str) -> None:
    assert places(saying(text, language), "W-01") == []


@pytest.mark.parametrize(
    ("language", "text", "named"),
    [
        ("fr", "Go to higher ground now and stay away from the river.", "English"),
        ("en", "Éloignez-vous des berges et gagnez les hauteurs sans attendre.", "French"),
        ("en", "暴雨红色预警", "Chinese script"),
        ("ru", "Go to higher ground now, away from the river.", "Latin script"),
        ("en", "Немедленно уходите на возвышенность.", "Cyrillic script"),
        ("zh-TW", "请立即转移到高处，远离河岸。", "simplified characters"),
        ("zh-Hans", "請立即轉移到高處，遠離河岸。", "traditional characters"),
        ("zh-Hans", "ただちに高台へ避難し、川に近づかないでください。", "Japanese"),
        ("ko", "请立即转移到高处，远离河岸。", "Chinese"),
        ("pt", "Verlassen Sie sofort die Ufer und gehen Sie auf höher gelegenes Gelände.", "German"),
    ],
)
def test_a_text_in_another_language_is_named(language: str, text: str, named: str) -> None:
    (pointer, message), *more = found(saying(text, language), "W-01")
    assert (pointer, more) == ("/info/0/headline", [])
    assert named in message
    assert language in message


def test_an_absent_language_is_american_english() -> None:
    made = alert(replace(ENGLISH, language=None))
    assert places(made, "W-01") == []
    made = alert(replace(CHINESE, language=None))
    assert places(made, "W-01") == ["/info/0/language"]


def test_an_info_wholly_in_another_language_is_told_of_once() -> None:
    assert places(alert(info("es")), "W-01") == ["/info/0/language"]


def test_texts_too_short_alone_are_judged_together() -> None:
    made = alert(
        info(
            "fr",
            headline="Heavy rain; stay indoors",
            description="Do not cross the river",
            instruction="Go now",
        )
    )
    assert places(made, "W-01") == ["/info/0/language"]


def test_one_foreign_text_among_good_ones_is_told_of_where_it_stands() -> None:
    made = alert(info(instruction="Éloignez-vous des berges et gagnez les hauteurs sans attendre."))
    assert places(made, "W-01") == ["/info/0/instruction"]


def test_the_language_is_never_an_error() -> None:
    assert {each.severity for each in check_words(saying("暴雨红色预警", "en"))} == {WARNING}


# ----------------------------------------------------------------------------------------------- W-02: blanks


@pytest.mark.parametrize(
    "text",
    [
        "Until [TIME] stay inside", "Near [insert place]", "Near [name of town]", "Until {time}", "Until {{ time }}",
        "For ${place}", "For %(place)s", "For %s", "For %1$s and", "Flood near <place>", "Call XXX", "From XX:XX",
        "River level TBD", "Until ____ today", "____ is closed", "地点【】", "【　】河", "XX市发布", "×月×日", "○○市",
        "撤离时间待定", "待补充", "Lorem ipsum dolor", "undefined", "None", "[ ] hours",
    ],
)  # fmt: skip
def test_what_was_not_filled_in_is_found(text: str) -> None:
    assert places(saying(text), "W-02") == ["/info/0/headline"]


@pytest.mark.parametrize(
    "text",
    [
        "Flood [1] near the mill", "[EXERCISE] Flood", "Humidity 100%", "Rain 80 %, wind 20 km/h", "100 %d'humidité",
        "Signal [red]", "[Level III/Heavy] storm", "Gusts < 90 km/h and > 60 km/h", "<br/>Stay in", "二〇〇〇年以来",
        "二〇二六年七月", "【暴雨】预警", "Part one\n_____________\nPart two", "None of the roads is open", "Text (1)",
        "Class XX river", "Tornado {EF2}"[:7],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_blank_passes(text: str) -> None:
    assert places(saying(text), "W-02") == []


def test_blanks_are_looked_for_in_every_text_and_named() -> None:
    made = alert(replace(info(sender_name="{agency}"), area=(replace(ENGLISH.area[0], area_desc="TBD"),)))
    made = replace(made, note="%s")
    assert places(made, "W-02") == ["/info/0/area/0/areaDesc", "/info/0/senderName", "/note"]
    assert '"{agency}"' in dict(found(made, "W-02"))["/info/0/senderName"]


# -------------------------------------------------------------------------------------- W-03: words and status


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "TEST Flood warning"), ("en", "This is only a test."), ("en", "Evacuation drill at noon"),
        ("en", "EXERCISE EXERCISE EXERCISE"), ("en", "Water test results are in"), ("zh-Hans", "防汛演练通知"),
        ("zh-Hans", "系统测试"), ("zh-Hant", "演習，請勿驚慌"), ("es", "Simulacro de sismo"), ("es", "Esto es una prueba"),
        ("fr", "Ceci est un exercice"), ("fr", "Message d’essai"), ("ar", "هذا تمرين"), ("ja", "これは訓練です"),
        ("ko", "민방위 훈련"), ("de", "Probealarm am Samstag"), ("de", "Dies ist eine Übung"), ("ru", "Учебная тревога"),
        ("pt-BR", "Este é um teste"), ("sv", "Detta är en övning"), ("gsw", "This is a TEST"),
    ],
)  # fmt: skip
def test_a_drill_sent_as_real_is_an_error(language: str, text: str) -> None:
    (finding,) = contradicting(saying(text, language))
    assert (finding.rule, finding.severity, finding.pointer) == ("W-03", ERROR, "/info/0/headline")
    assert finding in check_words(saying(text, language))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Mariners should exercise extreme caution"), ("en", "Exercise caution on wet roads"),
        ("en", "This is not a drill"), ("en", "This is NOT a test or an exercise."), ("en", "Avoid outdoor exercise"),
        ("en", "Do not exercise outdoors"), ("en", "The contest was called off; protest march"), ("en", "Latest news"),
        ("en", "Attest, detest, drilling rig"), ("fr", "Tes enfants doivent rester à la maison"),
        ("fr", "Ceci n’est pas un exercice"), ("es", "No es un simulacro"), ("es", "Abrigo a prueba de agua"),
        ("zh-Hans", "这不是演习"), ("ja", "これは訓練ではありません"), ("it", "Non è un'esercitazione"), ("de", "Keine Übung"),
    ],
)  # fmt: skip
def test_words_that_deny_a_drill_or_mean_something_else_pass(language: str, text: str) -> None:
    assert contradicting(saying(text, language)) == ()


def test_every_text_that_people_read_is_looked_at() -> None:
    made = alert(
        info(
            event="Drill",
            headline="A test",
            description="A test",
            instruction="A test",
            parameter=(NamedValue("CMAMtext", "A test"), NamedValue("station", "test-4")),
        )
    )
    made = replace(made, note="A test")
    assert [each.pointer for each in contradicting(made)] == [
        "/info/0/description",
        "/info/0/event",
        "/info/0/headline",
        "/info/0/instruction",
        "/info/0/parameter/0/value",
        "/note",
    ]


@pytest.mark.parametrize("kind", [MsgType.CANCEL, MsgType.ERROR, MsgType.ACK])
def test_a_correction_never_waits(kind: MsgType) -> None:
    assert contradicting(replace(saying("This was a drill"), msg_type=kind)) == ()


def test_an_update_is_judged_like_an_alert() -> None:
    assert len(contradicting(replace(saying("This is a drill"), msg_type=MsgType.UPDATE))) == 1


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_a_drill_that_says_that_it_is_none_is_an_error(status: Status) -> None:
    made = replace(saying("Exercise: THIS IS NOT A DRILL"), status=status)
    assert [each.pointer for each in contradicting(made)] == ["/info/0/headline"]
    assert contradicting(replace(saying("Exercise: not a real warning"), status=status)) == ()


def test_an_exercise_that_does_not_say_so_is_warned_of_in_each_language() -> None:
    made = replace(alert(ENGLISH, replace(CHINESE, headline="防汛演练")), status=Status.EXERCISE)
    assert [(each.pointer, each.severity) for each in check_words(made)] == [("/info/0/headline", WARNING)]
    assert check_words(replace(made, note="Exercise Blue Sky")) == ()
    assert places(replace(alert(info("gsw")), status=Status.TEST), "W-03") == []


# ------------------------------------------------------------------------------------------------ W-04, W-05


def test_nearly_the_same_text_in_two_languages_is_told_of_once() -> None:
    twin = info("fr", description=None, instruction=None, headline="FLOOD in the lower valley!")
    assert places(alert(ENGLISH, twin), "W-04") == ["/info/1/headline"]
    same = replace(twin, headline=ENGLISH.headline)
    assert places(alert(ENGLISH, same), "W-04") == []
    assert "/info/1/headline" in [each.pointer for each in check(alert(ENGLISH, same)) if each.rule == "I-04"]


def test_one_language_in_two_regions_may_share_its_text() -> None:
    assert (
        places(alert(info("en-GB"), replace(info("en-US"), headline="Flood, in the lower valley")), "W-04")
        == []
    )


def cellular(**texts: str) -> Alert:
    return alert(info(parameter=tuple(NamedValue(name, text) for name, text in texts.items())))


def test_texts_for_telephones_have_their_length() -> None:
    assert places(cellular(CMAMtext="a" * 90, CMAMlongtext="a" * 360), "W-05") == []
    made = cellular(CMAMtext="a" * 91, CMAMlongtext="a" * 361, EASText="a" * 900)
    assert places(made, "W-05") == ["/info/0/parameter/0/value", "/info/0/parameter/1/value"]
    named = replace(made, code=("IPAWSv1.0",))
    assert places(named, "W-05") == [], "US-09 of the profile says it"


def test_texts_for_telephones_have_plain_characters() -> None:
    ((pointer, message),) = found(cellular(CMAMtext="Sheriff’s office – go"), "W-05")
    assert pointer == "/info/0/parameter/0/value"
    assert "’ –" in message
    assert places(cellular(CMAMtext="Sheriff's office - go"), "W-05") == []
    assert places(cellular(CMAMtext="Evacúe la zona ahora – río"), "W-05") == []


# ------------------------------------------------------------------------------------------------ size


def test_a_long_text_takes_no_long_time() -> None:
    import time

    made = saying("exercise not a test [ { < _ ( ％ XX " * 12_000)
    check_words(PLAIN)
    start = time.perf_counter()
    assert any(isinstance(each, Finding) for each in check_words(made))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("letter", ["x", "_", "○", " "])
def test_a_long_run_of_one_letter_costs_nothing(letter: str) -> None:
    """Tried anew from every letter of a run, a pattern would take minutes for what a submitter may send."""
    long = saying(f"q{letter * 100_000}q")
    began = time.process_time()
    check_words(long)
    assert time.process_time() - began < 2
