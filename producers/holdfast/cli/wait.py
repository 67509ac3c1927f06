"""What ``ask`` and ``job wait`` do: build a request, wait for its job, and say meanwhile where it is."""

import base64
import mimetypes
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from holdfast.cli.context import context
from holdfast.cli.desk import Desk, View, desk
from holdfast.cli.errors import Interrupted
from holdfast.cli.own_desk import OwnDesk
from holdfast.cli.own_workers import Workers, workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.progress import waiting as obstacles_of
from holdfast.cli.show import as_json, say
from holdfast.cli.tables import printable
from holdfast.client.answer import Answer
from holdfast.client.backend import JobDefaults, SubmitRequest
from holdfast.client.waiting import ended
from holdfast.model.errors import Forbidden, HoldfastError, InvalidRequest
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import Priority
from holdfast.model.request import Document, Image, Request, Role, Text, Turn

LONGEST_NAP = 0.25  # seconds between two looks
LOOK_EVERY = 1.0  # seconds between two questions for where the job is
MOST_BYTES = 32 * 1024 * 1024  # of one file
DOCUMENTS = frozenset({"application/pdf"})
STDIN = "-"


def ask(
    prompt: str,
    model: str | None,
    files: list[Path],
    *,
    system: str | None,
    max_tokens: int | None,
    timeout: float | None,
) -> bool:
    """Submit, wait, print. Answers whether there was a reply."""
    text = sys.stdin.read() if prompt == STDIN else prompt
    parts = tuple([part_of(file) for file in files] + [Text(text=text)])
    request = Request(turns=(Turn(role=Role.USER, parts=parts),), system=system, max_tokens=max_tokens)
    where = desk()
    order = SubmitRequest([request], JobDefaults(model or default_model(where), Priority.INTERACTIVE))
    job = public_id("job", where.backend.submit(order).jobs[0].id)
    return await_answer(where, job, timeout)


def await_answer(where: Desk, job: str, timeout: float | None) -> bool:
    """Wait for a job and print its answer; its error goes to stderr. Raises StillWaiting, NotFound, Interrupted."""
    inner = inner_id("job", job)
    name = public_id("job", inner)
    progress = open_progress(quiet=not sys.stderr.isatty())
    try:
        answer = waited(where, inner, timeout, progress)
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(f"{name} is kept. Get its answer with `holdfast job wait {name}`.") from None
    finally:
        progress.close()
    tell(answer)
    return answer.error is None


def waited(where: Desk, inner: str, timeout: float | None, progress: Progress) -> Answer:
    """Wait for a job; see to it that somebody works unless it has ended already."""
    steps, next_look = ended(where.backend, inner, timeout), 0.0
    with ExitStack() as stack:
        pool: Workers | None = None
        while True:
            try:
                pause = next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return] # a generator's return value is untyped here
            pool = pool or stack.enter_context(workers(where, None))
            pool.check()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_EVERY
                progress.tell(where_is(where, inner))
            time.sleep(min(pause.seconds, LONGEST_NAP))


def where_is(where: Desk, inner: str) -> str:
    """Say on which route a job is, or why it waits."""
    try:
        job = where.job(public_id("job", inner))
        running = [attempt["route"] for attempt in job["attempts"] if attempt["outcome"] is None]
        if job["state"] == "running" and running:
            return f"{running[-1]} is answering"
        return f"waiting: {why(job, obstacles_of(where))}"
    except HoldfastError as error:
        return f"waiting on: {error}"


def why(job: View, obstacles: str) -> str:
    """Say why a job waits: what its last call ran into, and what keeps the routes from it."""
    return "; ".join(each for each in (str(job["why_waiting"] or ""), obstacles) if each) or "for its turn"


def tell(answer: Answer) -> None:
    """Print the reply, and nothing else, on stdout."""
    if context().json:
        sys.stdout.write(as_json(answer.line))
    elif answer.error is None:
        text = text_of(answer)
        sys.stdout.write((printable(text) if sys.stdout.isatty() else text) + "\n")
    if sys.stderr.isatty() and answer.error is None:
        say(f"answered by {answer.route}, ${answer.cost_usd:.6f}")
    if answer.error is not None:
        say(f"{answer.id} ended {answer.status}: {answer.error.kind}: {answer.error.message}")


def text_of(answer: Answer) -> str:
    if answer.tool_calls and not answer.text:
        return as_json([call.model_dump(mode="json", include={"name", "input"}) for call in answer.tool_calls]).strip()
    return answer.text or ""


def default_model(where: Desk) -> str:
    """Take the first alias that is configured. Raises InvalidRequest where there is none, or a server decides."""
    models: Any = list(where.settings.models) if isinstance(where, OwnDesk) else served(where)
    if not models:
        raise InvalidRequest("--model", "is needed: no alias is to be seen.", "Name provider/model.")
    return str(models[0])


def served(where: Desk) -> list[str]:
    try:
        return [model for route in where.routes() for model in route["models"]]
    except Forbidden:  # the key submits, and sees no routes
        return []


def part_of(path: Path) -> Text | Image | Document:
    """Read a file as a part of the prompt: a picture, a PDF, or UTF-8 text under its name."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise InvalidRequest(str(path), f"is larger than {MOST_BYTES // 1024**2} MB.", "Send less of it.")
    kind = mimetypes.guess_type(path.name)[0] or ""
    if kind.startswith("image/"):
        return Image(media_type=kind, data=base64.b64encode(data).decode())
    if kind in DOCUMENTS:
        return Document(media_type=kind, data=base64.b64encode(data).decode(), title=path.name)
    try:
        return Text(text=f"{path.name}:\n\n{data.decode()}")
    except UnicodeDecodeError:
        raise InvalidRequest(str(path), "is neither a picture, a PDF nor UTF-8 text.") from None
