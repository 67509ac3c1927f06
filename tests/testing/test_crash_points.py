"""A named point kills the process when the environment says so, and does nothing otherwise."""

import os
import signal
import subprocess
import sys

PROGRAM = """
import os; from holdfast.testing import Runtime
crash_point = Runtime.from_environment(os.environ).crash_point
for name in ("before_claim", "after_claim", "after_claim"):
    crash_point(name)
    print(name, flush=True)
"""


def run(at: str | None) -> tuple[int, list[str]]:
    env = {name: value for name, value in os.environ.items() if name != "HOLDFAST_CRASH_AT"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=env if at is None else env | {"HOLDFAST_CRASH_AT": at},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


def test_without_the_variable_nothing_happens() -> None:
    assert run(None) == (0, ["before_claim", "after_claim", "after_claim"])


def test_the_process_dies_by_sigkill_when_it_first_comes_to_the_point() -> None:
    assert run("after_claim") == (-signal.SIGKILL, ["before_claim"])


def test_the_process_dies_the_nth_time() -> None:
    assert run("after_claim:2") == (-signal.SIGKILL, ["before_claim", "after_claim"])


def test_another_name_is_another_point() -> None:
    assert run("claim") == (0, ["before_claim", "after_claim", "after_claim"])
