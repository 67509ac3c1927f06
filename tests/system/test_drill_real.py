"""A drill through the real pool, with real HTTP and time that runs faster: three ledgers, one set of figures."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.real.run import run
from holdfast.lab.report_writer import write
from holdfast.model.errors import InvalidRequest
from holdfast.testing import Clock

PROCESSES = Path("/proc")
OUTAGE = {
    "name": "short",
    "seconds": 90,
    "phases": [
        {"at": 30, "mix": [{"share": 0.7, "mode": "e500", "takes": [0.02, 0.5]}, {"share": 0.3, "mode": "reset"}]},
        {"at": 50},
    ],
    "bars": {"lost": 0, "dead_max": 0, "failed_calls_max": 120, "probes_concurrent_max": 1},
}
PLAY = """
import sys
import tempfile
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.real.run import run
print("begins", flush=True)
run(Scenario.model_validate_json(sys.argv[1]), seeds=[1], speed=6.0)
"""


def scenario(**changes) -> Scenario:
    return Scenario.model_validate({**OUTAGE, **changes})


def left_behind(home: str) -> list[str]:
    """Command lines of processes that speak of a drill's directory below ``home``."""
    found = []
    for process in PROCESSES.glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{home}/holdfast-drill-" in said:
            found.append(said)
    return found


def test_an_outage_is_played_through_the_real_pool_and_every_ledger_tells_the_same(tmp_path):
    drill = run(scenario(), seeds=[3], speed=6.0)
    [report] = drill.runs
    found = report.figures
    assert report.violations == {}
    assert found.equation_holds
    assert (found.lost, found.dead) == (0, 0)
    assert 300 < found.accepted == found.succeeded < 600
    assert found.breaker_trips >= 1
    assert found.probes >= 1
    assert found.probes_concurrent_max == 1
    assert 0 < found.failed_calls < 300
    assert sum(report.course.answers.values()) >= found.succeeded + found.failed_calls
    assert {move.route for move in report.course.moves} >= {"first/model"}
    assert drill.view()["speed"] == 6.0
    assert Clock.from_environment().is_real
    said = write(scenario(), drill, tmp_path).read_text()
    assert f"{found.accepted:,} accepted" in said
    assert "Played 6 times as fast as it was" in said
    bars = re.findall(r'class="served" x="[\d.]+" y="[\d.]+" width="([\d.]+)"', said)
    assert min(map(float, bars)) > 0.5  # pixels: wide enough to be seen
    assert (tmp_path / "picture.svg").read_text().startswith("<svg")


def test_an_only_route_keeps_its_jobs_until_it_is_back():
    whole = [{"at": 20, "mix": [{"share": 1.0, "mode": "e500", "takes": [0.02, 0.5]}]}, {"at": 50}]
    drill = run(scenario(single_route=True, phases=whole), seeds=[1], speed=6.0)
    [report] = drill.runs
    assert report.violations == {}
    assert (report.figures.lost, report.figures.dead) == (0, 0)
    assert report.figures.p99_s > 20  # what came in the outage waited for its end
    assert report.costs["peak_backlog"] > 100


def test_a_drill_that_is_interrupted_leaves_no_process_behind():
    with tempfile.TemporaryDirectory(prefix="hf-") as home:  # short: sockets lie below it
        player = subprocess.Popen(
            [sys.executable, "-c", PLAY, scenario().model_dump_json()],
            stdout=subprocess.PIPE,
            env=os.environ | {"TMPDIR": home},
        )
        assert player.stdout is not None
        player.stdout.readline()
        until(lambda: any("holdfast.worker" in said for said in left_behind(home)))
        player.send_signal(signal.SIGINT)
        assert player.wait(240) != 0
        player.stdout.close()
        until(lambda: left_behind(home) == [])


def test_upsets_of_our_own_processes_are_played_in_virtual_time_only():
    with pytest.raises(InvalidRequest, match="virtual"):
        run(scenario(upsets=[{"at": 5, "what": "kill"}]), seeds=[1], speed=6.0)


def until(true: Callable[[], bool], at_most: float = 240.0) -> None:
    end = time.monotonic() + at_most
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
