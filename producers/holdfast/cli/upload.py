"""Lines become jobs of one batch. A line that cannot is set aside, and the others go on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count

from holdfast.cli.jsonl_input import InputLine, InvalidLine, JsonlInput, chunks
from holdfast.cli.model_choice import ModelChoice
from holdfast.cli.show import say
from holdfast.client.backend import Backend
from holdfast.client.errors import InvalidJobs
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.model.errors import InvalidRequest

PAGES, PAGE = 5, 1_000  # batches among which an earlier run is looked for


@dataclass(slots=True)
class Upload:
    """What became of an input. ``batch`` is None while no line has become a job."""

    batch: str | None = None
    jobs: int = 0
    known: int = 0  # of jobs: those that an earlier run had submitted
    bad: dict[int, InvalidLine] = field(default_factory=dict)  # by position

    @property
    def lines(self) -> int:
        return self.jobs + len(self.bad)


class Uploader:
    """Sends one input. Unless ``fresh``, it finds the jobs of the latest run of the same input and adds to them."""

    def __init__(
        self,
        backend: Backend,
        source: JsonlInput,
        defaults: JobDefaults,
        *,
        fresh: bool = False,
        models: ModelChoice | None = None,
        webhook: str | None = None,
    ) -> None:
        self._backend, self._source, self._defaults, self._webhook = backend, source, defaults, webhook
        self._models = models or ModelChoice(defaults.model)
        content, name = named(source, defaults, self._models)
        number, batch = latest(backend, name)
        if fresh:
            number, batch = number + 1, None
        self.name = name if number <= 1 else f"{name} run {number}"
        self._key = content if number <= 1 else f"{content}.{number}"
        self.sent = Upload(batch)

    def send(
        self,
        progress: Callable[[Upload], None] = lambda _: None,
        admit: Callable[[Sequence[InputLine]], int] = len,
    ) -> Upload:
        """Submit all lines, a chunk at a time; ``progress`` is called after each. Bad lines are named on stderr.

        ``admit`` says how many of some lines may go now. It may wait, and what it raises ends the upload.
        """
        for chunk in chunks(self._source.lines()):
            self._set_aside(line for line in chunk if isinstance(line, InvalidLine))
            for run in unbroken(line for line in chunk if isinstance(line, InputLine)):
                self._submit_as_admitted(run, admit)
            if self.sent.jobs:
                progress(self.sent)
        if not self.sent.lines:
            say(f"{self._source.name} holds no line: there is nothing to do")
        if self._source.changed:
            say(f"{self._source.name} was changed while it was read: run it again once it is whole")
        if self._models.replaced:
            say(str(self._models))
        self._refuse_models()
        for line in reported(list(self.sent.bad.values()), self._source.name):
            say(line)
        return self.sent

    def _refuse_models(self) -> None:
        """Say once that nobody has the model of all lines, where that is so. Raises InvalidRequest."""
        told = {(line.where, line.problem, line.hint) for line in self.sent.bad.values()}
        if self.sent.jobs == 0 and len(told) == 1 and (only := told.pop())[0] == "model":
            where, problem, hint = only
            more = "Name another for all lines with --model, or replace it with --map OLD=NEW."
            raise InvalidRequest(where, problem, hint if "--model" in hint else f"{hint} {more}".strip())

    def _submit_as_admitted(self, run: Sequence[InputLine], admit: Callable[[Sequence[InputLine]], int]) -> None:
        while run:
            now = admit(run)
            self._submit(run[:now])
            run = run[now:]

    def _submit(self, run: Sequence[InputLine]) -> None:
        """Submit neighbouring lines. Where some are refused, submit the others without them."""
        try:
            accepted = self._backend.submit(self._request(run))
        except InvalidJobs as refused:
            bad = {
                problem.index: bad_line(run[problem.index], problem.where, problem.problem, problem.hint)
                for problem in refused.problems
            }
            self._set_aside(bad.values())
            for rest in unbroken(line for index, line in enumerate(run) if index not in bad):
                self._submit(rest)
            return
        self.sent.batch = accepted.batch
        self.sent.jobs += len(accepted.jobs)
        self.sent.known += sum(not job.created for job in accepted.jobs)

    def _request(self, run: Sequence[InputLine]) -> SubmitRequest:
        return SubmitRequest(
            [self._models.applied(line.text) for line in run],
            self._defaults,
            many=True,
            name=self.name,
            batch=self.sent.batch,
            first=run[0].position,
            key=self._key,
            webhook=self._webhook,
        )

    def _set_aside(self, bad: Iterable[InvalidLine]) -> None:
        self.sent.bad |= {line.position: line for line in bad}


def named(source: JsonlInput, defaults: JobDefaults, models: ModelChoice) -> tuple[str, str]:
    """Return the idempotency key of a run of an input, and the name of its batch."""
    content = key_of(source, defaults, models)
    return content, f"{source.name} [{content[:8]}]"


def submitted_before(backend: Backend, source: JsonlInput, defaults: JobDefaults, models: ModelChoice) -> int:
    """Count the jobs that the latest run of the same input has submitted."""
    _, batch = latest(backend, named(source, defaults, models)[1])
    return sum(backend.counts(batch).values()) if batch else 0


def latest(backend: Backend, name: str) -> tuple[int, str | None]:
    """Find the latest run of an input by its batch's name: its number, from 1, and the batch's id."""
    cursor: str | None = None
    for _ in range(PAGES):
        page = backend.batches(PAGE, cursor)
        for batch in page["batches"]:
            if batch["name"] == name or batch["name"].startswith(f"{name} run "):
                return int(batch["name"].removeprefix(name).removeprefix(" run ") or 1), batch["id"]
        cursor = page["next"]
        if cursor is None:
            break
    return 0, None


def key_of(source: JsonlInput, defaults: JobDefaults, models: ModelChoice) -> str:
    """Name a run by what it asks for: the input's content, and what its options say of its lines."""
    said = f"{source.digest()} {defaults.model} {defaults.priority} {defaults.expires_in}"
    said += f" {defaults.not_before}" if defaults.not_before else ""
    said += "".join(f" {old}={new}" for old, new in sorted(models.mapped.items()))
    return blake2b(said.encode(), digest_size=16).hexdigest()


def bad_line(line: InputLine, where: str, problem: str, hint: str) -> InvalidLine:
    return InvalidLine(line.position, line.number, line.custom_id, where, problem, hint, line.written_in)


def unbroken(lines: Iterable[InputLine]) -> Iterator[list[InputLine]]:
    """Cut lines wherever a position is missing."""
    run, due = list[InputLine](), count()
    for line in lines:
        if line.position != next(due):
            if run:
                yield run
            run, due = [], count(line.position + 1)
        run.append(line)
    if run:
        yield run


def reported(bad: Sequence[InvalidLine], name: str, most: int = 20) -> list[str]:
    """Name the first bad lines and count the rest; what is the same of many is said once."""
    same = dict[tuple[str, str], list[InvalidLine]]()
    for line in bad:
        same.setdefault((line.where, line.problem), []).append(line)
    said = [f"{name}, {lines[0]}" + alike(lines) for lines in list(same.values())[:most]]
    left = sum(len(lines) for lines in list(same.values())[most:])
    return said + ([f"… and {left} more lines that cannot become jobs"] if left else [])


def alike(lines: Sequence[InvalidLine]) -> str:
    """Say of how many more lines the same is wrong."""
    return f" (so {len(lines) - 1:,} more lines, the next {lines[1].number})" if len(lines) > 1 else ""
