"""A wait tells how far its jobs are where somebody looks on, and warns once of why nothing happens."""

import sys
import warnings
from types import SimpleNamespace

import pytest

from holdfast.client import AsyncHoldfast, Holdfast, StalledWarning, stall_watch, wait_monitor
from holdfast.client.live_line import CLEAR, NotebookLine, PlainLines, TerminalLine, open_line
from holdfast.client.wait_monitor import WaitMonitor
from holdfast.config import Settings
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State
from producing import StandInWorker

NOBODY_WORKS = "no worker runs: start one with `holdfast up` or `holdfast worker`"


class Lines(list[str]):
    """A line that keeps what it showed."""

    show = list.append

    def clear(self) -> None: ...

    def close(self) -> None: ...


class Wait:
    """A monitor of ten jobs, with a clock that a test moves."""

    def __init__(self, line: Lines | None = None) -> None:
        self.now, self.done, self.why, self.asked = 0.0, 0, NOBODY_WORKS, 0
        self.monitor = WaitMonitor("batch_1", self.counts, self.reason, line=line, now=lambda: self.now)

    def counts(self) -> dict[State, int]:
        self.asked += 1
        return {State.SUCCEEDED: self.done, State.QUEUED: 10 - self.done}

    def reason(self) -> str | None:
        return self.why

    def warned(self, seconds: int) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(seconds):
                self.now += 1
                self.monitor.look()
        return [str(each.message) for each in caught]


def test_a_wait_that_nobody_works_for_is_warned_of_once() -> None:
    wait = Wait()
    assert wait.warned(4) == []
    assert wait.warned(60) == [f"batch_1 waits: {NOBODY_WORKS}"]


def test_a_reason_is_warned_of_once_whatever_figures_it_names() -> None:
    wait = Wait()
    wait.why = "anthropic is down since 02:28; asked again in 3 s"
    assert len(wait.warned(10)) == 1
    wait.why = "anthropic is down since 02:28; asked again in 9 s"
    assert wait.warned(10) == []
    wait.why = NOBODY_WORKS
    assert len(wait.warned(10)) == 1


def test_jobs_that_move_or_wait_for_their_turn_are_nothing_to_warn_of() -> None:
    wait = Wait()
    for _ in range(4):
        wait.done += 1
        assert wait.warned(4) == []
    wait.why = None
    assert wait.warned(60) == []


def test_without_a_line_a_wait_costs_one_question_in_five_seconds() -> None:
    wait = Wait()
    wait.why = None
    wait.warned(60)
    assert wait.asked == 12


def test_progress_is_shown_each_second_with_the_reason() -> None:
    wait = Wait(lines := Lines())
    wait.done = 3
    wait.warned(8)
    assert lines[0].endswith("3/10 done · 7 queued")
    assert lines[-1].endswith(NOBODY_WORKS)
    assert len(lines) == 8
    wait.done = 10
    wait.monitor.close()
    assert "10/10 done" in lines[-1]


def test_a_storage_that_is_away_is_told_and_ends_no_wait() -> None:
    wait = Wait(lines := Lines())
    wait.monitor._counts = lambda: (_ for _ in ()).throw(StorageUnavailable("sqlite:///x", "gone"))
    wait.warned(1)
    assert lines[0].startswith("waiting on: the database sqlite:///x")


@pytest.fixture
def impatient(monkeypatch):
    for name in ("ASK_WHY_AFTER", "FIRST_LOOK", "LOOK_EVERY"):
        monkeypatch.setattr(wait_monitor, name, 0.01)
    monkeypatch.setattr(stall_watch, "LOOK_EVERY", 0.01)


def test_results_warn_when_nobody_works(hf: Holdfast, impatient) -> None:
    batch = hf.submit(["a", "b"], model="smart")
    with pytest.warns(StalledWarning, match=f"{batch.id} waits: {NOBODY_WORKS}") as told, pytest.raises(TimeoutError):
        list(batch.results(timeout=1.0))
    assert told[0].filename == __file__
    with pytest.warns(StalledWarning, match=NOBODY_WORKS), pytest.raises(TimeoutError):
        batch.wait(timeout=1.0)
    with pytest.warns(StalledWarning, match=NOBODY_WORKS), pytest.raises(TimeoutError):
        batch.jobs[0].wait(timeout=1.0)


async def test_asynchronous_waits_warn_too(settings: Settings, impatient) -> None:
    async with AsyncHoldfast(settings) as hf:
        hf.stalls._tick = 0.01
        batch = await hf.submit(["a", "b"], model="smart")
        with pytest.warns(StalledWarning, match=NOBODY_WORKS), pytest.raises(TimeoutError):
            await batch.jobs[0].wait(timeout=2.0)
        with pytest.warns(StalledWarning, match=NOBODY_WORKS), pytest.raises(TimeoutError):
            _ = [answer async for answer in batch.results(timeout=1.0)]


def test_where_nobody_looks_on_nothing_is_shown(capsys, hf: Holdfast, impatient) -> None:
    batch = hf.submit(["a"], model="smart")
    StandInWorker(hf.backend.installation.ready()).answer()
    assert [answer.text for answer in batch.results(timeout=120)] == ["A"]
    assert capsys.readouterr() == ("", "")
    assert open_line(None) is None
    assert open_line(False) is None
    assert isinstance(open_line(True), PlainLines)


def test_a_terminal_has_one_line_that_answers_are_not_printed_into(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    line = open_line(None)
    assert isinstance(line, TerminalLine)
    line.clear()
    line.show("3/10 done\x1b[2J")
    line.clear()
    line.clear()
    assert capsys.readouterr().err == f"{CLEAR}3/10 done[2J{CLEAR}"


class ZMQInteractiveShell: ...


def test_a_notebook_shows_one_output_that_changes(monkeypatch) -> None:
    shown: list[str] = []

    def display(said, *, raw, display_id):
        assert (raw, display_id) == (True, True)
        shown.append(said["text/plain"])
        return SimpleNamespace(update=lambda said, *, raw: shown.append(said["text/plain"]))

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    line = open_line(None)
    assert isinstance(line, NotebookLine)
    line.show("3/10")
    line.show("4/10")
    assert shown == ["3/10", "4/10"]


def test_an_ipython_that_is_no_notebook_is_a_terminal(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert open_line(None) is None


class Frame:
    def __init__(self, data, columns) -> None:
        self.rows, self.columns = data, columns


def test_a_batch_is_a_data_frame_where_pandas_is(monkeypatch, hf: Holdfast, worker: StandInWorker) -> None:
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=Frame))
    batch = hf.submit([{"custom_id": "x", "prompt": "a"}, "b"], model="smart")
    worker.answer(jobs=1)
    worker.bury()
    first, second = batch.to_pandas(timeout=120).rows
    assert (first["custom_id"], first["text"], first["error"], first["output_tokens"]) == ("x", "A", None, 4)
    assert (second["text"], second["error"]) == (None, "invalid_request")
    assert first["cost_usd"] > 0


async def test_an_asynchronous_batch_is_one_too(monkeypatch, settings: Settings) -> None:
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=Frame))
    async with AsyncHoldfast(settings) as hf:
        batch = await hf.submit(["a"], model="smart")
        StandInWorker(hf.sync.backend.installation.ready()).answer()
        assert [row["text"] for row in (await batch.to_pandas(timeout=120)).rows] == ["A"]


def test_without_pandas_it_says_what_to_do_before_it_waits(monkeypatch, hf: Holdfast) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    batch = hf.submit(["a"], model="smart")
    with pytest.raises(ImportError, match=r"`pip install pandas`, or `\[answer.line for answer in"):
        batch.to_pandas()
