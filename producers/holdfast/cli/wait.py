"""What ``ask`` and ``job wait`` do: build a request, wait for its job, and say meanwhile where it is."""

import base64
import mimetypes
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from holdfast.cli.context import backend as open_backend
from holdfast.cli.context import context
from holdfast.cli.errors import Interrupted
from holdfast.cli.own_workers import Workers, workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.progress import waiting as obstacles_of
from holdfast.cli.show import as_json, say
from holdfast.cli.tables import printable
from holdfast.client.answer import Answer
from holdfast.client.backend import Backend, JobDefaults, SubmitRequest, View
from holdfast.client.local import LocalBackend
from holdfast.client.waiting import drive, ended
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
    question = Request(turns=(Turn(role=Role.USER, parts=parts),), system=system, max_tokens=max_tokens)
    backend = open_backend()
    request = SubmitRequest([question], JobDefaults(model or default_model(backend), Priority.INTERACTIVE))
    return await_answer(backend, backend.submit(request).jobs[0].id, timeout)


def await_answer(backend: Backend, job: str, timeout: float | None) -> bool:
    """Wait for a job and print its answer; its error goes to stderr. Raises StillWaiting, NotFound, Interrupted."""
    name = public_id("job", inner_id("job", job))
    progress = open_progress(quiet=not sys.stderr.isatty())
    try:
        with ExitStack() as stack:
            answer = drive(ended(backend, name, timeout), Attendant(backend, name, progress, stack).sleep)
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(f"{name} is kept. Get its answer with `holdfast job wait {name}`.") from None
    finally:
        progress.close()
    tell(answer)
    return answer.error is None


class Attendant:
    """Sleeps for a wait: meanwhile it sees to it that somebody works, and says where the job is."""

    def __init__(self, backend: Backend, job: str, progress: Progress, stack: ExitStack) -> None:
        self._backend, self._job, self._progress, self._stack = backend, job, progress, stack
        self._workers: Workers | None = None  # none are looked for until there is something to wait for
        self._next_look = 0.0

    def sleep(self, seconds: float) -> None:
        """Pause, but not for long: our own workers may have ended. Raises ChildFailed."""
        if self._workers is None:
            self._workers = self._stack.enter_context(workers(self._backend, None))
        self._workers.check()
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY
            self._progress.tell(where_is(self._backend, self._job))
        time.sleep(min(seconds, LONGEST_NAP))


def where_is(backend: Backend, name: str) -> str:
    """Say on which route a job is, or why it waits."""
    try:
        job = backend.job(name)
        running = [attempt["route"] for attempt in job["attempts"] if attempt["outcome"] is None]
        if job["state"] == "running" and running:
            return f"{running[-1]} is answering"
        return f"waiting: {why(job, obstacles_of(backend))}"
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


def default_model(backend: Backend) -> str:
    """Take the first alias that is configured. Raises InvalidRequest where there is none, or a server decides."""
    models = served(backend)
    if not models:
        raise InvalidRequest("--model", "is needed: no alias is to be seen.", "Name provider/model.")
    return models[0]


def served(backend: Backend) -> list[str]:
    """List the aliases that jobs can name, as far as they are to be seen."""
    if isinstance(backend, LocalBackend):
        return list(backend.installation.settings.models)
    try:
        return [model for route in backend.routes()["routes"] for model in route["models"]]
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
