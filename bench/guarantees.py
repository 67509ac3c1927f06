"""Write docs/guarantees.md from the figures of the last runs, which docs/figures.jsonl keeps.

python bench/gate.py | python bench/guarantees.py --add     take in the JSON lines of a measurement
python bench/guarantees.py --tests tests/hosts              run tests, and take in how they ended
python bench/guarantees.py --measure [ROW ...]              run the commands of all rows, or of those with these words
                                                            in their name or command, one after another; then --write
python bench/guarantees.py --write | --check                write the page, or tell whether it is out of date
"""

import argparse
import re
import shlex
import sys
import time
from collections.abc import Iterable, Iterator

from promises import COMMANDS, INTRODUCTION, NOT_PROMISED, PROMISES, Promise
from records import FACTS, ROOT, Line, output, printed_lines, read_lines, say, take_in

FIGURES = ROOT / "docs" / "figures.jsonl"
PAGE = ROOT / "docs" / "guarantees.md"
COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|skipped)")
HELD = 5.0  # seconds between two commands, for the machine to come to rest


def measure(words: Iterable[str]) -> int:
    """Run the commands of the rows that ``words`` name, each within its time, and take in what they print."""
    status, wanted = 0, list(words)
    for promise in {promise.command: promise for promise in every() if names(promise, wanted)}.values():
        say(f"{promise.command} (at most {promise.minutes:g} minutes)")
        lines = run(promise)
        take_in(FIGURES, lines)
        held = bool(lines) and all(line["holds"] for line in lines)
        say(f"  {'holds' if held else 'MISSED' if lines else 'printed nothing'}")
        status |= not held
        time.sleep(HELD)
    PAGE.write_text(page(read_lines(FIGURES)))
    return status


def every() -> Iterable[Promise]:
    return (promise for promises in PROMISES.values() for promise in promises)


def names(promise: Promise, words: list[str]) -> bool:
    return not words or any(word in promise.bench or word in promise.command for word in words)


def run(promise: Promise) -> list[Line]:
    """What the command of a promise measured; nothing where it broke or took too long."""
    program, *rest = shlex.split(promise.command)
    if program == "pytest":
        return [run_tests(rest[-1], promise.minutes * 60)]
    command = [sys.executable if program == "python" else program, *rest]
    return printed_lines(output(command, promise.minutes * 60)[1])


def run_tests(path: str, seconds: float = 3600.0) -> Line:
    """Run the tests below ``path``; how many passed, failed, and were skipped."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", path, "-o", "addopts=--import-mode=importlib"]
    status, printed = output(command, seconds)
    lines = printed.strip().splitlines()
    if status:
        say(printed)  # which of them failed, and why
    counts = {word: int(number) for number, word in COUNTED.findall(lines[-1] if lines else "")}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    figures = {"tests passed": counts.get("passed", 0), "failed": failed, "skipped": counts.get("skipped", 0)}
    return {"bench": path, "holds": status == 0, "figures": figures | {"seconds": time.monotonic() - began}}


def page(lines: Iterable[Line]) -> str:
    known = list(lines)
    parts = [INTRODUCTION, *first_screen(known), COMMANDS]
    for title, promises in PROMISES.items():
        parts.append(f"## {title}\n")
        parts += [section(promise, known) for promise in promises]
    return "\n".join([*parts, NOT_PROMISED])


def first_screen(lines: list[Line]) -> Iterator[str]:
    """Yield one line a promise: what it is, whether it held, and where the figures are."""
    yield "| promise | held |\n| --- | --- |"
    for title, promises in PROMISES.items():
        yield f"| **{title}** | |"
        yield from (f"| [{promise.name}](#{anchor(promise.name)}) | {held(promise, lines)} |" for promise in promises)
    yield ""


def held(promise: Promise, lines: list[Line]) -> str:
    """Say whether the last measurement held, and of which day the oldest part of it is."""
    found = measurements(promise, lines)
    if not found:
        return "not measured"
    day = min(line["date"] for line in found)
    return f"{'yes' if all(line['holds'] for line in found) else '**MISSED**'}, {day}"


def anchor(heading: str) -> str:
    """The link to a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def measurements(promise: Promise, lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["bench"].startswith(promise.bench)]


def section(promise: Promise, lines: list[Line]) -> str:
    found = measurements(promise, lines)
    measured = [row for line in found for row in rows(promise, line)] or ["| not measured yet | | |"]
    table = ["| figure | measured | |", "| --- | ---: | --- |", *measured]
    words = [promise.what, ""] if promise.what else []
    return "\n".join([f"### {promise.name}", "", *words, *table, "", f"`{promise.command}`", ""])


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
    what.add_argument("--measure", metavar="ROW", nargs="*")
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    chosen = arguments.parse_args()
    if chosen.add:
        take_in(FIGURES, printed_lines(sys.stdin.read()))
    elif chosen.tests:
        take_in(FIGURES, [run_tests(path) for path in chosen.tests])
    elif chosen.measure is not None:
        return measure(chosen.measure)
    elif chosen.write:
        PAGE.write_text(page(read_lines(FIGURES)))
    elif not PAGE.exists() or PAGE.read_text() != page(read_lines(FIGURES)):
        sys.stderr.write("docs/guarantees.md is out of date: run `python bench/guarantees.py --write`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
