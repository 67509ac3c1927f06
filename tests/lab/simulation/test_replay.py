"""A seed is a whole run: it goes the same way in every process, alone or beside others."""

import os
import subprocess
import sys

import pytest

from holdfast.lab.simulation.run import run_virtual
from holdfast.lab.simulation.seeds import run_seeds
from lab.simulation.scenes import scenario

pytestmark = pytest.mark.system
OUTAGE = """{"name": "short", "duration_s": 400, "phases": [
    {"t_s": 0, "mix": [{"fraction": 1.0, "mode": "ok", "latency_s": [1, 4]}]},
    {"t_s": 60, "mix": [{"fraction": 0.5, "mode": "e500"}, {"fraction": 0.2, "mode": "hang"}]},
    {"t_s": 200, "mix": [{"fraction": 1.0, "mode": "ok", "latency_s": [1, 4]}]}]}"""
PLAY = """
import sys, orjson
from dataclasses import asdict
from holdfast.lab.drill.catalogue import read
from holdfast.lab.simulation.run import run_virtual

report = run_virtual(read(sys.argv[1], "here"), 7)
course = [asdict(sample) for sample in report.course.samples] + [asdict(move) for move in report.course.moves]
sys.stdout.buffer.write(orjson.dumps([report.view(), dict(report.costs), dict(report.routes), course]))
"""


def played(hash_seed: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run([sys.executable, "-c", PLAY, OUTAGE], env=environment, capture_output=True, check=True).stdout


def test_a_seed_replays_byte_for_byte_in_another_process():
    first, *others = [played(hash_seed) for hash_seed in ("0", "1", "4294967295")]
    assert b'"failed_calls":' in first
    assert others == [first, first]


SHORT = scenario([(60, [(1.0, "e500")]), (120, [])], seconds=200)


def test_seeds_differ():
    assert run_virtual(SHORT, 1).figures != run_virtual(SHORT, 2).figures


@pytest.mark.parametrize("processes", [1, 2])
def test_a_seed_among_others_comes_to_what_it_comes_to_alone(processes):
    told = []
    drill = run_seeds(SHORT, [4, 5, 6], processes=processes, told=lambda *done: told.append(done))
    assert [run.seed for run in drill.runs] == [4, 5, 6]
    assert [run.figures for run in drill.runs] == [run_virtual(SHORT, seed).figures for seed in (4, 5, 6)]
    assert told == [(1, 3), (2, 3), (3, 3)]
