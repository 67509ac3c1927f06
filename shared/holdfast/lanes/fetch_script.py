"""fetch.lua: its keys and arguments, and what its answer means."""

from collections.abc import Callable, Sequence
from typing import Any

from holdfast.lanes.compiled_plan import CompiledPlan
from holdfast.lanes.entry import write_need
from holdfast.lanes.keys import Keys
from holdfast.lanes.values import FetchStatus
from holdfast.model.job import Offer, Permit
from holdfast.policy.admission import LOOK, Reason
from holdfast.policy.outcome_signals import UNUSED_SHARE
from holdfast.policy.targets import Target


def fetch_keys(keys: Keys, compiled: CompiledPlan, lane: str, worker: str) -> list[str]:
    """Return the keys that a fetch of ``lane`` for ``worker`` reads and writes."""
    return [
        keys.epoch,
        keys.lane(lane),
        keys.messages(lane),
        keys.need(lane),
        keys.acks(worker, lane),
        keys.permits(worker),
        keys.heartbeats,
        keys.paused,
        keys.index,
        keys.refill(lane),
        *compiled.keys,
    ]


def fetch_arguments(  # what a fetch may depend on
    compiled: CompiledPlan,
    lane: str,
    prefix: str,
    n: int,
    *,
    held: Offer | None = None,
    low: int = 0,
    look: int = LOOK,
    max_wait: float = 0.0,
) -> list[Any]:
    """Return the arguments for up to ``n`` permits, but for the time. Their ids begin with ``prefix``: worker/fetch.

    ``held`` asks for a second permit for that job, which the worker runs already, instead of jobs of the lane.
    ``low``: ids in the window below which it is to be topped up. ``look``: jobs that may be passed over.
    ``max_wait``: seconds that a job waits at most for a rate that grows, though a later route may be free.
    """
    second = ("", "") if held is None else (held.id, write_need(held.need))
    return [lane, prefix.partition("/")[0], n, look, prefix, low, *second, max_wait, *compiled.arguments]


def read_fetched(
    raw: Sequence[Any],
    compiled: CompiledPlan,
    lane: str,
    prefix: str,
    *,
    asked_at: float,
    is_known: Callable[[Target], bool],
) -> tuple[list[Permit], FetchStatus]:
    """Read the answer. ``is_known`` tells whether somebody told the limit of a target's bucket."""
    reason, retry_in, left, low, _, epochs, jobs, numbers, probes, _, left_shares = raw
    by_scope = dict(zip(compiled.scopes, map(int, epochs), strict=True)) if jobs else {}
    epochs_of = [{scope: by_scope[scope] for scope in target.scopes} for target in compiled.targets] if jobs else []
    permits = [
        Permit(
            id=f"{prefix}:{i}",
            job=job,
            lane=lane,
            route=(target := compiled.targets[number - 1]).name,
            credential=target.credential,
            epochs=epochs_of[number - 1],
            probe=i in probes,
            below_limit=share > 100 * UNUSED_SHARE and is_known(target),
            asked_at=asked_at,
        )
        for i, (job, number, share) in enumerate(zip(jobs, numbers, left_shares, strict=True), start=1)
    ]
    retry = float(retry_in) if retry_in else None
    return permits, FetchStatus(Reason(reason) if reason else None, retry, left, low=bool(low))
