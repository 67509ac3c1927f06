"""A drill as people read it: a table of figures, what had to hold, what it would cost, and how many seeds are done."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from holdfast.cli.tables import Markup, facts_table, paint, stack, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from holdfast.lab.drill.result import DrillResult

View = Mapping[str, Any]
SHOWN = 10  # failing seeds that are named
COSTS = {  # names of costs, and how they are said
    "peak_backlog": "most jobs waiting at once",
    "peak_at_s": "at second",
    "deadline_misses": "jobs that expired",
    "cost_usd": "all answers together, USD",
    "extra_usd": "more than the first route alone, USD",
    "unknown_usd": "calls that were left or cut, if billed, USD",
}


def draw_scenarios(scenarios: Iterable[View]) -> "Table | str":
    """Draw what can be drilled."""
    rows = (
        (each["name"], f"{each['hours']:g} h", "one" if each["routes"] == 1 else "two", each["about"])
        for each in scenarios
    )
    return table(("scenario", "lasts", "routes", "what happened"), rows, empty="no scenarios")


def draw_drill(view: View) -> "RenderableType":
    """Draw figures (of several seeds the worst), bars, promises and costs."""
    seeds = len(view["seeds"])
    head = f"{view['scenario']}: {'every promise held' if view['passed'] else 'NOT everything held'}"
    figures = [(name, _figure(value), _span(view["seeds"], name)) for name, value in view["worst"].items()]
    return stack(
        f"{head}, {seeds} {'seed' if seeds == 1 else 'seeds'}",
        "",
        table(("figure", "worst" if seeds > 1 else "found", "over all seeds" if seeds > 1 else ""), figures, empty=""),
        "",
        table(("", "bar", "", "found"), map(_bar, view["bars"]), empty="no bars"),
        *_broken(view),
        "",
        *_yours(view),
        facts_table({COSTS[name]: _figure(value) for name, value in view["costs"].items()}),
        facts_table({f"jobs done by {route}": _figure(jobs) for route, jobs in view["routes"].items()}),
    )


def _yours(view: View) -> list[str]:
    if "yours" not in view:
        return []
    yours = view["yours"]
    plan = ", then ".join(yours["plan"])
    return [
        f"Your configuration in this outage: model {yours['model']}, {plan}; {yours['slots']:,} calls in flight.",
        "",
    ]


def _bar(bar: View) -> tuple[object, ...]:
    verdict = paint("holds", "green") if bar["holds"] else paint("BROKEN", "red")
    return verdict, bar["bar"], _figure(bar["most"]), _figure(bar["found"])


def _broken(view: View) -> list[Markup]:
    return [
        Markup(f"{paint('BROKEN', 'red')} {sentence}, {times} times") for sentence, times in view["violations"].items()
    ]


def _figure(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if value < 1 else f"{value:,.2f}"


def _span(seeds: list[View], name: str) -> str:
    found = [seed[name] for seed in seeds]
    return "" if len(seeds) == 1 or min(found) == max(found) else f"{_figure(min(found))} to {_figure(max(found))}"


def failing_words(ran: "DrillResult", scenario: str, *, virtual: bool) -> str:
    """Say which seeds broke what, and how to play one again."""
    failing = ran.failing_seeds
    named = ", ".join(str(seed) for seed in failing[:SHOWN]) + (", …" if len(failing) > SHOWN else "")
    worst = next(run for run in ran.runs if run.seed == failing[0])
    broken = [bar.name for bar in worst.bars if not bar.holds] + list(worst.violations)
    again = f"holdfast drill run {scenario}{' --virtual' if virtual else ''} --seed {failing[0]}"
    return (
        f"holdfast: {scenario}: {len(failing)} of {len(ran.runs)} seeds broke a bar or a promise: {named}. "
        f"Seed {failing[0]}: {'; '.join(broken) or 'the equation'}. Play it again with `{again}`."
    )
