"""Task queues as they come, running the same SDK call: dramatiq, Celery, arq and taskiq beside `holdfast run`.

Each stock queue runs in an environment of its own, on a Redis of its own, with one worker process and with two, which
share the calls in flight; the better of the two counts. Where each call takes a thread (dramatiq, Celery's threads) a
process has at most 500, which hold nothing up while it makes fewer than 500 calls a second of 1 s. Retries, limits and
results are left out for them: a call that fails there is lost. `holdfast run` keeps every job and answer in SQL.

"calls a second" are jobs over the span from the first call to the last answer at the provider; the ideal is what the
provider's latency and the calls in flight allow. "enqueue" is how many jobs a second go in, one by one, as each
queue's documentation shows it.

python bench/queues.py [--in-flight 2000] [--latency 1.0] [--jobs 10000] [--only celery,holdfast]
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from environments import python, version

from figures import Figure, show
from holdfast.lab.providers.process import SimProcess
from newcomer import folder, run_file
from provider_core import provider
from redis_servers import RedisServer

PEERS = Path(__file__).parent / "peers"
PROCESSES = (1, 2)
THREADS = 500  # of a process at most; with more of them they wait for each other, and for Python
AT_MOST = 10.0  # seconds from the first answer on; what is answered by then counts
STARTING = 60.0  # seconds to enqueue, and to start
LOOK = 0.5  # seconds
IDEAL, FASTER = 1.1, 3.0
Command = Callable[[int, int], list[str]]


def celery(pool: str, each: int) -> list[str]:
    return [
        *("celery", "-A", "celery_tasks", "worker", "--pool", pool, "--concurrency", str(each)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
    ]


WORKERS: Mapping[str, Command] = {  # modules and options of a worker, by processes and calls in flight in each
    "dramatiq": lambda processes, each: [
        *("dramatiq", "dramatiq_tasks", "--processes", str(processes), "--threads", str(min(each, THREADS))),
    ],
    "celery": lambda _, each: celery("threads", min(each, THREADS)),
    "celery (gevent)": lambda _, each: celery("gevent", each),
    "arq": lambda _, __: ["arq", "arq_tasks.WorkerSettings"],
    "taskiq": lambda processes, each: [
        *("taskiq", "worker", "taskiq_tasks:broker", "--workers", str(processes), "--max-async-tasks", str(each)),
        *("--max-prefetch", str(each), "--log-level", "WARNING"),
    ],
}
ONE_EACH = {"celery", "celery (gevent)", "arq"}  # whose command is one process: two of them are started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds until the provider answers")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--only", default="", help="names, with commas between them")
    given = parser.parse_args()
    found: dict[str, float] = {}
    latency = (given.latency, given.latency)
    with provider(latency=latency, headers=False) as sim, suppress(KeyboardInterrupt):  # and tell what there is
        for processes in PROCESSES:
            for name in ["holdfast", *WORKERS]:
                if not given.only or name in given.only.split(","):
                    found |= measured(name, sim, given, processes)
    title = f"queues, {given.in_flight} in flight, answers after {given.latency:g} s"
    peers = sorted({version(package(name)) for name in WORKERS})
    left_out = [name for name in WORKERS if f"{name}: enqueue" not in found]
    return show(title, figures(found, given), jobs=given.jobs, peers=peers, left_out=left_out)


def measured(name: str, sim: SimProcess, given: argparse.Namespace, processes: int) -> dict[str, float]:
    """What one queue came to with so many processes; nothing where it cannot be installed, or did not work."""
    label = f"{name}, {processes} process{'es' if processes > 1 else ''}"
    try:
        if name == "holdfast":
            found = {label: holdfast_rate(sim, given, processes)}
        elif (interpreter := python(package(name))) is None:
            return {}
        else:
            rate, enqueued = stock_rate(name, str(interpreter), sim, given, processes)
            found = {label: rate, f"{name}: enqueue": enqueued}
    except (subprocess.SubprocessError, SystemExit) as error:
        sys.stderr.write(f"  {label} did not work: {error}\n")
        return {}
    sys.stderr.write("".join(f"  {what} {value:.0f}/s\n" for what, value in found.items()))
    return found


def package(name: str) -> str:
    return name.partition(" ")[0]


def holdfast_rate(sim: SimProcess, given: argparse.Namespace, processes: int) -> float:
    with folder(sim.url, given.jobs, given.in_flight // processes) as path:
        ran = run_file(sim, path, "--processes", str(processes))
        if ran.failed:
            raise SystemExit(f"{ran.failed} lines are not answered")
        return given.jobs / ran.span


def stock_rate(
    name: str, interpreter: str, sim: SimProcess, given: argparse.Namespace, processes: int
) -> tuple[float, float]:
    """Calls a second of a stock queue, and the jobs a second that went in before."""
    sim.reset()
    each = given.in_flight // processes
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as directory, redis_server(Path(directory)) as url:
        own = {"BENCH_REDIS": url, "BENCH_PROVIDER": sim.url, "BENCH_IN_FLIGHT": str(each), "PYTHONPATH": str(PEERS)}
        surroundings = {**os.environ, **own, "dramatiq_queue_prefetch": str(each)}
        enqueue = [interpreter, str(PEERS / f"{package(name)}_tasks.py"), str(given.jobs)]
        said = subprocess.run(enqueue, env=surroundings, check=True, timeout=STARTING, stdout=subprocess.PIPE).stdout
        command = [interpreter, "-m", *WORKERS[name](processes, each)]
        with working([command] * (processes if name in ONE_EACH else 1), surroundings, Path(directory)):
            return until_done(sim, given.jobs, Path(directory)), float(said)


@contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    server = RedisServer(directory / "redis")
    try:
        yield server.url
    finally:
        server.kill()


@contextmanager
def working(commands: list[list[str]], surroundings: Mapping[str, str], directory: Path) -> Iterator[None]:
    """Workers for as long as the block runs. Each leads a group, which ends with it: they have nothing to lose."""
    with (directory / "worker.log").open("wb") as log:
        started = [
            subprocess.Popen(
                command, env=surroundings, cwd=PEERS, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                process_group=0,
            )
            for command in commands
        ]  # fmt: skip
        try:
            yield
        finally:
            for process in started:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def until_done(sim: SimProcess, jobs: int, directory: Path) -> float:
    """Wait until so many calls are answered, or the time is up: answers a second."""
    end_by, answered = time.monotonic() + STARTING, 0
    while answered < jobs and time.monotonic() < end_by:
        time.sleep(LOOK)
        seen = sim.counts()
        if not answered and (answered := seen["by_status"].get("200", 0)):
            end_by = time.monotonic() + AT_MOST
        answered = seen["by_status"].get("200", 0)
    if not answered:
        raise SystemExit((directory / "worker.log").read_text(errors="replace")[-2000:])
    if answered < jobs:
        sys.stderr.write(f"  only {answered} of {jobs} within {AT_MOST:g} s\n")
    return answered / (seen["last_at"] - seen["first_at"])


def figures(found: Mapping[str, float], given: argparse.Namespace) -> list[Figure]:
    rates = {name: value for name, value in found.items() if "enqueue" not in name}
    ours = max((value for name, value in rates.items() if name.startswith("holdfast")), default=0.0)
    stock = max((value for name, value in rates.items() if not name.startswith("holdfast")), default=0.0)
    shown = [Figure(name, value, None, "calls/s") for name, value in rates.items()]
    shown += [Figure(name, value, None, "jobs/s") for name, value in found.items() if "enqueue" in name]
    head = [Figure("holdfast over the best stock queue", ours / stock, ("≥", FASTER))] if ours and stock else []
    if given.latency and ours:
        ideal = -(-given.jobs // given.in_flight) * given.latency
        head.append(Figure("holdfast: makespan over the ideal", given.jobs / ours / ideal, ("≤", IDEAL)))
    return [*head, *shown]


if __name__ == "__main__":
    sys.exit(main())
