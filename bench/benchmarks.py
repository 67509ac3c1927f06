"""Measure Holdfast beside what one would use else: `make bench`, or one or several parts of it.

python bench/benchmarks.py [PART ...]          measure, keep the figures in docs/benchmarks.jsonl, write the page
python bench/benchmarks.py --tiny [PART ...]   see within minutes whether all of it works; print the page, keep nothing
python bench/benchmarks.py --list              the parts, and how long each may take
python bench/benchmarks.py --write | --check   write docs/benchmarks.md, or tell whether it is out of date

Nothing else should run on the machine. Each command is stopped when its time is up, with all that it started; what
others measured stays. Exit status 1 when a bar is missed or a command brought no figures.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence

import orjson

from benchmark_page import page
from comparisons import PARTS, Command, Part
from machine import machine, versions
from records import ROOT, Line, output, printed_lines, read_lines, say

FIGURES = ROOT / "docs" / "benchmarks.jsonl"
PAGE = ROOT / "docs" / "benchmarks.md"
INSTALLING = 600.0  # seconds for one environment
REST = 3.0  # seconds between two commands, for the machine to come to rest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(part.name for part in PARTS))
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.parts) - {part.name for part in PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if given.list:
        print("\n".join(f"{part.name:<16} at most {minutes(part):g} min   {part.title}" for part in PARTS))
    elif given.check:
        return check()
    elif given.write:
        write(read_lines(FIGURES))
    else:
        return measure([part for part in PARTS if not given.parts or part.name in given.parts], tiny=given.tiny)
    return 0


def minutes(part: Part) -> float:
    return sum(command.minutes for command in part.commands)


def check() -> int:
    if PAGE.read_text(encoding="utf-8") == page(read_lines(FIGURES)):
        return 0
    say("docs/benchmarks.md is out of date: run `python bench/benchmarks.py --write`")
    return 1


def write(lines: Sequence[Line]) -> None:
    """Keep the figures of these lines, and write the page from them."""
    FIGURES.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    PAGE.write_text(page(lines), encoding="utf-8")


def measure(parts: Sequence[Part], *, tiny: bool) -> int:
    """Run the commands of parts one after another. What each brought is kept at once: a later one may never end."""
    install({peer for part in parts for peer in part.peers})
    lines = [] if tiny else read_lines(FIGURES)
    fine = True
    for new in results(parts, tiny=tiny):
        lines = [line for line in lines if line["command"] != new[0]["command"]] + new
        fine &= all(line["holds"] for line in new)
        if not tiny:
            write(lines)
    if tiny:
        print(page(lines))
        return int(any("failed" in line for line in lines))
    return 0 if fine else 1


def install(peers: Iterable[str]) -> None:
    """Make the environments that are missing, before anything is measured. One that cannot be made is left out."""
    for peer in sorted(peers):
        output([sys.executable, "bench/peers/environments.py", peer], INSTALLING)


def results(parts: Sequence[Part], *, tiny: bool) -> Iterator[list[Line]]:
    """Yield what each command measured, with where and when."""
    facts = {"machine": machine(), "versions": versions()}
    for part in parts:
        for command in part.commands:
            say(f"{part.name}: {command.words} (at most {command.minutes:g} minutes)")
            began = time.monotonic()
            lines = run(command, tiny=tiny)
            seconds = round(time.monotonic() - began)
            say(f"  {seconds} s, {'holds' if all(line['holds'] for line in lines) else 'not every bar holds'}")
            date = time.strftime("%Y-%m-%d", time.gmtime())
            yield [{**line, "command": command.words, "seconds": seconds, "date": date, **facts} for line in lines]
            time.sleep(0 if tiny else REST)


def run(command: Command, *, tiny: bool) -> list[Line]:
    """The lines that a command printed, or one that says why it printed none."""
    words = [*shlex.split(command.words), *(shlex.split(command.tiny) if tiny else ())]
    status, printed = output([sys.executable, f"bench/{words[0]}", *words[1:]], command.minutes * 60)
    why = "it was stopped, or ended, without figures" if status else "it printed no figures"
    return printed_lines(printed) or [{"bench": command.words, "holds": False, "failed": why, "figures": {}}]


if __name__ == "__main__":
    sys.exit(main())
