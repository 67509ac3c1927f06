"""Lines of measurements that are kept in a file, and the commands that print them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parent.parent
FACTS = ("workers", "processes", "limit", "mode", "second")  # what tells two runs of one measurement apart
SEED = re.compile(r", seed \d+$")
LAST_WORDS = 60.0  # seconds in which a command that was told to stop may clean up

Line = dict[str, Any]


def read_lines(path: Path) -> list[Line]:
    return [orjson.loads(text) for text in path.read_bytes().splitlines()] if path.exists() else []


def key(line: Line) -> tuple[str, ...]:
    """What a newer line replaces: the same measurement of the same thing, whatever its seed was."""
    return (SEED.sub("", line["bench"]), *(str(line.get(fact, "")) for fact in FACTS))


def take_in(path: Path, new: Iterable[Line]) -> None:
    """Put lines in the place of older ones of the same measurement."""
    kept = {key(line): line for line in read_lines(path)}
    for line in new:
        kept[key(line)] = {**line, "date": time.strftime("%Y-%m-%d", time.gmtime())}
    path.write_bytes(b"".join(orjson.dumps(kept[name]) + b"\n" for name in sorted(kept)))


def printed_lines(text: str) -> list[Line]:
    """The JSON lines among what a measurement printed."""
    return [orjson.loads(line) for line in text.splitlines() if line.startswith("{")]


def output(command: list[str], seconds: float) -> tuple[int, str]:
    """Exit status and standard output of a command. When its time is up it is told to stop, with all it started."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        return _ended(process, seconds)
    except subprocess.TimeoutExpired:
        say(f"  stopped after {seconds / 60:g} minutes")
        return 1, _stopped(process)
    except KeyboardInterrupt:
        _stopped(process)
        raise


def _stopped(process: "subprocess.Popen[str]") -> str:
    """Tell a command to stop, and return what it had printed; nothing of one that has to be killed."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        return _ended(process, LAST_WORDS)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return ""


def _ended(process: "subprocess.Popen[str]", seconds: float) -> tuple[int, str]:
    printed = process.communicate(timeout=seconds)[0]
    return process.returncode, printed


def say(words: str) -> None:
    sys.stderr.write(words + "\n")
