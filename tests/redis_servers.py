"""Real Redis servers for tests, to be killed, paused, filled and failed over; on loopback, ended by their starters."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from holdfast.lanes.embedded import find_binaries

START_SECONDS = 120.0
DURABLE = {"appendonly": "yes", "appendfsync": "everysec"}
SLOTS = 16_384
BUS = 10_000  # a cluster node's second port lies this far above its first


class RedisServer:
    """One server in a folder of its own, on a port that it keeps."""

    def __init__(self, directory: Path, *, port: int | None = None, **options: str) -> None:
        self.directory, self.port = directory, port or free_port()
        self.options: Mapping[str, str] = {name.replace("_", "-"): value for name, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> None:
        """Return once it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = {"bind": "127.0.0.1", "port": str(self.port), "save": "", **self.options}
        arguments = [text for name, value in settings.items() for text in (f"--{name}", *value.split(" "))]
        self._launch([str(find_binaries()[0]), *arguments])

    def _launch(self, command: list[str]) -> None:
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._answers, lambda: (self.directory / "log").read_text()[-2000:])

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()[-2000:]
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    def lose_data(self) -> None:
        """Of a server that is down."""
        shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


class Sentinel(RedisServer):
    """Watches ``master`` under the name ``hf``; gives it up after half a second of silence."""

    def __init__(self, directory: Path, master: RedisServer) -> None:
        self.master = master
        super().__init__(directory)

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "sentinel.conf"
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nsentinel monitor hf 127.0.0.1 {self.master.port} 1\n"
            "sentinel down-after-milliseconds hf 500\nsentinel failover-timeout hf 2000\n"
        )
        self._launch([str(find_binaries()[0]), str(config), "--sentinel"])


@contextmanager
def redis_server(directory: Path, **options: str) -> Iterator[RedisServer]:
    server = RedisServer(directory, **options)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def watched(directory: Path) -> Iterator[tuple[str, RedisServer, RedisServer]]:
    """A master, its replica, and a sentinel; yields the URL of the three, the master and the replica."""
    with ExitStack() as stack:
        master = stack.enter_context(redis_server(directory / "master", **QUICK_REPLICATION))
        replicaof = f"127.0.0.1 {master.port}"
        replica = stack.enter_context(redis_server(directory / "replica", replicaof=replicaof, **QUICK_REPLICATION))
        until(lambda: master.client().info("replication")["connected_slaves"] == 1)
        until(lambda: replica.client().info("replication")["master_link_status"] == "up")
        sentinel = Sentinel(directory / "sentinel", master)
        stack.callback(sentinel.kill)
        until(lambda: sentinel.client().sentinel_master("hf")["num-slaves"] == 1)
        yield f"sentinel://127.0.0.1:{sentinel.port}/hf", master, replica


QUICK_REPLICATION = {"repl_diskless_sync_delay": "0"}


@contextmanager
def cluster(directory: Path, nodes: int = 3) -> Iterator[tuple[str, list[RedisServer]]]:
    """A cluster of masters; yields its URL and the nodes."""
    options = {"cluster_enabled": "yes", "cluster_node_timeout": "2000"}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(redis_server(directory / f"node-{n}", port=free_port(below=65_535 - BUS), **options))
            for n in range(nodes)
        ]
        share = -(-SLOTS // nodes)
        for n, server in enumerate(servers):
            with server.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", n * share, min(SLOTS, (n + 1) * share) - 1)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", n + 1)
                if n:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", servers[0].port)
        for server in servers:
            until(lambda server=server: "cluster_state:ok" in cluster_info(server, nodes))
        yield f"redis+cluster://127.0.0.1:{servers[0].port},127.0.0.1:{servers[1].port}", servers


def cluster_info(server: RedisServer, nodes: int) -> str:
    """What the node says of the cluster, once it knows all of it."""
    with redis.Redis(port=server.port) as client:
        text = client.connection_pool.get_connection()
        try:
            text.send_command("CLUSTER INFO")
            said = text.read_response()
        finally:
            text.disconnect()
    said = said.decode() if isinstance(said, bytes) else str(said)
    return said if f"cluster_known_nodes:{nodes}" in said else ""


def free_port(below: int = 65_536) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < below:
            return port


def until(what: Callable[[], bool], why: Callable[[], str] = str) -> None:
    end = time.monotonic() + START_SECONDS
    while not what():
        assert time.monotonic() < end, f"not within {START_SECONDS:g} s. {why()}"
        time.sleep(0.02)
