"""`alerting cap events` as people and scripts call it, and the page of examples."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

from click.testing import CliRunner, Result

from alerting.cli.cap_events import events

DOCS = Path(__file__).resolve().parents[3] / "docs" / "events.md"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(events, arguments)


def test_a_line_says_scheme_code_names_categories_and_response_types() -> None:
    found = run("flash flood", "--scheme", "OET")
    assert (found.exit_code, found.output) == (
        0,
        "OET       OET-079           flash flood [Met] Evacuate,Avoid\n",
    )


def test_json_is_a_list_with_an_object_for_each_term() -> None:
    found = run("红", "--format", "json")
    (grade,) = json.loads(found.stdout)
    assert (grade["scheme"], grade["code"], grade["severity"]) == ("CN-GRADE", "I", "Extreme")
    assert {"language": "zh-Hans", "name": "特别重大"} in grade["names"]
    assert "红色" in found.stdout


def test_an_instruction_comes_with_its_source() -> None:
    (found,) = json.loads(run("TOR", "--scheme", "SAME", "--format", "json").stdout)[:1]
    assert found["instructions"][0]["source"] == "https://www.ready.gov/tornadoes"


def test_nothing_found_ends_with_1_and_says_what_to_try() -> None:
    found = run("nothing like it")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "try fewer letters" in found.stderr
    assert (
        run("nothing like it", "--format", "json").exit_code,
        run("x" * 40, "--format", "json").stdout,
    ) == (
        1,
        "[]\n",
    )


def test_a_wrong_question_ends_with_2() -> None:
    for arguments in (
        ("flood", "--scheme", "XXX"),
        ("flood", "--language", "no tag"),
        ("flood", "--limit", "0"),
    ):
        found = run(*arguments)
        assert found.exit_code == 2
        assert "Traceback" not in found.output


def test_without_a_query_a_scheme_is_listed() -> None:
    assert len(run("--scheme", "CAP-AU", "--limit", "1000").output.splitlines()) == 176


def test_the_examples_of_the_page_run_as_printed() -> None:
    failed, tried = doctest.testfile(
        str(DOCS), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0
    assert tried > 8
