"""The main job on one machine, without keys: submit, outage, backlog and detour, recovery, report.

Two simulated providers speak their wire formats over real HTTP; two worker processes, SQLite and the embedded Redis
are the product itself, as `holdfast up` runs it.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from holdfast.client import Batch, Holdfast, output_line
from holdfast.lab.demo.checks import DemoEvidence, record
from holdfast.lab.demo.input import lines
from holdfast.lab.demo.leftovers import sweep
from holdfast.lab.demo.screen import STATE_WORDS, DemoScreen
from holdfast.lab.ledger_audit import audit
from holdfast.lab.local_pool import LocalPool, local_pool
from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from holdfast.lab.report.run_page import equation, markdown, page
from holdfast.lab.report.run_picture import picture
from holdfast.lab.report.run_record import Check, RunRecord, turns
from holdfast.lab.sampler import RunSampler
from holdfast.model.ids import inner_id
from holdfast.model.records import FinishedJob
from holdfast.store.batches import count_unfinished
from holdfast.store.jobs import list_finished

JOBS, WORKERS, SLOTS = 900, 2, 10
OUTAGE = 14.0  # seconds
BREAKS_AFTER = 0.28  # of all jobs
LIMIT = 240.0  # seconds without a call after which the demo gives up
LOOK = 0.2  # seconds between two looks
FIRST = "anthropic/claude-opus-4-8"
SIMS = (
    SimSettings(latency=(0.3, 0.6), rate=200, burst=200, seed=1),
    SimSettings(latency=(0.3, 0.6), rate=12, burst=12, seed=2),
)

CONFIG = """\
# The demo's own configuration: two simulated providers, embedded storage.
[storage]
database_url = "sqlite:///{storage}/holdfast.db"
directory = "{storage}"

[worker]
concurrency = {slots}

[providers.anthropic]
api = "anthropic"
base_url = "{anthropic}"
deadline = "20s"
credentials = [{{ name = "main", secret = "env:HOLDFAST_DEMO_KEY" }}]
limits = {{ requests_per_minute = 12000 }}

[providers.openai]
api = "openai-chat"
base_url = "{openai}/v1"
deadline = "20s"
credentials = [{{ name = "main", secret = "env:HOLDFAST_DEMO_KEY" }}]
limits = {{ requests_per_minute = 720 }}

[models.smart]
routes = [
  {{ provider = "anthropic", model = "claude-opus-4-8", price = {{ input = 5.0, output = 25.0 }} }},
  {{ provider = "openai", model = "gpt-5.4", price = {{ input = 2.5, output = 15.0 }} }},
]

[models.careful]           # no detour: its jobs wait
routes = [{{ provider = "anthropic", model = "claude-opus-4-8", price = {{ input = 5.0, output = 25.0 }} }}]
"""

FILES = {
    "report.html": "this report as a page with its picture",
    "report.md": "the same as text",
    "picture.svg": "the picture alone",
    "input.jsonl": "what was asked: one job a line",
    "output.jsonl": "what came back, in the order of the input",
    "holdfast.toml": "the configuration it ran with",
}


@dataclass(slots=True)
class Demo:
    """Everything the demo runs on. ``sims`` by the providers' names; ``directory`` takes the report."""

    directory: Path
    pool: LocalPool
    sims: dict[str, SimProcess]
    holdfast: Holdfast
    screen: DemoScreen


def run(directory: Path = Path("demo"), jobs: int = JOBS) -> int:
    """Run the demo and write its report into ``directory``. Returns an exit status: 0 when every promise was kept."""
    try:
        with put_up(directory) as on:
            outcome = act(on, jobs)
            write(directory, outcome)
    except KeyboardInterrupt:
        return 130
    tell(outcome, directory, on.screen)
    return 0 if outcome.balanced and all(check.holds for check in outcome.checks if check.is_promise) else 1


@contextmanager
def put_up(directory: Path) -> Iterator[Demo]:
    """Start providers, storage and workers, all ended with the block."""
    directory.mkdir(parents=True, exist_ok=True)
    sweep(directory)
    os.environ.setdefault("HOLDFAST_DEMO_KEY", "no-key-is-needed")
    with ExitStack() as stack:
        screen = stack.enter_context(DemoScreen())
        screen.say("two simulated providers, an embedded Redis and two workers start")
        storage = directory.resolve() / f"run-{os.getpid()}"
        stack.callback(shutil.rmtree, storage, ignore_errors=True)
        storage.mkdir()
        pool = stack.enter_context(local_pool(LocalPool, storage, SIMS, partial(configuration, storage)))
        stack.callback(_keep, pool, directory)
        holdfast = stack.enter_context(Holdfast(pool.settings))
        pool.start(WORKERS)
        yield Demo(directory, pool, dict(zip(("Anthropic", "OpenAI"), pool.sims, strict=True)), holdfast, screen)
        pool.stop_workers()


