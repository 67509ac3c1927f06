"""``up --detach`` returns when everything works; where it cannot, it says why and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOLDFAST = [sys.executable, "-m", "holdfast.cli"]
SECONDS = 240  # on a machine that is busy with other things
KEYLESS = """
[server]
port = {port}

[storage]
{storage}

[providers.local]
api = "openai-chat"
base_url = "http://127.0.0.1:9/v1"

[models.smart]
routes = [{{ provider = "local", model = "m" }}]
"""
Command = Callable[..., subprocess.CompletedProcess[str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], int]:
    def write(storage: str = "") -> int:
        port = free_port()
        (tmp_path / "holdfast.toml").write_text(KEYLESS.format(port=port, storage=storage))
        return port

    return write


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HOLDFAST, *arguments],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    yield run
    run("down")


def in_background(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def leaves_nothing(folder: Path) -> None:
    """Wait for processes that end because their parent has."""
    end = time.monotonic() + SECONDS
    while left := in_background(folder):
        assert time.monotonic() < end, left
        time.sleep(0.1)


def test_when_it_returns_the_api_answers_and_every_worker_is_registered(
    configured: Callable[..., int], command: Command
) -> None:
    port = configured()
    started = command("up", "--detach", "--processes", "2")
    assert started.returncode == 0, started.stderr
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert len(json.loads(command("status", "--json").stdout)["workers"]) == 2
    again = command("up", "--detach")
    assert again.returncode == 1
    assert "holdfast down" in again.stderr


def test_what_keeps_it_from_starting_is_said_and_nothing_is_left(
    configured: Callable[..., int], command: Command, tmp_path: Path
) -> None:
    configured(f'database_url = "postgresql://127.0.0.1:{free_port()}/none"')
    failed = command("up", "--detach")
    assert failed.returncode == 69, failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert "up.log" in failed.stderr
    leaves_nothing(tmp_path)


def test_ctrl_c_while_it_starts_ends_what_was_started(configured: Callable[..., int], tmp_path: Path) -> None:
    configured()
    starting = subprocess.Popen([*HOLDFAST, "up", "--detach"], cwd=tmp_path, stderr=subprocess.PIPE)
    end = time.monotonic() + SECONDS
    while not (tmp_path / ".holdfast" / "up.log").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    starting.send_signal(signal.SIGINT)
    assert starting.wait(SECONDS) == 130
    leaves_nothing(tmp_path)
