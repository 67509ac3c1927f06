"""What ``up`` looks at before it starts anything, and what it says then."""

import fcntl
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from holdfast.cli import all_in_one, detached
from holdfast.cli.all_in_one import check_free, sim_ports, simulated, welcome
from holdfast.cli.detached import end
from holdfast.config import Server, Settings
from holdfast.config.up_file import SIMULATED, UP
from holdfast.model.errors import Conflict, InvalidRequest


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port}"):
            check_free("127.0.0.1", port)


def test_up_on_a_taken_port_ends_with_status_1(cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = cli("up", "--port", taken.getsockname()[1])
    assert ended.status == 1
    assert "--port" in ended.err


def test_simulated_providers_come_with_their_own_configuration(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = simulated(None)
    assert set(settings.providers) == {"anthropic", "openai"}
    with pytest.raises(InvalidRequest):
        simulated(tmp_path / "holdfast.toml")


def test_simulated_providers_go_elsewhere_where_their_ports_are_taken(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(all_in_one, "SIM_PORT", port)
        settings = simulated(None)
    first, second = sim_ports(settings)
    assert (first, second) == (first, first + 1)
    assert first > port
    assert f"on the ports {first} and {second}" in "\n".join(welcome(settings, Server(), [first, second]))


def test_a_second_up_in_a_folder_leaves_the_configuration_of_the_first(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    simulated(None)
    before = SIMULATED.read_text()
    monkeypatch.setattr(all_in_one, "SIM_PORT", 9801)
    with UP.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write(str(os.getppid()))
        first.flush()
        with pytest.raises(Conflict, match="runs in this folder already"):
            simulated(None)
    assert SIMULATED.read_text() == before


def test_the_welcome_says_what_to_do_next(settings) -> None:
    lines = "\n".join(welcome(settings, Server()))
    assert "export HOLDFAST_URL=http://127.0.0.1:8700" in lines
    assert "holdfast run prompts.jsonl" in lines


def test_what_is_not_ready_in_time_is_ended(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(detached, "START_SECONDS", 0.0)
    started = list[int]()
    monkeypatch.setattr(detached, "end", lambda child: started.append(child.pid) or end(child))
    with pytest.raises(Conflict, match="was not ready within"):
        detached.start(["--config", str(settings.source), "api", "--port", "0"])
    assert not Path(f"/proc/{started[0]}").exists()


def test_a_ctrl_c_in_the_moment_of_the_start_ends_what_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = list[subprocess.Popen[bytes]]()

    def interrupted(arguments: list[str]) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(arguments))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr(detached, "spawn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        detached.start(["sleep", "600"])
    assert started[0].poll() == -signal.SIGTERM
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
