"""Faults of SQL, each a way to begin it and a way to end it, on the database that a fleet of real processes uses."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from servers import UNPRIVILEGED, restart_postgres, start_postgres, stop

ROOM = 48  # MB of a file system that is to be full
Fault = Callable[[], Callable[[], None]]  # begins, and answers what ends it


@dataclass(slots=True)
class Site:
    """A database in a folder of its own. ``begin`` starts the fault and answers what ends it."""

    url: str
    directory: Path
    begin: Fault
    lasts: float = 0.0  # seconds


@contextmanager
def sqlite_site(directory: Path, fault: str) -> Iterator[Site]:
    with ExitStack() as stack:
        folder = directory / "data"
        folder.mkdir()
        if fault == "full":
            stack.enter_context(small_disk(folder))
        file = folder / "holdfast.db"
        faults: dict[str, Fault] = {"locked": lambda: lock_file(file), "full": lambda: fill(folder)}
        yield Site(f"sqlite:///{file}", folder, faults[fault])


@contextmanager
def postgres_site(fault: str) -> Iterator[Site]:
    """A cluster of our own. Its tables may lie on a small disk, but not its log: without that a Postgres stops."""
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url, process = start_postgres(directory)
        stack.callback(lambda: stop_cluster(directory))
        stack.callback(stop, process)
        tables = directory / "tables"
        if fault == "full":
            tables.mkdir()
            stack.enter_context(small_disk(tables))
            url = on_small_disk(url, tables)
        faults: dict[str, Fault] = {
            "restarted": lambda: take_away(directory),
            "locked": lambda: lock_table(url),
            "full": lambda: fill(tables),
        }
        yield Site(url, directory, faults[fault])


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system in memory, mounted on ``folder``. Skips the test where this user may not mount."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m,mode=0777", "holdfast-test", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a disk that can be full needs the right to mount a small one, which is not given here: {error}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> Callable[[], None]:
    """Leave not a byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast.unlink


def lock_file(file: Path) -> Callable[[], None]:
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("begin immediate")

    def unlock() -> None:
        lock.execute("rollback")
        lock.close()

    return unlock


def lock_table(url: str) -> Callable[[], None]:
    """As a careless operator's ``alter table`` does."""
    lock = psycopg.connect(url)
    lock.execute("lock table job in access exclusive mode")
    return lock.close


def take_away(directory: Path) -> Callable[[], None]:
    stop_cluster(directory)
    return lambda: start_again(directory)


def start_again(directory: Path) -> None:
    restart_postgres(directory)


def stop_cluster(directory: Path) -> None:
    """As an administrator does it at once: clients are cut off."""
    file = directory / "data" / "postmaster.pid"
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(file.read_text().split()[0]), signal.SIGINT)
        while file.exists():
            time.sleep(0.02)


def on_small_disk(url: str, tables: Path) -> str:
    if os.geteuid() == 0:
        shutil.chown(tables, UNPRIVILEGED)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create tablespace small location '{tables}'")
        connection.execute("create database small tablespace small")
    return url.replace("/holdfast?", "/small?")
