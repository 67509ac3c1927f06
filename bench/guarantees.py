"""Write docs/guarantees.md from the figures of the last runs, which docs/figures.jsonl keeps.

python bench/gate.py | python bench/guarantees.py --add     take in the JSON lines of a measurement
python bench/guarantees.py --tests tests/hosts              run tests, and take in how they ended
python bench/guarantees.py --write | --check                write the page, or tell whether it is out of date
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "figures.jsonl"
PAGE = ROOT / "docs" / "guarantees.md"
COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|skipped)")
FACTS = ("workers", "processes", "limit", "mode", "second")  # what tells two runs of one measurement apart

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Promise:
    """``bench`` starts the name of the measurement that shows it, or is the path of the tests; ``command`` runs it."""

    what: str
    bench: str
    command: str
    figures: tuple[str, ...] = ()


PROMISES: dict[str, tuple[Promise, ...]] = {
    "Nothing is lost, nothing is done twice": (
        Promise(
            "A worker, a producer or a sweeper killed at any named step loses no job and repeats no finished call.",
            "tests/system/test_crash_points.py",
            "pytest tests/system/test_crash_points.py",
        ),
        Promise(
            "Redis emptied in the middle of a run loses nothing and repeats no finished call.",
            "FLUSHALL",
            "python bench/kill_and_flush.py flush",
        ),
        Promise("A worker killed with its calls loses nothing.", "kill -9", "python bench/kill_and_flush.py kill"),
        Promise("A soak with a random fault every few seconds ends with a ledger that holds.", "soak", "make soak"),
        Promise(
            "The equation of the ledger holds (accepted = ended + live), and one that is broken names who broke it.",
            "tests/store/test_ledger.py",
            "pytest tests/store/test_ledger.py",
        ),
    ),
    "An outage is a backlog and a detour": (
        Promise("An outage of 15 s costs at most a tenth of the ideal time.", "outage", "python bench/outage.py"),
        Promise("One probe in the whole fleet asks a provider that failed.", "probe", "python bench/probe.py"),
        Promise("A rate limit is used fully, without running into it.", "steady", "python bench/steady.py"),
    ),
    "Many hosts": (
        Promise(
            "Any link between a worker and Redis, SQL or a provider may break, one way, both or again and again:"
            " nothing is lost, and work goes on within 30 s after it is back. A host that alone cannot reach a"
            " provider opens no breaker of the fleet's. Clocks two minutes off do no harm.",
            "tests/hosts",
            "pytest tests/hosts",
        ),
        Promise(
            "One Redis bears 1,000 workers.",
            "many workers",
            "python bench/many_workers.py --workers 1000",
            ("idle: Redis CPU", "idle: Redis CPU a look", "busy: jobs a second", "busy: Redis CPU a job"),
        ),
    ),
    "What it costs": (
        Promise(
            "The gate takes at most 0.1 ms of a worker's CPU for a job, whatever waits.", "gate", "python bench/gate.py"
        ),
        Promise("A job is submitted, claimed and settled in groups.", "store", "python bench/store.py"),
    ),
}

INTRODUCTION = """\
# What is promised, and what was measured

<!-- Written by `python bench/guarantees.py --write` from figures.jsonl. Change those, not this page. -->

*Accepted* means that `submit` returned, or that the server answered 2xx. From then on a job ends in exactly one
record: a result, or the reason why there is none. `holdfast ledger` computes that equation afresh on a live system.

Commands start in the root of the repository, with `.venv/bin` on the PATH. A bar that was missed is shown as such.
"""
NOT_PROMISED = """\
## What is not promised

- **A call whose answer was lost may have been billed.** A timeout or a cut connection after the request was sent, or a
  worker killed while it waited: nobody but the provider knows whether the call ran. Such attempts are recorded as
  `unknown`, counted (at most eight to a job), and listed by the ledger. The job is called again.
- **Not exactly one call, but exactly one result.** At most (hard kills times calls in flight in the killed process) +
  (ambiguous timeouts and resets) calls are repeated.
- **No order between jobs.** Interactive lanes go ahead of batch lanes, and the oldest usually first.
- **No result sooner than a provider gives one.** With every route of a plan down, its jobs wait; those with a deadline
  expire at it.
- **Durability ends where the database's does.** SQLite is synced at every commit; a Postgres without `fsync` or a disk
  that lies is beyond us.
- **A host alone in a fleet counts as the fleet.** Its own broken link then looks as a provider's outage does.
"""


def read_lines() -> list[Line]:
    return [orjson.loads(text) for text in FIGURES.read_bytes().splitlines()] if FIGURES.exists() else []


def key(line: Line) -> tuple[str, ...]:
    return (line["bench"], *(str(line.get(fact, "")) for fact in FACTS))


def take_in(new: Iterable[Line]) -> None:
    """Put lines in the place of older ones of the same measurement."""
    kept = {key(line): line for line in read_lines()}
    for line in new:
        kept[key(line)] = {**line, "date": time.strftime("%Y-%m-%d", time.gmtime())}
    FIGURES.write_bytes(b"".join(orjson.dumps(kept[name]) + b"\n" for name in sorted(kept)))


def run_tests(path: str) -> Line:
    """Run the tests below ``path``; how many passed, failed, and were skipped."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", path, "-o", "addopts=--import-mode=importlib"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    counts = {word: int(number) for number, word in COUNTED.findall(lines[-1] if lines else "")}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    figures = {"tests passed": counts.get("passed", 0), "failed": failed, "skipped": counts.get("skipped", 0)}
    return {"bench": path, "holds": done.returncode == 0, "figures": figures | {"seconds": time.monotonic() - began}}


def page(lines: Iterable[Line]) -> str:
    known = list(lines)
    parts = [INTRODUCTION]
    for title, promises in PROMISES.items():
        parts.append(f"## {title}\n")
        parts += [section(promise, known) for promise in promises]
    return "\n".join([*parts, NOT_PROMISED])


def section(promise: Promise, lines: list[Line]) -> str:
    found = [line for line in lines if line["bench"].startswith(promise.bench)]
    measured = [row for line in found for row in rows(promise, line)] or ["| not measured yet | | |"]
    table = ["| figure | measured | |", "| --- | ---: | --- |", *measured]
    return "\n".join([promise.what, "", *table, "", f"`{promise.command}`", ""])


def rows(promise: Promise, line: Line) -> list[str]:
    facts = ", ".join(f"{fact} {line[fact]}" for fact in FACTS if line.get(fact) not in {None, ""})
    verdict = f"{'holds' if line['holds'] else '**MISSED**'}, {line['date']}"
    chosen = {name: value for name, value in line["figures"].items() if not promise.figures or name in promise.figures}
    return [
        f"| {name}{f' ({facts})' if facts else ''} | {value:,.4g} | {verdict if first else ''} |"
        for first, (name, value) in zip([True, *[False] * len(chosen)], chosen.items(), strict=False)
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = arguments.add_mutually_exclusive_group(required=True)
    what.add_argument("--add", action="store_true", help="JSON lines on standard input")
    what.add_argument("--tests", metavar="PATH", nargs="+")
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    chosen = arguments.parse_args()
    if chosen.add:
        take_in(orjson.loads(text) for text in sys.stdin if text.startswith("{"))
    elif chosen.tests:
        take_in([run_tests(path) for path in chosen.tests])
    elif chosen.write:
        PAGE.write_text(page(read_lines()))
    elif not PAGE.exists() or PAGE.read_text() != page(read_lines()):
        sys.stderr.write("docs/guarantees.md is out of date: run `python bench/guarantees.py --write`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
