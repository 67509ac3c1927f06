"""A Holdfast on four hosts: one with Postgres, Redis and a simulated provider, and workers on the others."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from holdfast.client import Holdfast
from holdfast.config import load
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings
from holdfast.lanes.embedded import find_binaries
from holdfast.model.job import State
from holdfast.store import Store
from holdfast.store.batches import find_batch
from holdfast.store.ledger import read_ledger
from hosts.network import Network, network
from servers import FORGETFUL, start_postgres, stop

CONFIG = """
[storage]
database_url = "{database_url}"
redis_url = "{redis_url}"
directory = "{directory}"
[worker]
concurrency = 10
lease = "3s"
grace = "5s"
[providers.sim]
api = "anthropic"
base_url = "{provider_url}"
deadline = "4s"
credentials = [{{ name = "main", secret = "env:HOLDFAST_TEST_KEY" }}]
limits = {{ requests_per_minute = 600000 }}
[models.one]
routes = [{{ provider = "sim", model = "claude-sim" }}]
"""
SQL, REDIS, PROVIDER = range(3)  # the addresses of the host that keeps everything
WORKERS = ("one", "two")
LATENCY = 0.5  # seconds a call takes
SECRET = "sk-test"


# A worker in a process whose clock is wrong; the monotonic one is right, as it is when somebody sets a clock.
SKEWED = """
import runpy, sys, time
ahead = float(sys.argv.pop(1))
right, right_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: right() + ahead, lambda: right_ns() + int(ahead * 1e9)
runpy.run_module("holdfast.worker", run_name="__main__", alter_sys=True)
"""


@dataclass(slots=True)
class Deployment:
    """``sim`` is the provider, ``store`` looks at SQL over a unix socket, which no cut reaches."""

    network: Network
    directory: Path
    store: Store
    holdfast: Holdfast
    sim: SimProcess
    redis_socket: Path
    config: Path
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, host: str, ahead: float = 0.0) -> None:
        """Start the worker process of a host, which has a name of its own and a clock ``ahead`` seconds too early."""
        command = ["unshare", "--uts", "sh", "-c", f'hostname {host}; exec "$@"', "sh"]
        command += [sys.executable, "-c", SKEWED, str(ahead), "--config", str(self.config)]
        with (self.directory / f"{host}.log").open("ab") as log, self.network.inside(host):
            self.workers[host] = subprocess.Popen(
                command, env=os.environ | {"HOLDFAST_TEST_KEY": SECRET}, stderr=log, stdin=subprocess.DEVNULL
            )

    def ends(self, host: str, far: int) -> tuple[str, str]:
        """The two addresses of the link between a worker's host and SQL, REDIS or PROVIDER."""
        return self.network.address(host), self.network.address("store", far)

    def submit(self, n: int, **fields: object) -> str:
        return self.holdfast.submit([{"prompt": f"prompt {i}", "model": "one", **fields} for i in range(n)]).inner

    def succeeded(self, batch: str) -> int:
        return self.store.read(find_batch, batch).counts.get(State.SUCCEEDED, 0)

    def calls(self) -> int:
        with self.network.inside("store"):
            return int(self.sim.counts()["calls"])

    def breakers(self) -> dict[str, str]:
        """The state of every breaker that Redis knows."""
        with redis.Redis(unix_socket_path=str(self.redis_socket), decode_responses=True) as client:
            return {key: client.hget(key, "state") for key in client.scan_iter("{hf}:breaker:*")}

    def until(self, what: Callable[[], bool], at_most: float, why: str = "") -> float:
        """Seconds until ``what`` holds; the workers' logs tell why it does not."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < at_most, f"not within {at_most} s: {why}\n{self.logs()}"
            time.sleep(0.05)
        return time.monotonic() - began

    def logs(self) -> str:
        return "\n".join(f"{path.name}:\n{path.read_text()[-3000:]}" for path in self.directory.glob("*.log"))

    def offenders(self) -> Sequence[object]:
        """Lines of the ledger that do not hold."""
        return [line for line in self.store.read(read_ledger) if not line.holds]

    def close(self) -> None:
        self.network.mend()
        for process in self.workers.values():
            process.terminate()
        for process in self.workers.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def deployment() -> Iterator[Deployment]:
    """Everything runs but the workers; everything ends with the block."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="holdfast-hosts-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        hosts = stack.enter_context(network({"store": 3, **dict.fromkeys(WORKERS, 1)}))
        with hosts.inside("store"):
            sql = stack.enter_context(_postgres(hosts.address("store", SQL)))
            socket_path = stack.enter_context(_redis(directory, hosts.address("store", REDIS)))
            settings = SimSettings(host=hosts.address("store", PROVIDER), latency=(LATENCY, LATENCY))
            sim = stack.enter_context(SimProcess(settings))
        config = directory / "holdfast.toml"
        text = CONFIG.format(
            database_url=f"postgresql://holdfast@{hosts.address('store', SQL)}/holdfast",
            redis_url=f"redis://{hosts.address('store', REDIS)}:6379/0",
            provider_url=sim.url,
            directory=directory,
        )
        config.write_text(text)
        near = {"HOLDFAST_DATABASE_URL": sql, "HOLDFAST_REDIS_URL": f"unix://{socket_path}"}
        store = Store(sql)
        stack.callback(store.close)
        store.ensure()
        holdfast = Holdfast(load(config, env=near))
        stack.callback(holdfast.close)
        made = Deployment(hosts, directory, store, holdfast, sim, socket_path, config)
        stack.callback(made.close)
        yield made


@contextmanager
def _postgres(address: str) -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    rules = directory / "hosts.conf"
    rules.write_text("local all all trust\nhost all all 10.99.0.0/16 trust\n")
    directory.chmod(0o755)
    try:
        options = [*FORGETFUL, "-c", f"listen_addresses={address}", "-c", f"hba_file={rules}"]
        url, process = start_postgres(directory, options)
        try:
            yield url
        finally:
            stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _redis(directory: Path, address: str) -> Iterator[Path]:
    """Yields the path of its unix socket."""
    path = directory / "redis.sock"
    command = [str(find_binaries()[0]), "--bind", address, "--port", "6379", "--protected-mode", "no"]
    command += ["--unixsocket", str(path), "--save", "", "--dir", str(directory)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait_for(path)
        yield path
    finally:
        stop(process)


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
                return
        except OSError:
            assert time.monotonic() < end, "Redis did not start"
            time.sleep(0.02)
