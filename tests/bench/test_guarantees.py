"""docs/guarantees.md says what the last runs measured, and how to measure it again."""

import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "bench"))
from guarantees import NOT_PROMISED, PROMISES, Promise, anchor, names, page, run  # noqa: E402 - no package
from records import key, output  # noqa: E402 - no package

sys.path.pop()  # or bench/store.py hides tests/store

ALL = [promise for promises in PROMISES.values() for promise in promises]
LINE = {"bench": "gate", "holds": True, "date": "2026-01-02", "figures": {"CPU a job": 0.0425}}


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "bench/guarantees.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("promise", ALL, ids=lambda promise: promise.bench)
def test_a_promise_names_a_command_that_exists(promise: Promise) -> None:
    first, *words = promise.command.split()
    if first == "make":
        assert f"\n{words[0]}:" in (ROOT / "Makefile").read_text()
    else:
        assert any((ROOT / word).exists() for word in words)


@pytest.mark.parametrize("promise", ALL, ids=lambda promise: promise.bench)
def test_a_promise_is_one_line_on_the_first_screen_that_leads_to_its_figures(promise: Promise) -> None:
    written = page([])
    assert len(promise.name) <= 100
    assert written.count(f"\n### {promise.name}\n") == 1
    assert written.count(f"| [{promise.name}](#{anchor(promise.name)}) | not measured |\n") == 1


def test_one_missed_measurement_of_several_is_told_on_the_first_screen() -> None:
    lines = [LINE | {"bench": "retention of 9, sqlite"}, LINE | {"bench": "retention of 9, postgres", "holds": False}]
    assert "starve-nobody) | **MISSED**, 2026-01-02 |" in page(lines)


def test_a_figure_stands_beside_its_promise_with_its_day() -> None:
    assert "| CPU a job | 0.0425 | holds, 2026-01-02 |" in page([LINE])


def test_a_missed_bar_is_shown_as_such() -> None:
    assert "**MISSED**" in page([LINE | {"holds": False}])


def test_what_was_never_measured_is_said_to_be_so() -> None:
    assert page([]).count("not measured yet") == len(ALL)


def test_the_page_says_what_is_not_promised() -> None:
    assert "A call whose answer was lost may have been billed" in NOT_PROMISED
    assert page([]).endswith(NOT_PROMISED)


def test_every_measurement_stands_in_the_list_and_every_line_of_the_list_is_there() -> None:
    listed = re.findall(r"^\| `(\w+\.py)", (ROOT / "bench" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    runs = [path.name for path in (ROOT / "bench").glob("*.py") if "def main() -> " in path.read_text(encoding="utf-8")]
    assert sorted(listed) == sorted(set(runs) - {"guarantees.py"})


def test_collected_figures_are_json_lines() -> None:
    for text in (ROOT / "docs" / "figures.jsonl").read_bytes().splitlines():
        assert {"bench", "holds", "figures", "date"} <= orjson.loads(text).keys()


def test_a_command_is_run_and_its_json_lines_taken_in() -> None:
    said = """python -c 'print("{\\"bench\\":1}\\nnoise")'"""
    assert run(Promise("", "", said)) == [{"bench": 1}]


def test_a_command_whose_time_is_up_is_told_to_stop() -> None:
    assert output([sys.executable, "-c", "import signal; signal.pause()"], seconds=0.1) == (1, "")


def test_rows_are_chosen_by_words_of_their_name_or_command() -> None:
    chosen = [promise.bench for promise in ALL if names(promise, ["million.py", "tests/hosts"])]
    assert chosen == ["1,000,000 waiting, sqlite", "1,000,000 waiting, postgres", "tests/hosts"]
    assert all(names(promise, []) for promise in ALL)


def test_a_newer_soak_takes_the_place_of_an_older_one_whatever_its_seed() -> None:
    assert key({"bench": "soak, seed 7"}) == key({"bench": "soak, seed 123"})
    assert key({"bench": "steady", "processes": 1}) != key({"bench": "steady", "processes": 2})
