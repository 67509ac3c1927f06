"""Answers that want all the memory get a bounded piece of it, whichever adapter reads them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SDKS = 150  # MiB that two SDKs and their clouds take when they are first used
CAP = 400  # MiB for one answer: 32 of body, a few copies of it, and the server that speaks it


@pytest.mark.timeout(600)
def test_no_answer_costs_more_memory_than_a_few_times_the_cap() -> None:
    ran = subprocess.run(
        [sys.executable, TESTS / "providers" / "greedy.py"],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    told = json.loads(ran.stdout)
    for api, found in told["found"].items():
        assert {kind for kind, _ in found.values()} == {"bad_answer"}, (api, found)
        assert max(peak for _, peak in found.values()) < told["before"] + SDKS + CAP, (api, found)
