"""docs/benchmarks.md is drawn from whatever figures there are, and `make bench` ends with some or with none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))
from benchmark_page import explanation, page  # noqa: E402 - no package
from benchmarks import run  # noqa: E402 - no package
from comparisons import PARTS, Command  # noqa: E402 - no package
from figures import Figure, columns, median_ratio, medians, percentile  # noqa: E402 - no package

sys.path.pop()  # or bench/store.py hides tests/store

COMMANDS = [command for part in PARTS for command in part.commands]
LINE = {
    "bench": "queues",
    "holds": True,
    "command": "queues.py",
    "seconds": 9,
    "date": "2026-01-02",
    "machine": "a core",
    "versions": "Python 4",
    "peers": ["celery 5"],
    "left_out": ["arq"],
    **columns([Figure("ours over theirs", 3.456, ("≥", 3)), Figure("celery: enqueue", 1234.5, unit="jobs/s")]),
}


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "bench/benchmarks.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_figure_with_a_bar_stands_beside_it_and_others_in_a_table_of_their_own() -> None:
    drawn = page([LINE])
    assert "1 of 1 hold" in drawn
    assert "| ours over theirs | 3.46 | ≥ 3 | holds |" in drawn
    assert "| | enqueue, jobs/s |" in drawn
    assert "| celery | 1,234 |" in drawn


def test_missed_bars_stand_first() -> None:
    missed = LINE | columns([Figure("ours over theirs", 0.5, ("≥", 3))])
    first, _, _ = page([missed]).partition("## A bare")
    assert "| queues: ours over theirs | 0.5 | ≥ 3 |" in first


def test_machine_versions_and_what_was_left_out_are_told() -> None:
    drawn = page([LINE])
    for told in ("- a core", "- Python 4", "celery 5", "did not work here: arq."):
        assert told in drawn


def test_parts_that_were_not_measured_or_brought_nothing_are_said_to_be_so() -> None:
    assert page([]).count("not measured yet") == len(COMMANDS)
    failed = LINE | {"failed": "it printed no figures", "holds": False, "figures": {}, "bars": {}}
    assert "`python bench/queues.py`, 2026-01-02: it printed no figures." in page([failed])


@pytest.mark.parametrize(
    "command", [command for part in PARTS for command in part.commands], ids=lambda each: each.words
)
def test_every_command_is_a_script_that_knows_its_options_and_explains_its_figures(command: Command) -> None:
    source = (BENCH / command.script).read_text(encoding="utf-8")
    for option in re.findall(r"--[a-z-]+", f"{command.words} {command.tiny}"):
        assert f'"{option}"' in source or (option == "--database" and "add_choice(" in source)
    assert len(explanation(command.script)) > 100


def test_a_command_without_figures_leaves_a_line_that_says_why() -> None:
    (line,) = run(Command("house.py --list no-such-tree", "", 0.5), tiny=False)
    assert line["failed"]
    assert not line["holds"]


def test_medians_and_ratios_are_those_of_rounds() -> None:
    rounds = [{"a": 1.0, "b": 2.0}, {"a": 9.0, "b": 3.0}, {"a": 2.0, "b": 1.0}]
    assert medians(rounds) == {"a": 2.0, "b": 2.0}
    assert median_ratio(rounds, "a", "b") == 2.0
    assert [percentile([5.0, 1.0, 3.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 5.0]


def test_what_is_compared_with_is_pinned() -> None:
    for path in (BENCH / "peers").glob("*.txt"):
        assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.+!]+( ;.*)?", line) for line in path.read_text().splitlines())


@pytest.mark.system
def test_a_comparison_runs_from_end_to_end() -> None:
    command = [
        sys.executable,
        "bench/in_flight.py",
        "--in-flight",
        "5",
        "--latency",
        "0",
        "--jobs",
        "20",
        "--rounds",
        "1",
    ]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=280)
    assert '"run, no limit configured: refusals":0' in done.stdout, done.stderr
