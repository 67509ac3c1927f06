"""The soak: jobs go in without end while something breaks every few seconds; then the ledger and the audit.

Run: make soak ARGS="--minutes 10 --seed 7"
Exit status 1 when an invariant of docs/guarantees.md breaks, a job does not end, or memory or descriptors grow.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis

from databases import add_choice, kept_in, named
from figures import Figure, show
from holdfast.lab.ledger_audit import KnownLimit, audit, read_ledgers
from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from holdfast.lanes import connect
from holdfast.lanes.garbage import kind_of
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Outcome, State
from holdfast.model.records import JobFilter, LedgerLine
from holdfast.store.backlog import list_lanes
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import list_jobs
from rig import Rig, rig

CONCURRENCY = 50
WORKERS = 3
EVERY = 5.0  # seconds between two faults
BACKLOG = 300  # live jobs that are kept
GROUP = 50  # jobs of one submit
LEASE = 3.0
SETTLED = 120.0  # seconds in which the last jobs must end
LONG = 10.0  # minutes from which memory, descriptors and load have bars; a shorter soak asks for the invariants alone
FULL_LOAD = 2_000  # jobs a minute
WARM = 20.0  # seconds before memory is measured
MODES = (
    *("e500", "e503", "e529", "e429", "e401", "reset", "reset-after", "close", "truncated"),
    *("html", "bad-json", "slow", "hang", "headers", "trickle"),
)


@dataclass(slots=True)
class Weight:
    """What a worker weighs: samples of (jobs done so far, RSS in MB, open files)."""

    pid: int
    samples: list[tuple[int, float, int]] = field(default_factory=list)

    def take(self, done: int) -> None:
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            files = sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
        except OSError:
            return
        self.samples.append((done, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files))

    @property
    def slope(self) -> float:
        """MB per 1,000 jobs, by least squares."""
        if len(self.samples) < 3:
            return 0.0
        xs, ys = [done / 1000 for done, _, _ in self.samples], [rss for _, rss, _ in self.samples]
        x, y = sum(xs) / len(xs), sum(ys) / len(ys)
        spread = sum((each - x) ** 2 for each in xs)
        return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread if spread else 0.0

    @property
    def files_gained(self) -> float:
        """Least open files of the last third over the most of the first: what never came back."""
        third = len(self.samples) // 3
        if not third:
            return 0
        first, last = self.samples[:third], self.samples[-third:]
        return min(files for _, _, files in last) - max(files for _, _, files in first)


class Soak:
    """One soak. The first worker is the witness: it is stopped and starved, never killed, and it is weighed."""

    def __init__(self, running: Rig, seed: int) -> None:
        self.rig, self.random = running, random.Random(seed)
        self.accepted: list[str] = []
        self.batches: list[str] = []
        self.repeatable = 0
        self.done: Counter[str] = Counter()
        self.harms: tuple[Callable[[], None], ...] = (
            self.kill_worker,
            self.kill_redis,
            self.flush_redis,
            self.break_provider,
            self.break_provider,
            self.freeze_worker,
            self.terminate_worker,
            self.spoil_redis,
        )

    def run(self, seconds: float) -> Weight:
        self.rig.start(WORKERS)
        weight = Weight(self.rig.workers[0].pid)
        began = time.monotonic()
        next_harm = began + EVERY
        while (now := time.monotonic()) < began + seconds:
            self.feed()
            if now >= next_harm:
                self.harm(now - began)
                next_harm += EVERY
            if now > began + WARM:
                weight.take(len(self.accepted) - self.live())
            time.sleep(0.2)
        for sim in self.rig.sims:
            sim.heal()
        self.rig.until(lambda: self.live() == 0, at_most=SETTLED)
        self.rig.stop_workers()
        return weight

    def feed(self) -> None:
        while self.live() < BACKLOG:
            prompts = [f"prompt {len(self.accepted) + n}" for n in range(GROUP)]
            batch = self.rig.holdfast.submit(prompts, model="bench")
            self.accepted += [job.id.removeprefix("job_") for job in batch.jobs]
            self.batches.append(batch.inner)

    def live(self) -> int:
        lanes = self.rig.store.read(list_lanes)
        live = (State.QUEUED, State.DELAYED, State.RUNNING)
        return sum(lane.counts.get(state, 0) for lane in lanes for state in live)

    def harm(self, at: float) -> None:
        chosen = self.random.choice(self.harms)
        name = chosen.__name__
        self.done[name] += 1
        figures = f"({len(self.accepted)} accepted, {self.live()} live)"
        say(f"{at:6.1f} s  {time.time():.1f}  {name.replace('_', ' ')}  {figures}")
        try:
            chosen()
        except (redis.RedisError, QueueUnavailable) as error:
            say(f"          not done: {error}")

    def kill_worker(self) -> None:
        victim = self.victim()
        victim.kill()
        victim.wait()
        self.repeatable += self.held_by(victim)
        self.replace()

    def terminate_worker(self) -> None:
        victim = self.victim()
        victim.send_signal(signal.SIGTERM)
        self.replace()

    def freeze_worker(self) -> None:
        """For less than its lease: what it was permitted is old by then. For more: its late writes must be refused."""
        victim = self.random.choice(self.alive())
        victim.send_signal(signal.SIGSTOP)
        self.repeatable += self.held_by(victim)
        time.sleep(LEASE * self.random.uniform(0.1, 2.5))
        victim.send_signal(signal.SIGCONT)

    def kill_redis(self) -> None:
        with self.redis() as client:
            os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)

    def flush_redis(self) -> None:
        with self.redis() as client:
            client.flushall()

    def spoil_redis(self) -> None:
        """Put something of another type into one of our keys."""
        root = connect("embedded", Path()).keys.root
        with self.redis() as client:
            names = sorted(name.decode() for name in client.scan_iter(f"{root}*"))
            name = self.random.choice([name for name in names if kind_of(name, root)])
            say(f"          {name}")
            with client.pipeline() as pipe:
                pipe.delete(name)
                pipe.set(name, "garbage") if kind_of(name, root) != "string" else pipe.rpush(name, "garbage")
                pipe.execute()

    def break_provider(self) -> None:
        mode = self.random.choice(MODES)
        seconds, fraction = self.random.uniform(1, 8), self.random.choice((0.1, 0.5, 1.0))
        place = self.random.randrange(len(self.rig.sims))
        say(f"          provider {place + 1}: {mode}, {fraction:.0%} of calls for {seconds:.0f} s")
        self.rig.sims[place].break_(InjectedFault(mode=mode, seconds=seconds, fraction=fraction, delay=0.5))

    def redis(self) -> "redis.Redis":
        storage = self.rig.settings.storage
        return redis.Redis.from_url(connect(storage.redis_url, storage.directory).url, socket_timeout=5)

    def alive(self) -> list[subprocess.Popen[bytes]]:
        return [worker for worker in self.rig.workers if worker.poll() is None]

    def victim(self) -> subprocess.Popen[bytes]:
        """Any worker but the witness."""
        return self.random.choice(self.alive()[1:] or self.alive())

    def held_by(self, process: subprocess.Popen[bytes]) -> int:
        """How many calls SQL thinks that a process has in flight."""
        ids = {worker.id for worker in self.rig.store.read(list_workers, live_only=False) if worker.pid == process.pid}
        jobs = self.rig.store.read(list_jobs, JobFilter(states=frozenset({State.RUNNING})), limit=10_000)
        return sum(job.worker in ids for job in jobs)

    def replace(self) -> None:
        """Start another one, and do not wait for it."""
        self.rig.launch(1)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def judge(soak: Soak, rate: float) -> tuple[list[LedgerLine], int]:
    """The ledger and the audit, and how many calls ended ambiguously."""
    running = soak.rig
    calls = {name: [SeenCall(**one) for one in sim.calls()] for name, sim in zip("12", running.sims, strict=True)}
    allowances = dict.fromkeys(calls, KnownLimit(rate, rate))
    books = read_ledgers(running.store, soak.accepted, calls, 0, allowances)
    unknown = sum(attempt.outcome is Outcome.UNKNOWN for attempt in books.attempts.values())
    may_repeat = soak.repeatable + unknown
    return audit(running.store, soak.accepted, calls, may_repeat=may_repeat, allowances=allowances), unknown


def report(
    soak: Soak, name: str, lines: list[LedgerLine], weight: Weight, unknown: int, *, seed: int, minutes: float
) -> int:
    for line in lines:
        figures = ", ".join(f"{name} {value}" for name, value in line.figures.items())
        say(f"{'holds ' if line.holds else 'BREAKS'}  {line.name:9} {line.sentence}: {figures}")
        for offender in line.offenders[:10]:
            say(f"                  {offender}")
    counts = soak.rig.store.read(list_lanes)
    ended = Counter({state.value: sum(lane.counts.get(state, 0) for lane in counts) for state in State})
    measured = weight.samples[-1][0] - weight.samples[0][0] if weight.samples else 0
    long = minutes >= LONG and measured >= 5_000  # before that, caches that fill look like leaks
    figures = [
        Figure("jobs accepted", len(soak.accepted), ("≥", FULL_LOAD * minutes) if minutes >= LONG else None),
        Figure("succeeded", ended["succeeded"]),
        Figure("dead", ended["dead"]),
        Figure("calls that ended unknown", unknown),
        Figure("invariants broken", sum(not line.holds for line in lines), ("=", 0)),
        Figure("memory slope per 1,000 jobs", weight.slope, ("≤", 1.0) if long else None, "MB"),
        Figure("memory at the end", weight.samples[-1][1] if weight.samples else 0, None, "MB"),
        Figure("file descriptors gained", weight.files_gained, ("≤", 5) if long else None),
    ]
    return show(name, figures, seed=seed, faults=dict(soak.done))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats the same faults (default: drawn, and printed)")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second that each provider allows")
    add_choice(parser)
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    say(f"seed {seed}, {arguments.minutes:g} minutes, a fault every {EVERY:g} s")
    sim = SimSettings(latency=(0.1, 0.5), rate=arguments.rate, burst=arguments.rate)
    limits = f"limits = {{ requests_per_minute = {arguments.rate * 60:g} }}"
    with (
        kept_in(arguments.database),
        rig(sim, sim, limits=limits, concurrency=CONCURRENCY, lease=f"{LEASE:g}s", deadline="8s") as running,
    ):
        soak = Soak(running, seed)
        weight = soak.run(arguments.minutes * 60)
        lines, unknown = judge(soak, arguments.rate)
        name = named(f"soak, seed {seed}", arguments.database)
        return report(soak, name, lines, weight, unknown, seed=seed, minutes=arguments.minutes)


if __name__ == "__main__":
    sys.exit(main())
