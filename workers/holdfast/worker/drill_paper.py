"""The report of a drill in real time: the equation, the picture, the bars, and whether the machine kept up."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.model.errors import InvalidRequest
from holdfast.sim.drill.report import Course, Report
from holdfast.sim.drill.scenario import Scenario
from holdfast.sim.picture import picture
from holdfast.sim.record import Check, Phase, ProviderLog, Run
from holdfast.sim.report import markdown, page
from holdfast.worker.drill_figures import ill_spans

if TYPE_CHECKING:
    from holdfast.worker.drill import RealDrill

FILES = {"report.html": "this report as a page", "report.md": "the same as text", "picture.svg": "the picture alone"}


def write(scenario: Scenario, drill: "RealDrill", directory: Path) -> None:
    """Write the report of the first seed that failed, else of the first. Raises InvalidRequest."""
    shown = next((run for run in drill.runs if not run.holds), drill.runs[0])
    drawn = drawn_up(scenario, drill, shown)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "picture.svg").write_text(picture(drawn), encoding="utf-8")
        (directory / "report.md").write_text(markdown(drawn, "picture.svg"), encoding="utf-8")
        (directory / "report.html").write_text(page(drawn), encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(str(directory), f"the report cannot be written there: {error}.") from None


def drawn_up(scenario: Scenario, drill: "RealDrill", shown: Report) -> Run:
    """One seed as the report shows it."""
    found, went = shown.figures, shown.course
    expired = found.accepted - found.succeeded - found.dead - found.lost
    return Run(
        title=f"{scenario.name}, {drill.speed:g} times as fast as it was",
        lead=lead(drill, shown),
        seconds=went.seconds,
        samples=went.samples,
        providers=_logs(went),
        moves=went.moves,
        phases=[Phase("ill", begin, end) for begin, end in ill_spans(scenario)],
        accepted=found.accepted,
        ended={"succeeded": found.succeeded, "dead": found.dead, "cancelled": 0, "expired": expired},
        live=found.lost,
        checks=_checks(shown),
        files=FILES,
    )


def lead(drill: "RealDrill", shown: Report) -> str:
    """What it was, what it came to, and whether the figures speak of the pool or of the machine."""
    found = shown.figures
    machine = max(drill.overheads, key=lambda each: max(each.p99_s, each.sending_p99_s))
    said = (
        f"{found.accepted:,} jobs, {found.failed_calls:,} failed calls, p99 {found.p99_s:,.1f} s; seed {shown.seed}. "
        f"While all was well a job waited {machine.p50_s:.2f} s (p99 {machine.p99_s:.2f} s) for this machine; "
        f"one call in a hundred was on its way for {machine.sending_p99_s:.2f} s."
    )
    if drill.bottleneck:
        said += " The pool itself was the bottleneck: choose a lower --speed to measure the outage."
    return said


def _checks(shown: Report) -> list[Check]:
    bars = [Check(f"{bar.name}: at most {bar.most:g}", bar.holds, {"found": bar.found}) for bar in shown.bars]
    broken = [Check(sentence, holds=False, figures={"times": times}) for sentence, times in shown.violations.items()]
    kept = "The ledgers of clients, SQL and providers tell the same, and no promise was broken."
    return [Check(kept, shown.figures.equation_holds), *bars, *broken]


def _logs(went: Course) -> Sequence[ProviderLog]:
    providers = list(dict.fromkeys(provider for provider, _, _ in went.answers))
    return [ProviderLog(name, _points(went, name)) for name in providers]


def _points(went: Course, name: str) -> list[tuple[float, str, int]]:
    """When calls of one provider ended, how, and how many."""
    of_all = went.answers.items()
    return [(place * went.bar, status, calls) for (whose, place, status), calls in of_all if whose == name]
