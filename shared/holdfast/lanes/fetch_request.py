"""What fetch.lua is asked, and what its answer means."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from holdfast.lanes.compiled_plan import CompiledPlan
from holdfast.lanes.entry import write_need
from holdfast.lanes.keys import Keys
from holdfast.lanes.values import Fetched
from holdfast.model.job import Offer, Permit
from holdfast.policy.admission import Reason
from holdfast.policy.outcome_signals import UNUSED_SHARE
from holdfast.policy.targets import Target


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One fetch: up to ``n`` permits for ``worker``, named after ``prefix``. ``asked_at``: see ``Permit``.

    ``held`` asks for a second permit for that job, which the worker runs already, instead of jobs of the lane.
    """

    lane: str
    n: int
    worker: str
    prefix: str
    asked_at: float
    compiled: CompiledPlan
    held: Offer | None = None

    def keys(self, keys: Keys) -> list[str]:
        return [
            keys.epoch,
            keys.lane(self.lane),
            keys.messages(self.lane),
            keys.need(self.lane),
            keys.acks(self.worker, self.lane),
            keys.permits(self.worker),
            keys.heartbeats,
            keys.paused,
            keys.index,
            keys.refill(self.lane),
            *self.compiled.keys,
        ]

    def arguments(self, now: str, look: int, low: int) -> list[Any]:
        held = ("", "") if self.held is None else (self.held.id, write_need(self.held.need))
        return [now, self.lane, self.worker, self.n, look, self.prefix, low, *held, *self.compiled.arguments]


def read_fetched(asked: FetchRequest, raw: list[Any], is_known: Callable[[Target], bool]) -> Fetched:
    """Read fetch.lua's answer. ``is_known`` tells whether somebody told the limit of a target's bucket."""
    reason, retry_in, left, low, _, epochs, jobs, numbers, probes, _, left_shares = raw
    compiled, permits = asked.compiled, []
    if jobs:
        by_scope = dict(zip(compiled.scopes, map(int, epochs), strict=True))
        epochs_of = [{scope: by_scope[scope] for scope in target.scopes} for target in compiled.targets]
        for i, (job, number) in enumerate(zip(jobs, numbers, strict=True), start=1):
            target = compiled.targets[number - 1]
            permits.append(
                Permit(
                    id=f"{asked.prefix}:{i}",
                    job=job,
                    lane=asked.lane,
                    route=target.name,
                    credential=target.credential,
                    epochs=epochs_of[number - 1],
                    probe=i in probes,
                    below_limit=left_shares[i - 1] > 100 * UNUSED_SHARE and is_known(target),
                    asked_at=asked.asked_at,
                )
            )
    retry = float(retry_in) if retry_in else None
    return Fetched(permits, Reason(reason) if reason else None, retry, left, low=bool(low))
