"""How a measurement is shown: a table with the bar beside each figure, and one line of JSON for machines."""

import operator
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
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
    sys.stdout.write(orjson.dumps({"bench": title, "holds": holds, **facts, **columns(figures)}).decode() + "\n")
    return 0 if holds else 1


def columns(figures: Sequence[Figure]) -> dict[str, dict[str, object]]:
    """What a line of JSON says of figures, by their names."""
    return {
        "figures": {figure.name: figure.value for figure in figures},
        "bars": {figure.name: figure.bar for figure in figures if figure.bar},
        "units": {figure.name: figure.unit for figure in figures if figure.unit},
    }


def take_rounds(measure: Callable[[], dict[str, float]], count: int) -> list[dict[str, float]]:
    """So many rounds of a measurement, or those that had ended when it was told to stop."""
    rounds: list[dict[str, float]] = []
    with suppress(KeyboardInterrupt):
        while len(rounds) < count:
            rounds.append(measure())
    if not rounds:
        raise SystemExit("told to stop before the first round had ended")
    return rounds


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over rounds that measured the same ones.

    >>> medians([{"loop": 1.0}, {"loop": 9.0}, {"loop": 2.0}])
    {'loop': 2.0}
    """
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def median_ratio(rounds: Sequence[dict[str, float]], one: str, other: str) -> float:
    """The median of one figure over another of the same round: what slows the machine in a round hits both.

    >>> median_ratio([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}, {"a": 9.0, "b": 9.0}], "a", "b")
    0.75
    """
    return statistics.median(each[one] / each[other] for each in rounds)


def percentile(times: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``times`` do not pass.

    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile([3.0, 1.0, 2.0], 0.99)
    (2.0, 3.0)
    """
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
