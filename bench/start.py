"""What a command costs before it does its work: CPU of those that look, time to the first call of those that ask."""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from figures import Figure, show
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.serve import config

HOLDFAST = Path(sys.executable).with_name("holdfast")
LOOKS = {"status": 0.4, "job show": 0.5, "config check": 0.5}  # seconds of CPU at most
WITH_POOL, WITHOUT = 0.5, 2.0  # seconds from the start of a command to its first call, at most
LINES = 100_000  # of the large file
# An installed package has its modules compiled; a checkout has them, too, unless whoever measures forbids it.
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_of(folder: Path, *command: str) -> float:
    """Seconds of CPU that one command takes, with the processes that it waits for."""
    with subprocess.Popen(
        [HOLDFAST, *command], cwd=folder, env=AS_INSTALLED, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0, command
    return used.ru_utime + used.ru_stime


def to_first_call(folder: Path, provider: SimProcess, *command: str, whole: bool = True) -> float:
    """Seconds from the start of a command to its first call at the provider. ``whole``: it may end by itself."""
    provider.reset()
    began = time.time()
    run = subprocess.Popen(
        [HOLDFAST, *command], cwd=folder, env=AS_INSTALLED, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not provider.counts()["calls"]:
            time.sleep(0.02)
        if whole:
            run.wait(60)
    finally:
        run.terminate()
        run.wait()
    return float(provider.calls()[0]["started"]) - began


def first_of_run(folder: Path, provider: SimProcess, *command: str, whole: bool) -> float:
    seconds = to_first_call(folder, provider, *command, whole=whole)
    give_up(folder)
    return seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def pool(folder: Path) -> Iterator[None]:
    """Have `holdfast up` work in a folder."""
    subprocess.run([HOLDFAST, "up", "--detach", "--port", str(free_port())], cwd=folder, env=AS_INSTALLED, check=True)
    try:
        yield
    finally:
        subprocess.run([HOLDFAST, "down"], cwd=folder, check=True)


def lines(folder: Path, name: str, count: int) -> Path:
    """Write a file of prompts."""
    (folder / name).write_text("".join(f'{{"prompt": "What is {number}?"}}\n' for number in range(count)))
    return folder / name


def give_up(folder: Path) -> None:
    """Cancel what a run left, or its calls would be taken for those of the next."""
    batches = orjson.loads(output_of(folder, "batch", "list", "--json"))["batches"]
    for batch in batches[:1]:
        output_of(folder, "batch", "cancel", batch["id"])


def output_of(folder: Path, *command: str) -> bytes:
    return subprocess.run([HOLDFAST, *command], cwd=folder, check=True, capture_output=True).stdout


def asks(folder: Path, provider: SimProcess, bar: float, kind: str, rounds: int) -> list[Figure]:
    """The first calls of ``ask`` and ``run``, least of some rounds."""
    ask = min(to_first_call(folder, provider, "ask", f"hello {number}") for number in range(rounds))
    figures = [Figure(f"ask {kind}: first call after", ask, ("≤", bar), "s")]
    for name, count in (("one line", 1), (f"{LINES:,} lines", LINES)):
        file = lines(folder, f"{count}.jsonl", count)
        command = ("run", str(file), "-o", str(folder / "out.jsonl"), "--model", "smart", "--fresh")
        seconds = min(first_of_run(folder, provider, *command, whole=count == 1) for _ in range(rounds))
        figures.append(Figure(f"run of {name} {kind}: first call after", seconds, ("≤", bar), "s"))
    return figures


def looks(folder: Path, rounds: int) -> list[Figure]:
    """The CPU of commands that only look, least of some rounds."""
    job = orjson.loads(output_of(folder, "job", "list", "--json"))["jobs"][0]["id"]
    commands: dict[str, Sequence[str]] = {name: name.split() for name in LOOKS} | {"job show": ("job", "show", job)}
    return [
        Figure(f"{name}: CPU", min(cpu_of(folder, *command) for _ in range(rounds)), ("≤", LOOKS[name]), "s")
        for name, command in commands.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-start-")))
        provider, other = stack.enter_context(SimProcess()), stack.enter_context(SimProcess())
        (folder / "holdfast.toml").write_text(config(provider.url, other.url), encoding="utf-8")
        without = asks(folder, provider, WITHOUT, "without a pool", rounds)
        with pool(folder):
            figures = [*asks(folder, provider, WITH_POOL, "with a pool", rounds), *looks(folder, rounds), *without]
    return show("start", figures)


if __name__ == "__main__":
    sys.exit(main())
