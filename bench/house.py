"""Print what the code base looks like: how large it is, and how often it says one thing twice.

python bench/house.py                 this tree
python bench/house.py TREE [TREE …]   other checkouts, one column each; the last one is judged
python bench/house.py --list          this tree, and the places behind each count
python bench/house.py --speed TREE    how fast this tree was in its last runs, over the last runs of that one

Every figure is read from the source, so that a checkout of any age can be measured. tests/architecture/test_house.py
holds the rows that are marked with *.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

import house_measures as house
from house_measures import Tree

ROOT = Path(__file__).parent.parent
AS_FAST = 0.97  # of what it was


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``most``: the bar is not to be passed; else it is to be reached. ``held``: by a test."""

    what: str
    measure: Callable[[Tree], int | Sequence[str]]
    bar: int
    most: bool = True
    held: bool = False

    def measured(self, tree: Tree) -> tuple[int, Sequence[str]]:
        """The figure, and the places behind it."""
        found = self.measure(tree)
        return (found, ()) if isinstance(found, int) else (len(found), found)

    def holds(self, value: int) -> bool:
        return value <= self.bar if self.most else value >= self.bar


ROWS = (
    Row("source lines without the lab", lambda tree: house.lines(tree, lab=False), 21_500),
    Row("source lines with the lab", lambda tree: house.lines(tree, lab=True), 27_500),
    Row("record types that one job is, submit to ack", house.job_records, 12),
    Row("tables over fault kinds", house.fault_tables, 1, held=True),
    Row("class names that mean two things, without a reason", house.repeated_classes, 0, held=True),
    Row("class names that mean two things, with a reason", house.excused_classes, 8, held=True),
    Row("fields of stored records without a sentence", house.unexplained_fields, 0, held=True),
    Row("imports by a string", house.string_imports, 0, held=True),
    Row("import circles", house.circles, 0, held=True),
    Row("private words left", house.private_words, 0, held=True),
    Row("differential cases, admission against Lua", house.differential_cases, 20_000, most=False),
    Row("commits that name no area", house.nameless_commits, 0),
)

# Of each bench the figure that tells how fast it was, and whether more of it is better.
SPEEDS = (
    ("1000 in flight in one process", "run, no limit configured, over the bare loop", True),
    ("no-op cost, 100 in flight", "pool", False),
    ("steady, 1 process(es), limit configured", "share of the allowed rate used", True),
    ("outage of 15 s, one provider, 1 process(es)", "makespan", False),
    ("outage of 15 s, two providers, 1 process(es)", "makespan", False),
    ("1,000,000 waiting, sqlite", "drain, 1,000,000 waiting", True),
    ("1,000,000 waiting, postgres", "drain, 1,000,000 waiting", True),
)


def show_rows(trees: Sequence[Tree], *, places: bool) -> int:
    """Print the table; how many bars the last tree misses."""
    print("| | " + " | ".join(tree.root.name for tree in trees) + " | bar | |")
    print("| --- |" + " ---: |" * len(trees) + " ---: | --- |")
    missed = 0
    for row in ROWS:
        *values, (last, found) = [row.measured(tree) for tree in trees]
        missed += not row.holds(last)
        shown = " | ".join(f"{value:,}" for value in [*(value for value, _ in values), last])
        bar = f"{'≤' if row.most else '≥'} {row.bar:,}"
        verdict = "holds" if row.holds(last) else "MISSED"
        print(f"| {row.what}{' *' if row.held else ''} | {shown} | {bar} | {verdict} |")
        if places:
            print("".join(f"    {place}\n" for place in found), end="")
    return missed


def show_speeds(before: Path) -> int:
    """Print how fast the benches were, over what they were in another tree; how many were slower."""
    print("| | before | now | ratio | bar | |\n| --- | ---: | ---: | ---: | ---: | --- |")
    old, new, missed = figures(before), figures(ROOT), 0
    for bench, name, more in SPEEDS:
        then, now = (known.get(bench, {}).get(name) for known in (old, new))
        if not then or not now:
            print(f"| {bench}: {name} | {then} | {now} | | ≥ {AS_FAST} | not measured |")
            continue
        ratio = now / then if more else then / now
        missed += ratio < AS_FAST
        verdict = "holds" if ratio >= AS_FAST else "MISSED"
        print(f"| {bench}: {name} | {then:.4g} | {now:.4g} | {ratio:.3f} | ≥ {AS_FAST} | {verdict} |")
    return missed


def figures(root: Path) -> dict[str, dict[str, float]]:
    lines = (orjson.loads(line) for line in (root / "docs" / "figures.jsonl").read_bytes().splitlines())
    return {line["bench"]: line["figures"] for line in lines}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("trees", nargs="*", type=Path, default=[ROOT])
    arguments.add_argument("--list", action="store_true", help="show the places behind each count of the last tree")
    arguments.add_argument("--speed", type=Path, metavar="TREE", help="compare docs/figures.jsonl with that tree's")
    chosen = arguments.parse_args()
    if chosen.speed:
        return 1 if show_speeds(chosen.speed) else 0
    return 1 if show_rows([Tree(path.resolve()) for path in chosen.trees], places=chosen.list) else 0


if __name__ == "__main__":
    sys.exit(main())
