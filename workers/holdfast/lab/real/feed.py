"""The jobs of a drill: they arrive at random times, the same ones for a seed as in virtual time, and are submitted.

Before the first of them the pool does some that count for nothing. A pool that meets an outage has been running: its
connections are open and its code is loaded. At speed 60, the first third of a second of a new process would be twenty
seconds of the drill.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.scenario import Load, Scenario
from holdfast.lab.local_pool import LocalPool
from holdfast.lab.providers import control
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.policy.token_estimate import estimate
from holdfast.store.batches import count_unfinished, open_batch
from holdfast.store.new_job import NewJob, common_fields
from holdfast.store.request_codec import encode_request
from holdfast.store.submit import submit_jobs

TICK = 0.01  # real seconds between two submits
MOST = 500  # jobs in one of them
WARM = 5  # jobs before the drill for each call that may be in flight
WARMED_BY = 60.0  # real seconds
PADDING = 3_200  # characters of a prompt where the scenario limits tokens


def arrivals(scenario: Scenario, seed: int) -> list[float]:
    """When jobs arrive, in seconds from the beginning."""
    chance = Random(f"{seed}/arrivals")  # noqa: S311  a seeded draw, so that a run can be repeated
    times, at = [], 0.0
    while (at := at + chance.expovariate(scenario.load.jobs_per_second)) < scenario.seconds:
        times.append(at)
    return times


def warm_up(on: LocalPool, plan: DrillPlan) -> None:
    """Let the pool do jobs that count for nothing, and the providers forget them. Raises DrillFailed."""
    batch = new_id()
    on.store.write(open_batch, batch, "warm-up", DEFAULT_TENANT)
    JobFeeder(on, plan.plan.model, batch, Load()).submit(range(WARM * plan.slots))
    done = "the pool did not do its first jobs"
    on.until(lambda: not on.store.read(count_unfinished, batch), WARMED_BY, done, all_alive=True)
    for sim in on.sims:
        control.reset(sim.url)


class JobFeeder:
    """A producer: it submits each job of a batch when its time has come, and keeps what it was told."""

    def __init__(self, on: LocalPool, model: str, batch: str, load: Load) -> None:
        self._on, self._load = on, load
        self._common = common_fields(model=model, batch=batch, expires_in=load.expires_in)
        self.accepted: list[str] = []

    def feed(self, times: Sequence[float], began: float, look: Callable[[], None]) -> None:
        """Submit a job at each of ``times`` after ``began``. ``look`` is called between two submits."""
        while (at := len(self.accepted)) < len(times):
            due = min(bisect_right(times, self._on.clock.now() - began), at + MOST)
            if due > at:
                self.submit(range(at, due))
            look()
            time.sleep(TICK)

    def submit(self, numbers: Sequence[int]) -> None:
        """Accept jobs, and offer them to their lane."""
        submitted = submit_jobs(self._on.store, [self._job(number) for number in numbers])
        self.accepted += [each.id for each in submitted]
        self._on.lanes.offer([each.offer for each in submitted if each.offer])

    def _job(self, number: int) -> NewJob:
        text = f"prompt {number}".ljust(PADDING if self._load.tokens_per_second else 0)
        request = Request(turns=(Turn(role=Role.USER, parts=(Text(text=text),)),))
        body = encode_request(self._common.lane, request)
        return NewJob(self._common, new_id(), estimate(request), *body, position=number)