def configuration(storage: Path, urls: Sequence[str]) -> str:
    return CONFIG.format(storage=storage, slots=SLOTS, anthropic=urls[0], openai=urls[1])


def _keep(pool: LocalPool, directory: Path) -> None:
    """Copy what may be looked at afterwards: the configuration and the workers' logs."""
    for file in (pool.config, *pool.logs()):
        shutil.copy(file, directory)


def act(on: Demo, jobs: int) -> RunRecord:
    """Submit, break, heal, drain; returns the record of it."""
    asked = lines(jobs)
    (on.directory / "input.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in asked))
    began = time.monotonic()
    batch = on.holdfast.submit(asked, name="demo")
    on.screen.say(f"{len(asked):,} jobs accepted in {time.monotonic() - began:.2f} s ({batch.id}): safe in SQL", "bold")
    anthropic = on.sims["Anthropic"]
    with RunSampler(on.pool.store, on.pool.lanes, [batch.inner]) as watch:
        follow(on, watch, lambda: done(watch) >= len(asked) * BREAKS_AFTER)
        anthropic.break_(InjectedFault(mode="e503", delay=0.15))
        broke = time.time()
        on.screen.say("Anthropic breaks: it answers 503 to every call", "bold red")
        follow(on, watch, lambda: time.time() - broke >= OUTAGE)
        anthropic.heal()
        healed = time.time()
        on.screen.say("Anthropic heals", "bold green")
        follow(on, watch, lambda: on.pool.store.read(count_unfinished, batch.inner) == 0)
        on.screen.say("the backlog is drained", "bold")
    return prove(on, watch, batch, (broke, healed))


def follow(on: Demo, watch: RunSampler, over: Callable[[], bool]) -> None:
    """Show the run until ``over``."""
    told = len(turns(watch.moves))
    calls, end_by = list[dict[str, Any]](), 0.0
    while not over():
        if (seen := [sim.counts() for sim in on.sims.values()]) != calls:
            calls, end_by = seen, time.monotonic() + LIMIT
        if time.monotonic() > end_by:
            raise SystemExit(f"the demo did not come to its end; the workers' logs are in {on.directory}")
        for move in turns(watch.moves)[told:]:
            told += 1
            on.screen.say(f"breaker of {move.route}: {STATE_WORDS.get(move.state, move.state)}", "yellow")
        if watch.samples:
            counts = {name: sim.counts() for name, sim in on.sims.items()}
            on.screen.show(watch.samples[-1], counts, {"Anthropic": watch.state(FIRST)})
        time.sleep(LOOK)


def done(watch: RunSampler) -> int:
    return watch.samples[-1].done if watch.samples else 0


def prove(on: Demo, watch: RunSampler, batch: Batch, outage: tuple[float, float]) -> RunRecord:
    """Compare what was accepted, what SQL holds and what the providers saw."""
    finished = on.pool.store.read(list_finished, batch.inner, limit=len(batch))
    write_output(on.directory, finished)
    calls = {name: tuple(SeenCall(**call) for call in sim.calls()) for name, sim in on.sims.items()}
    evidence = DemoEvidence(
        accepted=len(batch),
        finished=finished,
        live=on.pool.store.read(count_unfinished, batch.inner),
        ledger=audit(on.pool.store, {inner_id("job", job.id) for job in batch.jobs}, calls),
        calls=calls,
        samples=watch.samples,
        moves=watch.moves,
        began=watch.began,
        outage=outage,
    )
    return record(evidence, FILES)


def write_output(directory: Path, finished: Sequence[FinishedJob]) -> None:
    (directory / "output.jsonl").write_bytes(b"".join(orjson.dumps(output_line(one)) + b"\n" for one in finished))


def write(directory: Path, outcome: RunRecord) -> None:
    (directory / "picture.svg").write_text(picture(outcome), encoding="utf-8")
    (directory / "report.md").write_text(markdown(outcome, "picture.svg"), encoding="utf-8")
    (directory / "report.html").write_text(page(outcome), encoding="utf-8")


def tell(outcome: RunRecord, directory: Path, screen: DemoScreen) -> None:
    """The end of the story on the terminal."""
    say = partial(screen.console.print, soft_wrap=True)
    say(f"\n[bold]{equation(outcome)}[/]")
    for check in outcome.checks:
        say(f"  {marked(check)}")
    say(f"\nThe report: {directory / 'report.html'} (or report.md); the picture: {directory / 'picture.svg'}")
    say("Next: `holdfast up --sim` keeps it running, `holdfast --help` shows the rest.")


def marked(check: Check) -> str:
    """A line of the terminal: what was missed without breaking a promise is a busy machine's, and says so."""
    if check.holds:
        return f"[green]✓[/] {check.sentence}"
    if check.is_promise:
        return f"[bold red]✗ {check.sentence}[/] {check.figures}"
    return f"[yellow]~[/] {check.sentence} {check.figures} Missed, as on a busy machine; no promise is broken."


def main() -> int:
    return run()


if __name__ == "__main__":
    sys.exit(main())
