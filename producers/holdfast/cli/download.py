"""Answers become output lines, in input order, each as soon as all before it are there. Nothing is held in memory."""

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from holdfast.cli.jsonl_input import STDIO, InvalidLine
from holdfast.cli.upload import Upload
from holdfast.client.answer import Answer
from holdfast.client.backend import Backend
from holdfast.client.waiting import Pause, positioned
from holdfast.model.errors import InvalidRequest


@dataclass(slots=True)
class OutputTotals:
    """What the output holds so far."""

    written: int = 0
    succeeded: int = 0
    errors: Counter[str] = field(default_factory=Counter)  # by kind
    cost_usd: float = 0.0

    @property
    def failed(self) -> int:
        return self.written - self.succeeded


@contextmanager
def answer_file(path: Path) -> Iterator[IO[bytes]]:
    """Open the place for the output, before anything is submitted, so that it fails early. Raises InvalidRequest.

    A file is written beside its place as ``FILE.part`` and renamed when it is whole, so a reader never sees half of it.
    """
    if path == STDIO:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    part = path.with_name(path.name + ".part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be written: {error.strerror}.") from None
    with file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def collect(backend: Backend, sent: Upload, output: IO[bytes], totals: OutputTotals) -> Generator[Pause, None, None]:
    """Write every line of the output, and yield the pauses between."""
    bad, due = dict(sent.bad), 0
    steps = positioned(backend, sent.batch, gaps=sent.bad) if sent.batch else iter(())
    for step in steps:
        if isinstance(step, Pause):
            yield step
            continue
        position, answer = step
        write_others(output, totals, bad, due, position)
        write_answer(output, totals, answer)
        due = position + 1
    write_others(output, totals, bad, due, sent.lines)


def write_answer(output: IO[bytes], totals: OutputTotals, answer: Answer) -> None:
    output.write(orjson.dumps(answer.line, option=orjson.OPT_APPEND_NEWLINE))
    totals.written += 1
    totals.cost_usd += answer.cost_usd
    if answer.error is None:
        totals.succeeded += 1
    else:
        totals.errors[answer.error.kind] += 1


def write_others(output: IO[bytes], totals: OutputTotals, bad: dict[int, InvalidLine], start: int, end: int) -> None:
    """Write the lines between two positions: those that never became jobs, and those whose job is there no more."""
    for position in range(start, end):
        if line := bad.pop(position, None):
            written = error_output(line.custom_id, "invalid", "invalid_request", "invalid_line", str(line))
        else:
            said = f"the job at place {position} became a dead letter and was dropped. Run again to have it done anew"
            written = error_output(None, "dead", "dropped", None, said)
        output.write(orjson.dumps(written, option=orjson.OPT_APPEND_NEWLINE))
        totals.written += 1
        totals.errors[written["error"]["kind"]] += 1


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
