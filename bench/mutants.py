"""Does a test notice? Each mutant of the core is a small patch; the tests that should fail are run against it.

    python bench/mutants.py [--part worker] [-k W01] [--seconds 300]

The mutants stand in ``bench/mutants/PART.toml``. Each is applied to a copy of the checkout, never in place, and its
tests, all of ``make test``, run with ``-x``. Bars: 92 of 100 noticed in all, 90 in each part. What is said to be
``equivalent`` is counted nowhere.
"""

import argparse
import importlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "bench"  # whose modules would hide packages of the tests
FOLDER = HERE / "mutants"
SOURCES = ("shared", "producers", "workers")
SECONDS = 300.0  # for the tests of one mutant; it is noticed when they hang
FAREWELL = 30.0  # seconds in which tests that were interrupted stop their servers
OVERALL, EACH_PART = 0.92, 0.90  # shares of mutants that are noticed
FAILED = 1  # pytest's exit status when a test failed
LOOK = 0.05  # seconds between two looks whether tests have ended
LIBRARIES = (  # what takes long to import, and is none of ours
    "aiohttp", "anthropic", "fakeredis", "fastapi", "httpx2", "hypothesis", "jsonschema_rs", "msgspec", "openai",
    "prometheus_client", "psycopg", "pydantic", "redis.asyncio", "sqlmodel", "structlog", "typer", "uvicorn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change that a test should notice."""

    part: str
    """The part of the core: the name of its file."""
    id: str
    """How it is called for."""
    what: str
    """What goes wrong with it."""
    file: str
    """Where it is, from the root of the checkout."""
    old: str
    """Text that occurs once in the file."""
    new: str
    """What stands there instead."""
    tests: tuple[str, ...]
    """Arguments of pytest: what should notice it."""
    equivalent: str = ""
    """Why nothing can notice it; empty for nearly all."""

    def mutated(self, root: Path) -> str:
        """Return the file with the change. Raises ValueError where the text does not occur once."""
        text = (root / self.file).read_text(encoding="utf-8")
        if (times := text.count(self.old)) != 1:
            raise ValueError(f"{self.id}: its text occurs {times} times in {self.file}")
        return text.replace(self.old, self.new)


class Verdict(StrEnum):
    """What the tests said to a mutant."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    BROKEN = "broken"  # the tests did not run


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant with what came of it."""

    mutant: Mutant
    verdict: Verdict
    seconds: float
    by: str


def mutants(folder: Path = FOLDER) -> Iterator[Mutant]:
    """Read every mutant. A part's file has ``tests`` for all of it; a mutant may have its own."""
    for path in sorted(folder.glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        for each in told["mutant"]:
            yield Mutant(part=path.stem, **{**each, "tests": tuple(each.get("tests", told["tests"]))})


def copy_checkout(root: Path, target: Path) -> None:
    """Copy what git knows of the checkout, as it is now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def tried(mutant: Mutant, copy: Path, seconds: float) -> Trial:
    """Apply a mutant to the copy, run its tests, and take it away again."""
    path, began = copy / mutant.file, time.monotonic()
    whole, mutated = path.read_text(encoding="utf-8"), mutant.mutated(copy)
    try:
        _write(path, mutated)
        verdict, by = _run(mutant, copy, seconds)
    finally:
        _write(path, whole)
    return Trial(mutant, verdict, time.monotonic() - began, by)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)  # it may look as old as the last one


def _run(mutant: Mutant, copy: Path, seconds: float) -> tuple[Verdict, str]:
    """Run the tests in a child that has what takes long to import: the libraries, and nothing of ours."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            _be_pytest(mutant, copy, said.fileno())
        status = _ended(child, time.monotonic() + seconds)
        said.seek(0)
        lines = said.read().splitlines()
    if status is None:
        return Verdict.NOTICED, f"still running after {seconds:.0f} s"
    if status == FAILED:
        failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
        return Verdict.NOTICED, failed[0].partition(" - ")[0] if failed else "a test"
    return (Verdict.SURVIVED, "") if status == 0 else (Verdict.BROKEN, "\n".join(lines[-5:]))


def _be_pytest(mutant: Mutant, copy: Path, said: int) -> NoReturn:
    """Become the process that runs a mutant's tests, and its children's, out of the copy."""
    status = 70
    try:
        os.setsid()
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.chdir(copy)
        sources = [str(copy / source) for source in SOURCES]
        sys.path[:] = [*sources, *(place for place in sys.path if Path(place) != HERE)]
        os.environ["PYTHONPATH"] = os.pathsep.join(sources)
        os.environ["PYTHONPYCACHEPREFIX"] = str(sys.pycache_prefix)
        status = int(pytest.main(["-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist", *mutant.tests]))
        sys.stdout.flush()
    finally:
        os._exit(status)


def _ended(child: int, at: float) -> int | None:
    """Wait for a child's exit status. None: it had to be stopped; first gently, so that it stops its servers."""
    for signal_, until in ((None, at), (signal.SIGINT, at + FAREWELL), (signal.SIGKILL, float("inf"))):
        if signal_ is not None:
            os.killpg(child, signal_)
        while time.monotonic() < until:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status) if signal_ is None else None
            time.sleep(LOOK)
    return None


def share(trials: Sequence[Trial]) -> float:
    """Return the share that was noticed; 1 of none."""
    return sum(trial.verdict is Verdict.NOTICED for trial in trials) / len(trials) if trials else 1.0


def table(trials: Sequence[Trial]) -> str:
    """Write how many of each part were noticed."""
    lines = ["| part | mutants | noticed | share |", "| --- | ---: | ---: | ---: |"]
    parts = sorted({trial.mutant.part for trial in trials})
    for part in (*parts, "all"):
        its = [trial for trial in trials if part in {trial.mutant.part, "all"}]
        noticed = sum(trial.verdict is Verdict.NOTICED for trial in its)
        lines.append(f"| {part} | {len(its)} | {noticed} | {share(its):.0%} |")
    return "\n".join(lines)


def holds(trials: Sequence[Trial]) -> bool:
    """Tell whether the bars hold."""
    parts = {trial.mutant.part for trial in trials}
    each = all(share([trial for trial in trials if trial.mutant.part == part]) >= EACH_PART for part in parts)
    return each and share(trials) >= OVERALL


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", help="only this part of the core; may be given again")
    parser.add_argument("-k", dest="ids", action="append", help="only the mutant of this id; may be given again")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for the tests of one mutant")
    given = parser.parse_args()
    chosen = [
        mutant
        for mutant in mutants()
        if not mutant.equivalent
        and (given.part is None or mutant.part in given.part)
        and (given.ids is None or mutant.id in given.ids)
    ]
    trials = []
    with tempfile.TemporaryDirectory(prefix="holdfast-mutants-") as directory:
        copy = Path(directory) / "checkout"
        sys.pycache_prefix = str(Path(directory) / "bytecode")
        copy_checkout(ROOT, copy)
        for library in LIBRARIES:
            importlib.import_module(library)
        for mutant in chosen:
            trials.append(trial := tried(mutant, copy, given.seconds))
            print(f"{mutant.id:6} {trial.verdict:9} {trial.seconds:5.0f} s  {mutant.what}  {trial.by}", flush=True)
    print(f"\n{table(trials)}")
    return 0 if holds(trials) else 1


if __name__ == "__main__":
    sys.exit(main())
