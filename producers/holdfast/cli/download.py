"""Answers become output lines, in input order, each as soon as all before it are there. Nothing is held in memory."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from holdfast.cli.input_file import STDIO
from holdfast.cli.upload import Upload
from holdfast.client.backend import Backend
from holdfast.client.output_form import OutputForm, OutputLine
from holdfast.client.waiting import PAGE, Pause, positioned, positioned_as_they_end
from holdfast.model.errors import Conflict, InvalidRequest

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


@dataclass(slots=True)
class OutputTotals:
    """What the output holds so far: lines, errors by kind, and what the answers cost."""

    written: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    cost_usd: float = 0.0

    @property
    def failed(self) -> int:
        return self.errors.total()

    @property
    def succeeded(self) -> int:
        return self.written - self.failed

    def count(self, line: OutputLine) -> None:
        """Count one output line."""
        self.written += 1
        self.cost_usd += line.cost_usd or 0.0
        if line.error is not None:
            self.errors[line.error] += 1


@contextmanager
def answer_file(path: Path, *, in_place: bool = False) -> Iterator[IO[bytes]]:
    """Open the place for the output, before anything is submitted, so that it fails early. Raises InvalidRequest.

    A file is written beside its place as ``FILE.part`` and renamed when it is whole, so a reader never sees half of it;
    unless it is to be read while it grows: then ``in_place``.
    """
    if path == STDIO:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    if path.is_dir():
        raise InvalidRequest(str(path), "is a folder.", f"Name a file in it, such as {path / 'answers.jsonl'}.")
    if not path.parent.is_dir():
        raise InvalidRequest(str(path), f"there is no folder {path.parent}.", f"Make it: mkdir -p {path.parent}")
    beside = not in_place and (path.is_file() or not path.exists())  # a device or a pipe is never replaced
    part = path.with_name(path.name + ".part") if beside else path
    try:
        file = part.open("wb")
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be written: {error.strerror}.", "Name a file elsewhere.") from None
    with written(path), file:
        yield file
        file.flush()
        if part.is_file():
            os.fsync(file.fileno())
    if beside:
        part.replace(path)


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Tell what keeps an output from being written, such as a full disk. Raises Conflict."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        said = f"it cannot be written: {error.strerror}. No answer is lost: make room or name another file, and run the"
        raise Conflict(str(path), f"{said} same command again; nothing is paid twice.") from None


def collect(
    backend: Backend,
    sent: Upload,
    output: IO[bytes],
    totals: OutputTotals,
    form: OutputForm = OutputForm.AUTO,
    *,
    follow: bool = False,
) -> Iterator[Pause]:
    """Write every line of the output, and yield the pauses between. ``follow``: as jobs end, not in input order."""
    for step in (lines_as_they_end if follow else output_lines)(backend, sent, form):
        if isinstance(step, Pause):
            output.flush()  # whoever reads it meanwhile sees all that there is
            yield step
        else:
            output.write(step.text + b"\n")
            totals.count(step)


def output_lines(backend: Backend, sent: Upload, form: OutputForm) -> Iterator[Pause | OutputLine]:
    """Yield the output line of every input line, in input order, and the pauses between."""
    due = 0
    for step in positioned(backend, sent.batch, gaps=sent.bad, read=page_in(form)) if sent.batch else ():
        if isinstance(step, Pause):
            yield step
        else:
            position, line = step
            yield from (jobless_line(sent, place, form) for place in range(due, position))
            yield line
            due = position + 1
    yield from (jobless_line(sent, place, form) for place in range(due, sent.lines))


def lines_as_they_end(backend: Backend, sent: Upload, form: OutputForm) -> Iterator[Pause | OutputLine]:
    """Yield the output line of every input line as soon as it can be written, and the pauses between."""
    yield from (jobless_line(sent, place, form) for place in sorted(sent.bad))
    written = set(sent.bad)
    steps = positioned_as_they_end(backend, sent.batch, read=page_in(form)) if sent.batch else ()
    for step in steps:
        if isinstance(step, Pause):
            yield step
        else:
            written.add(step[0])
            yield step[1]
    yield from (jobless_line(sent, place, form) for place in range(sent.lines) if place not in written)


def write_ended(backend: Backend, batch: str, form: OutputForm, output: IO[bytes], totals: OutputTotals) -> None:
    """Write the lines of all jobs that have ended by now, in input order."""
    read, after = page_in(form), -1
    while page := read(backend, batch, after):
        for after, line in page:  # noqa: B007 - the last one is where the next page begins
            output.write(line.text + b"\n")
            totals.count(line)


def page_in(form: OutputForm) -> Callable[[Backend, str, int], list[tuple[int, OutputLine]]]:
    """Return what reads a page of lines in a form, each with its position."""

    def read(backend: Backend, batch: str, after: int) -> list[tuple[int, OutputLine]]:
        return [(line.position, line) for line in backend.output_lines(batch, after, PAGE, form)]

    return read


def jobless_line(sent: Upload, position: int, form: OutputForm) -> OutputLine:
    """Write the line of an input line that never became a job, or whose job is not there any more."""
    from holdfast.client.batch_output import form_of, write_jobless  # slow to import, and most lines are jobs

    if bad := sent.bad.get(position):
        line = error_output(bad.custom_id, "invalid", "invalid_request", "invalid_line", str(bad))
        form = form_of(bad.written_in, form)
    else:
        said = f"the job at place {position} became a dead letter and was dropped. Run again to have it done anew"
        line = error_output(None, "dead", "dropped", None, said)
    return OutputLine(position, line["error"]["kind"], 0.0, write_jobless(line["custom_id"], line, form))


def error_output(custom_id: str | None, status: str, kind: str, code: str | None, message: str) -> dict[str, Any]:
    """Write an output line that no job stands behind: it has no id and cost nothing."""
    return {
        "custom_id": custom_id,
        "id": None,
        "status": status,
        "reply": None,
        "error": {"kind": kind, "code": code, "message": message},
        "route": None,
        "attempts": 0,
        "cost_usd": 0.0,
        "mapping": [],
    }
