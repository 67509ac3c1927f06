"""What the store costs: submit in groups of 1,000, claim and settle in groups of 100, on SQLite and on Postgres.

Run: .venv/bin/python bench/store.py [--jobs 20000] [--profile]
CPU is this process's; Postgres's own is not in it. Wall time has its fsyncs.
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attempts import ended
from figures import Figure, show
from holdfast.model.attempt import Attempt
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, Need, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.step import Complete
from holdfast.store import Store
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker
from holdfast.store.ledger import read_ledger
from holdfast.store.new_job import NewJob, common_fields
from holdfast.store.request_codec import encode_request
from holdfast.store.submit import submit_jobs
from servers import DURABLE, postgres

WORKER = new_id()
PROMPT = "Say in one sentence what the following text is about. " * 8
ANSWER = Reply(text="It is about a boat. " * 10, finish=Finish.STOP, usage=Usage(input=120, output=40), model="m")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--jobs", type=int, default=20_000)
    arguments.add_argument("--profile", action="store_true")
    arguments.add_argument("--only", choices=("sqlite", "postgres"))
    chosen = arguments.parse_args()
    figures: list[Figure] = []
    if chosen.only != "postgres":
        with tempfile.TemporaryDirectory() as directory:
            figures += measure("sqlite", f"sqlite:///{directory}/store.db", chosen.jobs, profile=chosen.profile)
    if chosen.only != "sqlite":
        with postgres("-c", "shared_buffers=256MB", *DURABLE) as url:
            figures += measure("postgres", url, chosen.jobs, profile=chosen.profile)
    sys.exit(show("store", figures, jobs=chosen.jobs))


def measure(name: str, url: str, count: int, *, profile: bool) -> list[Figure]:
    store = Store(url)
    store.ensure()
    store.write(register_worker, WORKER, "bench", 1, "0", lease=3600)
    steps = {step: Step(profile) for step in ("submit", "claim", "settle", "ledger")}
    ids: list[str] = []
    for _ in range(0, count, 1000):
        jobs = [job() for _ in range(1000)]
        ids += [job.id for job in jobs]
        with steps["submit"]:
            submit_jobs(store, jobs)
    for start in range(0, count, 100):
        permits = [permit(id_) for id_ in ids[start : start + 100]]
        with steps["claim"]:
            claimed = store.write(claim, WORKER, permits)
        ends = [success(job) for job in claimed]
        with steps["settle"]:
            won = store.write(finish, ends)
        assert sum(won) == len(permits)
    with steps["ledger"]:
        assert all(line.holds for line in store.read(read_ledger))
    store.close()
    figures = []
    for step, spent in steps.items():
        figures.append(Figure(f"{name}: {step}", count / spent.wall, None, "jobs/s"))
        figures.append(Figure(f"{name}: {step}, CPU a job", 1000 * spent.cpu / count, None, "ms"))
        spent.show_profile()
    return figures


class Step:
    """Wall and CPU seconds spent inside its blocks."""

    def __init__(self, profile: bool) -> None:  # noqa: FBT001
        self.wall = self.cpu = 0.0
        self.profiler = cProfile.Profile() if profile else None

    def __enter__(self) -> None:
        self.entered = time.perf_counter(), time.process_time()
        if self.profiler:
            self.profiler.enable()

    def __exit__(self, *_: object) -> None:
        if self.profiler:
            self.profiler.disable()
        self.wall += time.perf_counter() - self.entered[0]
        self.cpu += time.process_time() - self.entered[1]

    def show_profile(self) -> None:
        if self.profiler:
            pstats.Stats(self.profiler).sort_stats("tottime").print_stats(14)


def job(id_: str | None = None, batch: str | None = None, position: int | None = None) -> NewJob:
    request = Request(turns=(Turn(role=Role.USER, parts=(Text(text=PROMPT),)),), max_tokens=100)
    common = common_fields(model="smart", batch=batch)
    body = encode_request(common.lane, request)
    return NewJob(common, id_ or new_id(), Need(120, 100), *body, custom_id="line-1", position=position)


def permit(id_: str) -> Permit:
    return Permit(new_id(), id_, "smart.batch", "anthropic/claude", "main", {})


def success(job: Claimed) -> Attempt:
    return ended(job, Permit("", job.id, job.lane, "anthropic/claude", "main", {}), ANSWER, Complete())


if __name__ == "__main__":
    main()
