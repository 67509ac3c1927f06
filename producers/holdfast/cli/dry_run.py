"""``holdfast run --dry-run``: what a run would submit, and what it would cost, without submitting anything."""

from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.context import backend as open_backend
from holdfast.cli.jsonl_input import InputLine, InvalidLine, JsonlInput, chunks
from holdfast.cli.model_choice import ModelChoice
from holdfast.cli.show import say, show
from holdfast.cli.table_input import RowOptions
from holdfast.cli.tables import Drawing, View, plain, stack, table, usd
from holdfast.cli.upload import bad_line, reported, submitted_before
from holdfast.client.backend import Backend
from holdfast.client.cost_estimate import joined_estimate
from holdfast.client.submit_request import JobDefaults


def dry_run(source: Path, rows: RowOptions, defaults: JobDefaults, models: ModelChoice) -> View:
    """Read every line as a run would, show what that comes to, and return it. Raises InvalidRequest."""
    backend, bad = open_backend(), list[InvalidLine]()
    with JsonlInput(source, rows) as lines:
        estimate = joined_estimate(estimates(backend, lines, defaults, models, bad))
        before = submitted_before(backend, lines, defaults, models)
    for text in reported(bad, source.name):
        say(text)
    jobs = sum(model["jobs"] for model in estimate["models"])
    view = {"jobs": jobs, "invalid": len(bad), "known": before, "models": estimate["models"]}
    show(view, draw)
    say("nothing was submitted; the same command without --dry-run does it")
    return view


def estimates(
    backend: Backend, source: JsonlInput, defaults: JobDefaults, models: ModelChoice, bad: list[InvalidLine]
) -> Iterator[View]:
    """Yield the estimates of all lines, a chunk at a time; ``bad`` gets those that cannot be jobs."""
    for chunk in chunks(source.lines()):
        bad += [line for line in chunk if isinstance(line, InvalidLine)]
        lines = [line for line in chunk if isinstance(line, InputLine)]
        found = backend.estimate([models.applied(line.text) for line in lines], defaults)
        bad += [
            bad_line(lines[each["index"]], each["where"], each["problem"], each["hint"]) for each in found["problems"]
        ]
        yield found | {"jobs": []}


def draw(view: View) -> Drawing:
    """Draw what a run would come to."""
    bad = f", and {view['invalid']:,} lines that cannot be jobs" if view["invalid"] else ""
    known = f"; {view['known']:,} were submitted before and are not paid for again" if view["known"] else ""
    heads = ("model", "jobs", "tokens in", "out at most", "on route", "USD")
    return stack(plain(f"{view['jobs']:,} jobs{bad}{known}"), table(heads, cells(view), empty=""))


def cells(view: View) -> Iterator[tuple[object, ...]]:
    """Yield a row for each route; what is of the model stands in its first."""
    for model in view["models"]:
        facts = [model["model"], *(f"{model[key]:,}" for key in ("jobs", "input_tokens", "output_tokens_most"))]
        for route in model["routes"]:
            yield (*facts, route["route"], price_range(route["usd_least"], route["usd_most"]))
            facts = [""] * len(facts)


def price_range(least: float | None, most: float | None) -> str:
    """Say what a route would cost.

    >>> price_range(0.5, 12.0), price_range(None, None), price_range(0.0, 0.0)
    ('0.50 to 12.00', 'price unknown', '0.00')
    """
    if least is None or most is None:
        return "price unknown"
    return f"{usd(least)} to {usd(most)}" if most > least else usd(most)
