"""Answers become output lines, in input order, each as soon as all before it are there. Nothing is held in memory."""

import errno
import fcntl
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    refuse_place(path)
    place = Path(os.path.realpath(path))  # what a link leads to is replaced, never the link
    beside = not in_place and (place.is_file() or not os.path.lexists(place))  # a device or a pipe is never replaced
    part = part_of(place) if beside else place
    with written(path), opened_alone(part, path) as file:
        yield file
        file.flush()
        if part.is_file():
            os.fsync(file.fileno())
        if beside:
            part.replace(place)


def part_of(path: Path) -> Path:
    """Return where an output grows until it is whole."""
    return path.with_name(path.name + ".part")


def refuse_place(path: Path) -> None:
    """Refuse a folder, and a file in a folder that is not there. Raises InvalidRequest."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise InvalidRequest(str(path), "is a folder.", f"Name a file in it, such as {path / 'answers.jsonl'}.")
    if path.parent.is_file():
        raise InvalidRequest(str(path), f"{path.parent} is a file, and no folder.", "Name a file elsewhere.")
    if not path.parent.is_dir():
        raise InvalidRequest(str(path), f"there is no folder {path.parent}.", f"Make it: mkdir -p {path.parent}")


def refuse_input(source: Path, to: Path) -> None:
    """Refuse to write over the input: by any name that it has, also where the output grows. Raises InvalidRequest."""
    if STDIO in {source, to}:
        return
    for place in (to, part_of(Path(os.path.realpath(to)))):
        with suppress(OSError):  # what is not there is not the same
            if source.samefile(place):
                what = "is the input itself." if place == to else f"is first written as {place.name}: the input itself."
                raise InvalidRequest("-o", what, "Name another file.")


@contextmanager
def opened_alone(part: Path, path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, which no other process of ours writes meanwhile. Raises InvalidRequest, Conflict."""
    try:
        file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT, 0o666), "wb")
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be written: {error.strerror}.", "Name a file elsewhere.") from None
    with file:
        if part.is_file():
            lock(file, part, path)
            file.truncate()
        yield file


def lock(file: IO[bytes], part: Path, path: Path) -> None:
    """Take the lock of an output, which ends with its process. Raises Conflict: another one has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        alone = False
    except OSError:  # a file system without locks
        return
    else:
        alone = is_at(file, part)
    if not alone:
        raise Conflict(str(path), "another command is writing it. Wait for that one, or name another file.")


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


def is_at(file: IO[bytes], path: Path) -> bool:
    """Tell whether an open file still has its name: who wrote it before may just have renamed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


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
