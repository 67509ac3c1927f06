"""What ``up`` looks at before it starts anything, and what it says then."""

import socket

import pytest

from holdfast.cli.all_in_one import check_free, simulated, welcome
from holdfast.config import Server
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


def test_the_welcome_says_what_to_do_next(settings) -> None:
    lines = "\n".join(welcome(settings, Server(), sim=False))
    assert "export HOLDFAST_URL=http://127.0.0.1:8700" in lines
    assert "holdfast run prompts.jsonl" in lines
