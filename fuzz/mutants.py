"""`make mutants`: how many small faults in alerting/cap/rules its tests notice.

The faults are mutmut's (its operators on the syntax tree); the runner is our own, since mutmut 3 leaves decorated
functions alone and every rule is one. A mutant lives in a forked child alone: nothing is written into the checkout.
Invariant: the same seed takes the same mutants, and the tests pass before the first of them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT: Final = Path(__file__).resolve().parents[1]
RULES: Final = ROOT / "alerting" / "cap" / "rules"
TESTS: Final = sorted((ROOT / "tests" / "cap").glob("test_rules*.py"))
# What mutants share: imported once in the parent. None of them imports the package under test.
SHARED: Final = (
    "pytest",
    "hypothesis.strategies",
    "langcodes",
    "psycopg",
    "redis",
    "alerting.config",
    "alerting.embedded",
    "alerting.store.migrations",
    "alerting.cap.chain",
    "alerting.cap.jsonform",
    "alerting.cap.xml",
)
PATIENCE: Final = 30  # seconds after which a mutant counts as noticed: it never ended
NOTICED: Final = 1
# Plugins imported in the parent cannot be rewritten in the child, and need not be.
QUIET: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: where, and what it was and is."""

    file: Path
    line: int
    before: str
    after: str
    module: libcst.Module = field(repr=False)
    nodes: tuple[libcst.CSTNode, libcst.CSTNode] = field(repr=False)

    def source(self) -> str:
        """The whole module with the fault in it."""
        changed = self.module.deep_replace(*self.nodes)
        return changed.code if isinstance(changed, libcst.Module) else ""

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {self.before} -> {self.after}"


class _Walk(libcst.CSTVisitor):
    """Every fault that mutmut's operators can make in a module, but in annotations, imports and docstrings."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, file: Path, module: libcst.Module) -> None:
        super().__init__()
        self.found: list[Mutant] = []
        self._file = file
        self._module = module

    def on_visit(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.Annotation | libcst.Import | libcst.ImportFrom):
            return False
        if isinstance(node, libcst.Expr) and isinstance(node.value, libcst.SimpleString):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    self._note(node, changed)
        return True

    def _note(self, node: libcst.CSTNode, changed: libcst.CSTNode) -> None:
        before, after = (" ".join(self._module.code_for_node(each).split())[:120] for each in (node, changed))
        line = self.get_metadata(PositionProvider, node).start.line
        self.found.append(Mutant(self._file, line, before, after, self._module, (node, changed)))


def mutants(file: Path) -> list[Mutant]:
    """All of one file."""
    wrapper = MetadataWrapper(libcst.parse_module(file.read_text(encoding="utf-8")))
    walk = _Walk(file, wrapper.module)
    wrapper.visit(walk)
    return walk.found


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module another source than its file has."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.file.relative_to(ROOT).with_suffix("").parts
        self._package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._package else parts)
        self._mutant = mutant

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            self._mutant.file,
            loader=self,
            submodule_search_locations=[str(self._mutant.file.parent)] if self._package else None,
        )

    def exec_module(self, module: ModuleType) -> None:
        code = compile(self._mutant.source(), str(self._mutant.file), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - the mutant is what this runs


def _test(mutant: Mutant | None) -> int:
    """The exit status of the tests in a child of this process, with the fault or without."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = NOTICED
    try:
        signal.alarm(PATIENCE)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        if mutant is not None:
            sys.meta_path.insert(0, _Planted(mutant))
        pytest = importlib.import_module("pytest")
        stem = "" if mutant is None else mutant.file.stem
        # The file's own tests first. The property over all alerts is left out: it takes as long as the rest together.
        tests = sorted(map(str, TESTS), key=lambda test: not test.endswith(f"_{stem}.py"))
        chosen = ["-k", "not take_every_alert", *tests]
        status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *QUIET, *chosen]))
    finally:
        os._exit(min(status, 100))


def _share(chosen: list[Mutant], until: float) -> Iterator[tuple[Mutant, bool]]:
    for mutant in chosen:
        if time.monotonic() > until:
            return
        yield mutant, _test(mutant) != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=720, help="of wall time at most (default 720)")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which mutants are tried")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--part", default="0/1", help="i/n: every n-th mutant, from the i-th")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in SHARED:
        importlib.import_module(name)
    assert not any(name.startswith("alerting.cap.rules") for name in sys.modules), "the parent has the rules"
    if _test(None) != 0:
        print("the tests fail without any mutant: mend them first", file=sys.stderr)
        return 2
    every = [
        each for file in sorted(RULES.glob("*.py")) if arguments.only in file.name for each in mutants(file)
    ]
    random.Random(arguments.seed).shuffle(every)  # noqa: S311 - a sample, no secret
    first, _, step = arguments.part.partition("/")
    chosen = every[int(first) :: int(step)]
    tried = noticed = 0
    for mutant, seen in _share(chosen, time.monotonic() + arguments.seconds):
        tried += 1
        noticed += seen
        if not seen:
            print(f"survived  {mutant}", flush=True)
    score = 100 * noticed / max(tried, 1)
    print(
        f"{len(chosen)} mutants, {tried} tried, {noticed} noticed, {tried - noticed} survived: {score:.1f} %"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
