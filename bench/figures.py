"""How a measurement is shown: a table with the bar beside each figure, and one line of JSON for machines."""

import operator
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from rich.console import Console
from rich.table import Table

COMPARE = {"≤": operator.le, "≥": operator.ge, "<": operator.lt, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; ``bar`` is a sign and a number, such as ("≤", 5), or None where nothing is asked of it."""

    name: str
    value: float
    bar: tuple[str, float] | None = None
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.bar is None or bool(COMPARE[self.bar[0]](self.value, self.bar[1]))


def ideal_makespan(jobs: int, rate: float, burst: float, latency: float, outage: tuple[float, float] = (0, 0)) -> float:
    """Seconds that a scheduler which knows everything needs, against a token bucket of the provider's.

    ``outage`` is (begin, length), with the begin while calls are waiting: the bucket refills meanwhile.

    >>> ideal_makespan(1000, 50, 50, 0.2)
    19.2
    >>> ideal_makespan(1000, 50, 50, 0.2, (5, 15))
    33.2
    """
    begin, length = outage
    alone = (jobs - burst) / rate
    if not length or alone <= begin:
        return alone + latency
    left = jobs - burst - begin * rate
    refilled = min(burst, length * rate)
    return begin + length + max(0.0, left - refilled) / rate + latency


def show(title: str, figures: Sequence[Figure], **facts: object) -> int:
    """Print a measurement; returns 0 when every bar holds, else 1."""
    table = Table(title=title, title_justify="left")
    for name in ("figure", "measured", "bar", ""):
        table.add_column(name, justify="right" if name in {"measured", "bar"} else "left")
    for figure in figures:
        bar = f"{figure.bar[0]} {figure.bar[1]:g}" if figure.bar else ""
        verdict = "" if figure.bar is None else "[green]holds[/]" if figure.holds else "[red]MISSED[/]"
        table.add_row(figure.name, f"{figure.value:,.4g} {figure.unit}".strip(), bar, verdict)
    Console(stderr=True).print(table)
    holds = all(figure.holds for figure in figures)
    measured = {figure.name: figure.value for figure in figures}
    sys.stdout.write(orjson.dumps({"bench": title, "holds": holds, **facts, "figures": measured}).decode() + "\n")
    return 0 if holds else 1
