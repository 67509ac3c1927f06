"""docs/benchmarks.md from the lines that measurements printed, whatever parts there are of them."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from comparisons import PARTS, Command, Part
from figures import COMPARE
from records import Line

INTRODUCTION = """\
# Benchmarks

<!-- Written by `make bench` from docs/benchmarks.jsonl. Measure anew, or change bench/, not this page. -->

Holdfast beside what one would use else: a loop over the SDK, a task queue, a client library with retries. Every
comparison ran in one go, its sides in turn; figures are medians over the rounds, and ratios those of one round.
Providers are simulated, over real HTTP, on the machine's last core. Bars that were missed stand first.
`make bench` measures all of it again, `make bench ARGS="loops memory"` some of it.
"""
USAGE = re.compile(r"\n+python bench/.*\Z", re.DOTALL)


def page(lines: Iterable[Line]) -> str:
    known = list(lines)
    parts = [INTRODUCTION, *surroundings(known), *bars(known)]
    for part in PARTS:
        parts += section(part, known)
    return "\n".join(parts).rstrip() + "\n"


def surroundings(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the machines and versions that there are, each once."""
    if not lines:
        return
    for name in ("machine", "versions"):
        for value in dict.fromkeys(line[name] for line in lines):
            yield f"- {value}"
    peers = sorted(set(chain.from_iterable(line.get("peers", ()) for line in lines)))
    if peers:
        yield f"- beside it, each in an environment of its own: {', '.join(peers)}"
    yield ""


def bars(lines: Sequence[Line]) -> Iterator[str]:
    """Yield how many bars hold, and those that were missed."""
    asked = [(line, name) for line in lines for name in line.get("bars", {})]
    if not asked:
        return
    missed = [(line, name) for line, name in asked if not holds(line, name)]
    yield f"## Bars\n\n{len(asked) - len(missed)} of {len(asked)} hold.\n"
    if missed:
        yield "| missed | measured | bar |\n| --- | ---: | ---: |"
        yield from (
            f"| {line['bench']}: {name} | {measured(line, name)} | {bar(line, name)} |" for line, name in missed
        )
        yield ""


def holds(line: Line, name: str) -> bool:
    sign, asked = line["bars"][name]
    return bool(COMPARE[sign](line["figures"][name], asked))


def bar(line: Line, name: str) -> str:
    sign, asked = line["bars"][name]
    return f"{sign} {number(asked)}"


def measured(line: Line, name: str) -> str:
    return f"{number(line['figures'][name])} {line.get('units', {}).get(name, '')}".strip()


def number(value: float) -> str:
    """Three digits, or all that stand before the point.

    >>> [number(value) for value in (0.01234, 1.5, 123.45, 12345.6)]
    ['0.0123', '1.5', '123', '12,346']
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def section(part: Part, lines: Sequence[Line]) -> Iterator[str]:
    """Yield a part: what its scripts measure, in their own words, then what each command found."""
    yield f"## {part.title}\n"
    for script in dict.fromkeys(command.script for command in part.commands):
        yield explanation(script)
    for command in part.commands:
        found = [line for line in lines if line["command"] == command.words]
        yield from result(command, found)


def explanation(script: str) -> str:
    """What the docstring of a script says, without the lines that call it."""
    source = (Path(__file__).parent / script).read_text(encoding="utf-8")
    return USAGE.sub("", ast.get_docstring(ast.parse(source)) or "") + "\n"


def result(command: Command, lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        yield f"`python bench/{command.words}`: not measured yet.\n"
    for line in lines:
        yield f"### {line['bench']}\n"
        if "failed" in line:
            yield f"`python bench/{command.words}`, {line['date']}: {line['failed']}.\n"
            continue
        yield from barred(line)
        yield from matrix(line)
        if line.get("left_out"):
            yield f"Left out, because it could not be installed or did not work here: {', '.join(line['left_out'])}.\n"
        yield f"`python bench/{command.words}`, {line['date']}, {line['seconds']} s\n"


def barred(line: Line) -> Iterator[str]:
    """Yield the figures that have a bar."""
    if bars := line.get("bars", {}):
        yield "| figure | measured | bar | |\n| --- | ---: | ---: | --- |"
        for name in bars:
            verdict = "holds" if holds(line, name) else "**MISSED**"
            yield f"| {name} | {measured(line, name)} | {bar(line, name)} | {verdict} |"
        yield ""


def matrix(line: Line) -> Iterator[str]:
    """Yield the figures without a bar: a row for what stands before a colon in their names, a column for the rest."""
    cells = {name.partition(": ")[::2]: name for name in line["figures"] if name not in line.get("bars", {})}
    if not cells:
        return
    rows = dict.fromkeys(row for row, _ in cells)
    columns = dict.fromkeys(heading(line, name) for name in cells.values())
    yield "| | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns)
    for row in rows:
        values = {heading(line, name): number(line["figures"][name]) for (of, _), name in cells.items() if of == row}
        yield f"| {row} | " + " | ".join(values.get(column, "") for column in columns) + " |"
    yield ""


def heading(line: Line, name: str) -> str:
    """The column of a figure: what it is, and its unit."""
    column, unit = name.partition(": ")[2], line.get("units", {}).get(name, "")
    return ", ".join(word for word in (column, unit) if word) or "figure"
