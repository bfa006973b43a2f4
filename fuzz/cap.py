"""`make fuzz`: what reads or judges CAP, fed with mutated documents by libFuzzer (atheris), each target for a bounded time.

Owns the targets and what must hold of each. A target runs in a process of its own: libFuzzer ends the process. Seeds are
made messages, and real ones where the shared folder lies beside the checkout; findings of a run go into build/fuzz.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = Path(os.environ.get("ALERTING_SHARED") or ROOT.parent / "shared")
FOUND: Final = ROOT / "build" / "fuzz"
SEED_SIZE: Final = 6_000  # bytes of a real message that is still quick to mutate
INPUT_SIZE: Final = 12_000
SLOW: Final = 5  # seconds that one input may take
MEMORY: Final = 2_048  # megabytes
TARGETS: Final = ("xml", "json", "rules", "tolerant", "feed")

Target = Callable[[bytes], None]


def targets() -> dict[str, Target]:
    """The functions under test, imported with coverage."""
    import atheris

    with atheris.instrument_imports(include=["alerting.cap"], enable_loader_override=False):
        from alerting.cap.jsonform import digest, from_json, to_json
        from alerting.cap.rules import Context, Mode, check
        from alerting.cap.rules.feed import check_feed
        from alerting.cap.segment import segments
        from alerting.cap.tolerant import read_tolerant
        from alerting.cap.xml import read, write
    from hypothesis import given

    from tests.cap import made

    contexts = (Context(now=made.NOW), Context(now=made.NOW, mode=Mode.PUBLISH))

    def judge(subject: object) -> None:
        for context in contexts:
            for finding in check(subject, context):  # type: ignore[arg-type]  # a Document or an Alert
                assert finding.path.startswith("/alert")
                assert finding.message

    def xml(data: bytes) -> None:
        document = read(data)
        judge(document)
        if document.alert is None:
            assert any(finding.severity == "error" for finding in document.findings)
            return
        assert read(write(document.alert)).alert == document.alert
        assert sum(len(segment.infos) for segment in segments(document.alert)) == len(document.alert.info)

    def in_json(data: bytes) -> None:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return
        document = from_json(value)
        judge(document)
        if document.alert is not None:
            again = from_json(to_json(document.alert)).alert
            assert again == document.alert
            assert digest(again) == digest(document.alert)

    def tolerant(data: bytes) -> None:
        tolerated = read_tolerant(data, now=made.NOW)
        assert tolerated.alerts or tolerated.findings
        for taken in tolerated.alerts:
            judge(taken.document)
            alert = taken.document.alert
            if alert is not None:
                assert read(write(alert)).alert == alert

    def feed(data: bytes) -> None:
        for finding in check_feed(data):
            assert finding.message

    rules: Target = vars(given(made.alerts)(judge))["hypothesis"].fuzz_one_input
    return {"xml": xml, "json": in_json, "rules": rules, "tolerant": tolerant, "feed": feed}


def seeds(name: str) -> list[bytes]:
    """What the mutations of a target begin with."""
    from alerting.cap.jsonform import to_json
    from alerting.cap.xml import Unwritable, read, write
    from tests.cap import made
    from tests.cap.test_rules import SOUND, UNSOUND
    from tests.cap.test_rules_feed import SOUND as FEEDS

    if name == "rules":
        return []
    alerts = [*SOUND.values(), *(row[2] for row in UNSOUND)]
    messages: list[bytes] = []
    for alert in alerts:
        with suppress(Unwritable):  # a case of A-11 is no CAP at all
            messages.append(write(alert))
    real = [file.read_bytes() for file in sorted((SHARED / "cap" / "corpus").glob("*alid/*"))]
    messages = [data for data in [*messages, *real] if len(data) <= SEED_SIZE]
    if name == "json":
        read_back = [alert for alert in (read(data).alert for data in messages) if alert is not None]
        return [json.dumps(to_json(alert)).encode() for alert in (made.alert(), *read_back)]
    wrapped = [text.encode() for text in FEEDS.values()]
    return {"xml": messages, "tolerant": messages + wrapped, "feed": wrapped}[name]


def words() -> str:
    """libFuzzer's dictionary: the names and vocabularies of CAP."""
    from alerting.cap.schema import ALERT, AREA, INFO, NAMESPACE, RESOURCE

    found = {NAMESPACE, "<![CDATA[", "]]>", "<!DOCTYPE", "&#x", "-00:00", "+00:00", "T24:00:00", "xmlns="}
    for block in (ALERT, INFO, AREA, RESOURCE):
        for each in block.fields:
            found |= {f"<{each.name}>", f"</{each.name}>", f'"{each.name}":', *each.words}
    return "".join(json.dumps(word).replace("\\u", "\\\\u") + "\n" for word in sorted(found))


def fuzz(name: str, seconds: int) -> None:
    """Run one target; libFuzzer ends this process, with 0 where nothing was found."""
    import atheris

    target = targets()[name]
    corpus = FOUND / f"{name}.corpus"  # kept: the next run begins where this one ended
    corpus.mkdir(parents=True, exist_ok=True)
    for n, data in enumerate(seeds(name)):
        (corpus / f"seed-{n}").write_bytes(data)
    dictionary = FOUND / "words"
    dictionary.write_text(words(), encoding="utf-8")
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOW}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={INPUT_SIZE}",
        f"-dict={dictionary}",
        f"-artifact_prefix={FOUND}/{name}-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target", nargs="?", choices=TARGETS, help="only this one, in this process")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    arguments = parser.parse_args()
    if arguments.target:
        fuzz(arguments.target, arguments.seconds)
        return 0
    failed = 0
    for name in TARGETS:
        command = [sys.executable, "-m", "fuzz.cap", name, "--seconds", str(arguments.seconds)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        runs = re.search(r"number_of_executed_units:\s*(\d+)", said)
        edges = re.findall(r"cov: (\d+)", said)
        failed += done.returncode != 0
        verdict = "nothing found" if done.returncode == 0 else f"FAILED, the input is in {FOUND}"
        print(
            f"{name:9} {runs[1] if runs else '?':>9} inputs, {edges[-1] if edges else '?':>5} edges: {verdict}"
        )
        if done.returncode != 0:
            print("\n".join(said.splitlines()[-40:]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
