"""The package stands alone: it loads no part of the web side and its page of examples runs as printed."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

from alerting.cap import area, chain, jsonform, rank, restamp, rules, segment, xml

DOCS = Path(__file__).resolve().parents[2] / "docs" / "cap.md"


def test_importing_it_loads_neither_flask_nor_sqlalchemy() -> None:
    names = [module.__name__ for module in (area, chain, jsonform, rank, restamp, rules, segment, xml)]
    code = (
        f"import sys, {', '.join(names)}\n"
        "heavy = {'flask', 'sqlalchemy', 'redis', 'rq', 'marshmallow', 'psycopg'} & set(sys.modules)\n"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_examples_of_its_page_run_as_printed() -> None:
    failed, tried = doctest.testfile(
        str(DOCS), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0
    assert tried > 10
