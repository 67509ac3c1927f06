"""The command line as people run it: real processes, simulated providers, Ctrl-C and kills."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.serve import config
from holdfast.lab.providers.settings import InjectedFault, SimSettings

PATIENCE = 240.0  # seconds for something that comes within a few, unless the machine is very busy
HOLDFAST = [sys.executable, "-m", "holdfast.cli"]


@dataclass
class Home:
    """An empty folder with a configuration for two simulated providers."""

    path: Path
    sims: list[SimProcess]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        process = subprocess.Popen(
            [*HOLDFAST, *map(str, arguments)],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def run(self, *arguments: object) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json")[1])

    def prompts(self, count: int) -> Path:
        path = self.path / "in.jsonl"
        path.write_text("".join(f'{{"custom_id": "c{n}", "prompt": "prompt {n}"}}\n' for n in range(count)))
        return path

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.path / "out.jsonl").read_text().splitlines()]

    def calls(self) -> int:
        return sum(sim.counts()["by_status"].get("200", 0) for sim in self.sims)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with ExitStack() as stack:
        sims = [stack.enter_context(SimProcess(SimSettings(latency=(0.05, 0.05)))) for _ in range(2)]
        (tmp_path / "holdfast.toml").write_text(config(sims[0].url, sims[1].url))
        made = Home(tmp_path, sims)
        yield made
        for process in made.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def children_of(process: subprocess.Popen[str]) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in found]


def test_a_run_without_workers_brings_its_own_and_leaves_none_behind(home: Home) -> None:
    status, _, err = home.run("run", home.prompts(60), "-o", "out.jsonl", "--model", "smart", "--processes", "2")
    assert status == 0, err
    assert [line["custom_id"] for line in home.answers()] == [f"c{n}" for n in range(60)]
    assert all(line["reply"] for line in home.answers())
    assert home.json("status")["workers"] == []


def test_a_run_interrupted_in_an_outage_goes_on_and_pays_nothing_twice(home: Home) -> None:
    source = home.prompts(400)
    for sim in home.sims:
        sim.break_(InjectedFault(mode="e503", after=1.0))
    first = home.start("run", source, "-o", "out.jsonl", "--model", "smart")
    until(
        lambda: any(sim.counts()["by_status"].get("503") or sim.counts()["by_status"].get("529") for sim in home.sims)
    )
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 130, err
    assert "Run the same command to go on" in err
    assert not (home.path / "out.jsonl").exists()
    for sim in home.sims:
        sim.heal()
    status, _, err = home.run("run", source, "-o", "out.jsonl", "--model", "smart")
    assert status == 0, err
    assert len(home.answers()) == 400
    assert home.calls() == 400
    assert home.run("ledger")[0] == 0


def test_a_run_that_is_killed_leaves_no_worker_that_goes_on_spending(home: Home) -> None:
    home.sims[0].break_(InjectedFault(mode="hang"))
    first = home.start("run", home.prompts(5), "-o", "out.jsonl", "--model", "smart")
    until(lambda: home.sims[0].counts()["calls"] >= 5)
    workers = children_of(first)
    assert workers
    first.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_a_question_is_answered_on_stdout_alone(home: Home) -> None:
    status, out, _ = home.run("ask", "What is it?", "--model", "smart")
    assert (status, out) == (0, "answer to What is it?\n")


def test_a_question_given_up_with_ctrl_c_is_kept(home: Home) -> None:
    for sim in home.sims:
        sim.break_(InjectedFault(mode="slow", delay=5.0))
    asking = home.start("ask", "What is it?")
    until(lambda: any(sim.counts()["in_flight"] for sim in home.sims))
    asking.send_signal(signal.SIGINT)
    _, err = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 130, err
    name = err.split("holdfast job wait ")[1].split("`")[0]
    assert home.run("job", "wait", name)[1] == "answer to What is it?\n"
    assert home.calls() == 1


def test_workers_that_die_are_started_again_until_the_pool_is_stopped(home: Home) -> None:
    pool = home.start("worker", "--processes", "2")
    until(lambda: len(home.json("status")["workers"]) == 2)
    victim = children_of(pool)[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(children_of(pool)) == 2 and victim not in children_of(pool))
    pool.send_signal(signal.SIGTERM)
    pool.communicate(timeout=PATIENCE)
    assert pool.returncode == 0


def test_a_pool_that_cannot_start_ends_with_the_status_of_its_worker(home: Home) -> None:
    (home.path / "holdfast.toml").write_text("[server]\nport = -1\n")
    assert home.run("worker")[0] == 78
