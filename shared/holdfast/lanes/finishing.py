"""What settle.lua has to know of calls that ended, and of permits whose calls were never made."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from holdfast.lanes.entry import in_order, write_entry
from holdfast.lanes.message_signer import MessageSigner
from holdfast.model.attempt import Attempt
from holdfast.model.job import Claimed, Offer, Permit
from holdfast.model.step import Reroute
from holdfast.policy.backoff import Uniform
from holdfast.policy.fault_rules import may_be_billed, was_sent
from holdfast.policy.outcome_signals import A_REPLY_CAME, is_below_limit, pause
from holdfast.policy.targets import Target


def refused_below_limit(attempt: Attempt) -> bool:
    """Whether a limit that refused this call was far from used up, by our own count and the answer's headers."""
    return is_below_limit(attempt.limits, permitted=attempt.permit.below_limit)


def rest_after(attempt: Attempt, uniform: Uniform) -> float:
    """Seconds for which the bucket gives nothing after this call; ``A_REPLY_CAME``: what it waits for is over."""
    if attempt.fault is None:
        return A_REPLY_CAME
    if attempt.is_own:
        return 0.0
    return pause(attempt.fault, uniform, below_limit=refused_below_limit(attempt)) or 0.0


def attempt_arguments(attempt: Attempt, rest: float, target: Target | None, *, late: bool) -> list[Any]:
    """Permit, route, how it ended, input and output units used, seconds that the bucket must rest.

    ``target`` None: nobody knows any more what its permit was for. ``late``: what the permit took was taken long ago;
    the bucket has forgotten it, and takes nothing back.
    """
    how, *used = _charge(attempt, target)
    return [attempt.permit.id, attempt.permit.route, "keep" if late and how == "drop" else how, *used, rest]


def drop_arguments(permit: Permit, *, late: bool) -> list[Any]:
    """The same for a permit whose call was never made."""
    return [permit.id, permit.route, "keep" if late else "drop", 0, 0, 0.0]


def _charge(attempt: Attempt, target: Target | None) -> tuple[str, int, int]:
    fault, usage = attempt.fault, attempt.usage
    if fault is not None and not was_sent(fault):
        return "drop", 0, 0
    if usage is not None and not usage.estimated and target is not None:
        return "real", *target.real_cost(usage)
    if fault is None or may_be_billed(fault):
        return "keep", 0, 0
    return "back", 0, 0


def requeue_arguments(attempts: Iterable[Attempt], now: float, signer: MessageSigner | None) -> list[Any]:
    """How many jobs go back to the front of their lanes, for another route; then lane, id, message and need of each.

    What a job avoids is dated by Redis's clock, ``now``, which the gate compares with: this host's own may be wrong.
    """
    offers = [_requeued(attempt.job, attempt.step, now) for attempt in attempts if isinstance(attempt.step, Reroute)]
    arguments: list[Any] = [len(offers)]
    for offer in in_order(offers):
        arguments += [offer.lane, *write_entry(offer, signer)]
    return arguments


def _requeued(job: Claimed, step: Reroute, now: float) -> Offer:
    avoid = {route: None if wait is None else now + wait for route, wait in step.avoid.items()}
    return Offer(job.id, job.lane, replace(job.need, avoid=avoid))
