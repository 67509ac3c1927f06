"""A server of the API for one measurement, and what is read of it from outside."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig import Rig


@dataclass(frozen=True, slots=True)
class ApiServer:
    """``pid`` is the one process that answers."""

    url: str
    pid: int


@contextmanager
def served(running: Rig) -> Iterator[ApiServer]:
    """A real server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOLDFAST_CONFIG": str(running.config)}
    command = [sys.executable, "-m", "holdfast.cli", "api", "--port", str(port)]
    log = (running.directory / "worker-api.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        running.until(lambda: answers(url), at_most=60)
        yield ApiServer(url, process.pid)
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def answers(url: str) -> bool:
    try:
        return bool(get(url + "/readyz"))
    except (urllib.error.URLError, ConnectionError):
        return False


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began
