"""``holdfast drill``: what an outage would do, played through in virtual time or against simulated providers."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from holdfast.cli.command import Noun
from holdfast.cli.context import context, settings
from holdfast.cli.show import say, show
from holdfast.lab.commands.drill_tables import draw_drill, draw_scenarios, failing_words
from holdfast.model.durations import EXPECTED, parse_duration
from holdfast.model.errors import InvalidRequest

if TYPE_CHECKING:
    from holdfast.config import Settings
    from holdfast.lab.drill.drill_plan import DrillPlan
    from holdfast.lab.drill.result import DrillResult
    from holdfast.lab.drill.scenario import Scenario

group = Noun("Outages played through: list, run.")
MOST_SEEDS = 100_000
LINE_EVERY = 5.0  # real seconds between two lines of progress where no terminal is
OVERTIME = 43_200.0  # seconds after the last arrival that a drill goes on at most


@group.command("list", remote=False)
def list_() -> None:
    """List the outages that can be played through."""
    from holdfast.lab.drill.catalogue import find, names

    show([_summary(find(name)) for name in names()], draw_scenarios)


@group.command(remote=False)
def run(
    scenario: Annotated[str, Argument(help="A name from `drill list`, or a .toml or .json file.", metavar="SCENARIO")],
    *,
    virtual: Annotated[
        bool, Option("--virtual", help="In virtual time, under a seed; without it through a real pool, with real HTTP.")
    ] = False,
    speed: Annotated[float, Option(min=1, max=1_000, help="Times as fast as it happened, without --virtual.")] = 60.0,
    seeds: Annotated[int, Option(min=1, max=MOST_SEEDS, help="How many seeds to run.", metavar="N")] = 1,
    seed: Annotated[int, Option(min=0, help="The first of them; the others follow.", metavar="S")] = 1,
    model: Annotated[
        str | None,
        Option("--model", "-m", help="With --config: the alias whose plan is drilled (default: the first)."),
    ] = None,
    expires_in: Annotated[
        str | None, Option(help="Deadline of every job, such as 10m (default: the scenario's).", metavar="DURATION")
    ] = None,
    directory: Annotated[
        Path, Option("--output", "-o", help="Where the report and its picture go.", metavar="DIRECTORY")
    ] = Path("drill"),
) -> None:
    """Play an outage through, and say what it cost and whether every promise held.

    With --config it says what your own configuration would do in that outage: its plan, limits, keys, breakers and
    slots, and what waiting and the detour cost. Exit status 1 when a bar of the scenario or a promise was broken.
    """
    from holdfast.lab.drill.catalogue import find

    played = _with_deadline(find(scenario), expires_in)
    yours, wanted = _yours(model), range(seed, seed + seeds)
    fleet = _fleet(yours, model, virtual=virtual)
    ran = _virtual(played, wanted, fleet) if virtual else _real(played, wanted, speed, fleet)
    show(ran.view(), draw_drill)
    _write(played, ran, directory, fleet)
    if not ran.holds:
        say(failing_words(ran, scenario, virtual=virtual))
        raise Exit(1)


def _yours(model: str | None) -> "Settings | None":
    """The configuration, where one was named: one that only lies around must not change what a scenario comes to.

    The alias that was asked for comes first in it.
    """
    if not context().config and not model:
        return None
    found = settings()
    if model is None or model not in found.models:
        return found
    first = {model: found.models[model]}
    return replace(found, models=first | dict(found.models))


def _fleet(yours: "Settings | None", model: str | None, *, virtual: bool) -> "DrillPlan | None":
    from holdfast.lab.drill.drill_plan import plan_from

    if yours is None:
        return None
    if not virtual and not yours.models:
        raise InvalidRequest("the configuration", "has no model alias, so there is no plan to drill.")
    if not virtual and model and model not in yours.models:
        raise InvalidRequest("--model", f"{model} is no alias of the configuration.", "Add --virtual to drill a route.")
    return plan_from(yours, model)


def _virtual(played: "Scenario", seeds: range, fleet: "DrillPlan | None") -> "DrillResult":
    from holdfast.lab.simulation.seeds import run_seeds
    from holdfast.lab.status_line import StatusLine

    with StatusLine(plain_every=LINE_EVERY) as line:
        return run_seeds(
            played, seeds, fleet=fleet, told=lambda done, wanted: line.show(f"{done:,} of {wanted:,} seeds")
        )


def _real(played: "Scenario", seeds: range, speed: float, fleet: "DrillPlan | None") -> "DrillResult":
    from holdfast.lab.real.run import run as run_real

    return run_real(played, seeds=seeds, speed=speed, fleet=fleet)


def _write(played: "Scenario", ran: "DrillResult", directory: Path, fleet: "DrillPlan | None") -> None:
    from holdfast.lab.report_writer import write

    try:
        say(f"report: {write(played, ran, directory, fleet=fleet)}")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InvalidRequest(str(directory), f"the report cannot be written there: {why}.", "Choose with -o.") from None


def _with_deadline(played: "Scenario", expires_in: str | None) -> "Scenario":
    if expires_in is None:
        return played
    wanted = parse_duration(expires_in)
    if wanted is None:
        raise InvalidRequest("--expires-in", f"expected {EXPECTED}, got {expires_in!r}.")
    if not 0 < wanted <= played.seconds + OVERTIME:
        raise InvalidRequest(
            "--expires-in", f"expected a time above zero and no longer than the drill, got {expires_in!r}."
        )
    return played.model_copy(update={"load": played.load.model_copy(update={"expires_in": wanted})})


def _summary(found: "Scenario") -> dict[str, object]:
    return {
        "name": found.name,
        "about": found.about,
        "hours": round(found.seconds / 3600, 2),
        "routes": 1 if found.single_route else 2,
        "bars": dict(found.bars),
    }
