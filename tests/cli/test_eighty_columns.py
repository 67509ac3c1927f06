"""What a person sees at 80 columns, and what a file gets: through the real entry point, at a pseudo-terminal."""

import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from holdfast.cli.ledger import draw_ledger
from holdfast.cli.show import unpadded

pytestmark = pytest.mark.system  # a process for each command
FRAME = "\x1b[H"  # begins a picture of `top`; an interrupt has one that was half drawn begin anew, in its last line
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
WIDTH = 80


def at_terminal(folder: Path, *command: str, until: bytes | None = None) -> tuple[int, list[str]]:
    """Run a command at a terminal of 80 columns: its exit status and the lines that it shows.

    With ``until`` Ctrl-C is pressed as soon as that was shown.
    """
    ours, its = pty.openpty()
    ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "COLUMNS"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast.cli", *command],
        cwd=folder, env=clean | {"TERM": "xterm"}, stdin=subprocess.DEVNULL, stdout=its, stderr=its,
    )  # fmt: skip
    os.close(its)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65_536)
        except OSError:  # Linux says so at the end
            read = b""
        if not read:
            break
        shown += read
        if until is not None and until in shown:
            process.send_signal(signal.SIGINT)
            until = None
    os.close(ours)
    return process.wait(), [line.rstrip() for line in COLOURS.sub("", shown.decode().replace(FRAME, "\n")).splitlines()]


@pytest.fixture
def job(cli, worker, prompts) -> str:
    """The id of one of three jobs that ended; a lane is paused and a route open."""
    cli("submit", prompts("one", "two", "three"))
    worker.answer()
    cli("lane", "pause", "smart.batch")
    cli("route", "open", "anthropic/claude-opus-4-8")
    return str(cli("job", "list", "--json").json["jobs"][0]["id"])


def test_ids_are_whole_and_no_line_is_longer_than_the_terminal(job: str, tmp_path: Path, cli) -> None:
    batch = cli("job", "show", job, "--json").json["batch"]
    for command, whole in (
        (("job", "list"), (job, "succeeded")),
        (("job", "show", job), (job, batch)),
        (("batch", "list"), (batch,)),
        (("lane", "list"), ("smart.batch", "3 succeeded")),
        (("route", "list"), ("anthropic/claude-opus-4-8", "openai/gpt-5.4")),
        (("ledger",), ("3 accepted = 3 succeeded",)),
        (("status",), ("anthropic/claude-opus-4-8", "was paused by")),
    ):
        status, lines = at_terminal(tmp_path, *command)
        assert status == 0, lines
        assert max(map(len, lines)) <= WIDTH, command
        for words in whole:
            assert any(words in line for line in lines), (command, lines)


def test_a_file_gets_lines_without_padding_and_every_row_in_one(job: str, cli) -> None:
    for command in ("job list", "batch list", "route list", "status", "ledger"):
        lines = cli(*command.split()).out.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
    assert len(cli("job", "list").out.splitlines()) == 4


def test_top_shows_the_same_live_until_ctrl_c(job: str, tmp_path: Path, cli) -> None:
    status, lines = at_terminal(tmp_path, "top", "--every", "60", until=b"was paused by")
    assert status == 0, lines
    assert any("Ctrl-C ends it" in line for line in lines)
    assert max(map(len, lines)) <= WIDTH
    assert cli("top").out == cli("status").out


def test_an_act_says_what_it_does(job: str, cli) -> None:
    route = "anthropic/claude-opus-4-8"
    assert cli("route", "open", route).out == f"no call takes {route} until `holdfast route reset {route}`" + LATER
    assert "every call may take" in cli("route", "close", route).out
    assert "as its breaker says" in cli("route", "reset", route).out
    assert (
        "no job of smart.batch starts until `holdfast lane resume smart.batch`"
        in cli("lane", "pause", "smart.batch").out
    )
    assert "jobs of smart.batch start again" in cli("lane", "resume", "smart.batch").out


LATER = " (Redis does not answer; it hears of this as soon as a worker reaches it.)\n"


def test_a_broken_ledger_says_what_it_means_which_jobs_and_what_to_do() -> None:
    view = {
        "holds": False,
        "lines": [
            {"name": "I2", "sentence": "one terminal record", "holds": False, "figures": {"offenders": 1},
             "offenders": ["job_1"]},
        ],
    }  # fmt: skip
    assert unpadded(draw_ledger(view)).splitlines() == [
        "1 of 1 invariants do not hold",
        "BROKEN  no job ended twice (I2): 1 amiss",
        "        rule: one terminal record",
        "        see: job_1",
        "        A job has two ends, and may have been paid twice. Keep the database and report it.",
    ]


def test_an_error_begins_a_line_of_its_own(tmp_path: Path, cli, prompts) -> None:
    """The live line of a run is taken away before what ends it is told."""
    status, lines = at_terminal(tmp_path, "run", str(prompts("one")), "-o", "out.jsonl", "--model", "nobody")
    assert status == 2
    assert any(line.startswith("holdfast: model: there is no model 'nobody'") for line in lines), lines
