"""Waiting for one job: its answer on stdout, and meanwhile on stderr where it is."""

import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache, partial

from holdfast.cli.context import context
from holdfast.cli.errors import Interrupted
from holdfast.cli.own_workers import OwnWorkers, workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.show import as_json, say
from holdfast.cli.tables import fault_words, printable
from holdfast.client.answer import Answer
from holdfast.client.backend import Backend, View
from holdfast.client.batch_progress import waiting as obstacles_of
from holdfast.client.waiting import drive, ended
from holdfast.model.ids import inner_id, public_id

LONGEST_NAP = 0.25  # seconds between two looks at our workers: they may have ended


def await_answer(backend: Backend, job: str, timeout: float | None, prepared: OwnWorkers | None = None) -> bool:
    """Wait for a job and print its answer; its error goes to stderr. Raises StillWaiting, NotFound, Interrupted."""
    name = public_id("job", inner_id("job", job))
    progress = open_progress(quiet=not sys.stderr.isatty())
    try:
        with ExitStack() as stack:
            answer = drive(ended(backend, name, timeout), sleeper(backend, name, progress, stack, prepared))
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(f"{name} is kept. Get its answer with `holdfast job wait {name}`.") from None
    finally:
        progress.close()
    print_answer(answer)
    return answer.error is None


def sleeper(
    backend: Backend, job: str, progress: Progress, stack: ExitStack, prepared: OwnWorkers | None
) -> Callable[[float], None]:
    """Return what sleeps for a wait: meanwhile it keeps workers running and shows where the job is."""
    pool = cache(
        lambda: stack.enter_context(workers(backend, prepared=prepared))
    )  # none is needed for a job that has ended
    naps = cache(lambda: stack.enter_context(closing(backend.sleeper(job))))  # imports Redis: after workers were told

    def sleep(seconds: float) -> None:
        pool()()
        progress.look(partial(where_is, backend, job))
        naps().sleep(min(seconds, LONGEST_NAP))

    return sleep


def where_is(backend: Backend, name: str) -> str:
    """Say on which route a job is, or why it waits."""
    job = backend.job(name)
    running = [attempt["route"] for attempt in job["attempts"] if attempt["outcome"] is None]
    if job["state"] == "running" and running:
        return f"{running[-1]} is answering"
    return f"waiting: {why(job, obstacles_of(backend))}"


def why(job: View, obstacles: str) -> str:
    """Say why a job waits: what is known of it, else what keeps calls from the routes."""
    return str(job["why_waiting"] or "") or obstacles or "for its turn"


def print_answer(answer: Answer) -> None:
    """Print the reply, and nothing else, on stdout."""
    if context().json:
        sys.stdout.write(as_json(answer.line))
    elif answer.error is None:
        text = text_of(answer)
        sys.stdout.write((printable(text) if sys.stdout.isatty() else text) + "\n")
    if sys.stderr.isatty() and answer.error is None:
        say(f"answered by {answer.route}" + (f", ${answer.cost_usd:.6f}" if answer.cost_usd is not None else ""))
    if answer.error is not None:
        say(f"{answer.id} ended {answer.status}: {fault_words(answer.error.kind)}: {answer.error.message}")


def text_of(answer: Answer) -> str:
    if answer.tool_calls and not answer.text:
        return as_json([call.model_dump(mode="json", include={"name", "input"}) for call in answer.tool_calls]).strip()
    return answer.text or ""
