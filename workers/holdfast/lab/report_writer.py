"""What a drill leaves on paper: one page with the picture inside, the picture alone, and the JSON answer."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import orjson

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.picture import lead, picture
from holdfast.lab.drill.result import DrillResult, SeedReport
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.report.run_page import HEAD, equation_line, html_table
from holdfast.lab.simulation.run import run_virtual

PAGE, PICTURE, ANSWER = "index.html", "picture.svg", "drill.json"


def write(scenario: Scenario, drill: DrillResult, directory: Path, *, fleet: DrillPlan | None = None) -> Path:
    """Write the report of a drill into ``directory``, and return its page. Raises OSError.

    The picture shows the first seed that broke something, else the first. Of many seeds only figures were kept, so that
    one is run once more: it goes the same way.
    """
    shown = next((run for run in drill.runs if not run.holds), drill.runs[0])
    if not shown.course.samples:
        shown = run_virtual(scenario, shown.seed, fleet=fleet)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / PICTURE).write_text(picture(scenario, shown), encoding="utf-8")
    (directory / ANSWER).write_bytes(orjson.dumps(drill.view(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (directory / PAGE).write_text(page(scenario, drill, shown), encoding="utf-8")
    return directory / PAGE


def page(scenario: Scenario, drill: DrillResult, shown: SeedReport) -> str:
    """One self-contained page of HTML."""
    seeds = len(drill.runs)
    kept = "every promise held" if drill.holds else f"seeds that broke something: {_listed(drill.failing_seeds)}"
    what = f"{seeds} seeds; {kept}. Seed {shown.seed}, which is shown: {lead(shown)}" if seeds > 1 else lead(shown)
    about = " ".join(filter(None, [f"{scenario.about} — {what}" if scenario.about else what, drill.remark]))
    return "\n".join(
        [
            HEAD.format(title=escape(scenario.name), lead=escape(about)) + equation(shown),
            picture(scenario, shown, heading=False),
            "<h2>What had to hold</h2>",
            html_table(("", "bar", "at most", "found"), _bars(drill)),
            "<h2>Figures</h2>",
            html_table(("figure", "worst of all seeds" if seeds > 1 else "found"), _rows(drill.worst.view())),
            "<h2>What it cost</h2>",
            html_table(
                ("", ""), [*_rows(drill.costs), *((f"jobs done by {r}", f"{n:,}") for r, n in drill.routes.items())]
            ),
            f"<p>Files beside this page: {PICTURE}, {ANSWER}.</p>\n</body>\n</html>\n",
        ]
    )


def equation(run: SeedReport) -> str:
    """The ledger equation of one seed as a line of HTML."""
    found = run.figures
    late = found.accepted - found.succeeded - found.dead - found.lost
    ends = {"succeeded": found.succeeded, "dead": found.dead, "expired": late, "lost": found.lost}
    words = f"{found.accepted:,} accepted = {' + '.join(f'{jobs:,} {end}' for end, jobs in ends.items())}"
    return equation_line(words, balanced=found.equation_holds and not found.lost)


def _bars(drill: DrillResult) -> list[tuple[str, str, str, str]]:
    rows = [
        ("✓ holds" if bar.holds else "✗ BROKEN", bar.name.replace("_", " "), _figure(bar.most), _figure(bar.found))
        for bar in drill.bars
    ]
    return rows + [("✗ BROKEN", sentence, "0", _figure(times)) for sentence, times in drill.violations.items()]


def _rows(figures: object) -> list[tuple[str, str]]:
    assert isinstance(figures, dict)
    return [(name.replace("_", " "), _figure(value)) for name, value in figures.items()]


def _figure(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in seeds[:10]) + (", …" if len(seeds) > 10 else "")  # noqa: PLR2004
