"""`holdfast run` as a newcomer types it: an empty folder, a configuration with one provider, a file of prompts."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from holdfast.lab.providers.process import SimProcess

CONFIGURATION = """\
[worker]
concurrency = {concurrency}

[providers.first]
api = "{api}"
base_url = "{url}"
credentials = [{{ name = "main", secret = "command:echo simulated" }}]
{limits}

[models.bench]
routes = [{{ provider = "first", model = "first-model" }}]
"""
ENOUGH = "limits = { requests_per_minute = 6000000 }"  # a limit that is configured, and holds nothing up
GIVEN_UP = 280.0  # seconds
LOG = "printed.log"  # what a command printed, in its folder
LOOK = 0.05  # seconds between two looks at a run


@dataclass(frozen=True, slots=True)
class CommandRun:
    """What one command came to. Seconds; ``first_call`` counts from the start of the command.

    ``span`` lasts from the first call to the last answer, as the provider saw them; ``seconds`` is the whole command.
    ``seen`` are the provider's counts, ``failed`` the lines of the output without the answer to their own prompt.
    """

    seconds: float
    first_call: float
    span: float
    seen: dict[str, Any]
    failed: int = 0

    @property
    def refusals(self) -> int:
        """Calls that were not answered."""
        return int(self.seen["calls"] - self.seen["by_status"].get("200", 0))


@contextmanager
def folder(url: str, jobs: int, concurrency: int, *, limits: str = "", api: str = "anthropic") -> Iterator[Path]:
    """An empty folder with a configuration and ``in.jsonl``: prompts of ``jobs`` lines."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        path = Path(name)
        text = CONFIGURATION.format(concurrency=concurrency, url=url, limits=limits, api=api)
        (path / "holdfast.toml").write_text(text)
        (path / "in.jsonl").write_text("".join(f'{{"prompt": "prompt {number}"}}\n' for number in range(jobs)))
        yield path


def run_file(sim: SimProcess, path: Path, *more: str, look: Callable[[int], None] | None = None) -> CommandRun:
    """Run ``in.jsonl`` of a folder against ``sim``; ``look`` is called with the command's process id meanwhile."""
    command = [sys.executable, "-m", "holdfast.cli", "run", "in.jsonl", "-o", "out.jsonl", "-m", "bench", "-q", *more]
    return run_command(sim, command, path, look=look, outcome=lambda: wrong_lines(path / "out.jsonl"))


def run_command(
    sim: SimProcess,
    command: list[str],
    path: Path,
    *,
    look: Callable[[int], None] | None = None,
    outcome: Callable[[], int] = lambda: 0,
) -> CommandRun:
    """Run a command that calls ``sim``, which forgets what it saw before. Ends it when it takes too long."""
    sim.reset()
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    began = time.time()
    with (path / LOG).open("wb") as log:
        process = subprocess.Popen(
            command, cwd=path, env=surroundings, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait(process, look)
        finally:
            _end(process)
    seconds = time.time() - began
    seen = sim.counts()
    if not seen["calls"]:
        raise SystemExit(f"the command made no call: {(path / LOG).read_text()[-2000:]}")
    return CommandRun(seconds, seen["first_at"] - began, seen["last_at"] - seen["first_at"], seen, outcome())


def _wait(process: "subprocess.Popen[bytes]", look: Callable[[int], None] | None) -> None:
    if look is None:
        process.wait(GIVEN_UP)
        return
    end_by = time.monotonic() + GIVEN_UP
    while process.poll() is None and time.monotonic() < end_by:
        look(process.pid)
        time.sleep(LOOK)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command that did not end by itself."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wrong_lines(path: Path) -> int:
    """Lines that are not the answer to the prompt of that place."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return sum(not _fits(orjson.loads(line), number) for number, line in enumerate(lines))


def _fits(line: dict[str, Any], number: int) -> bool:
    return line["status"] == "succeeded" and line["reply"]["text"] == f"answer to prompt {number}"
