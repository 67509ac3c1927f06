"""What settle.lua has to know of finished calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.lanes.entry import in_order, write_entry
from holdfast.lanes.message_signer import MessageSigner
from holdfast.lanes.values import Settled
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Offer
from holdfast.model.reply import Usage
from holdfast.policy.backoff import Uniform
from holdfast.policy.outcome_signals import is_below_limit, pause
from holdfast.policy.targets import Target

Targets = Mapping[tuple[str, str], Target]

NEVER_SENT = frozenset({FaultKind.INTERNAL, FaultKind.UNMAPPABLE})
ANSWERED = frozenset({FaultKind.BAD_ANSWER, FaultKind.BAD_OUTPUT})  # tokens were used, whatever came of them


def rest_after(call: Settled, uniform: Uniform) -> float:
    """Seconds for which the bucket gives nothing after ``call``."""
    if not isinstance(call.answer, Fault):
        return 0.0
    return (
        pause(call.answer, uniform, below_limit=is_below_limit(call.limits, permitted=call.permit.below_limit)) or 0.0
    )


def call_arguments(call: Settled, rest: float, targets: Targets, *, late: bool = False) -> list[Any]:
    """Permit, route, how it ended, input and output units used, seconds that the bucket must rest.

    ``late``: what the permit took was taken long ago; the bucket has forgotten it, and takes nothing back.
    """
    fault = call.answer if isinstance(call.answer, Fault) else None
    how, *used = _charge(call, fault, targets)
    return [call.permit.id, call.permit.route, "keep" if late and how == "drop" else how, *used, rest]


def _charge(call: Settled, fault: Fault | None, targets: Targets) -> tuple[str, int, int]:
    if call.answer is None or (fault is not None and fault.kind in NEVER_SENT):
        return "drop", 0, 0
    usage = _real_usage(call)
    target = targets.get((call.permit.route, call.permit.credential))
    if usage is not None and target is not None:
        return "real", *target.real_cost(usage)
    if fault is None or fault.ambiguous or fault.kind in ANSWERED:
        return "keep", 0, 0
    return "back", 0, 0


def _real_usage(call: Settled) -> Usage | None:
    usage = call.usage
    if usage is None and call.answer is not None and not isinstance(call.answer, Fault):
        usage = call.answer.usage
    return None if usage is None or usage.estimated else usage


def requeue_arguments(offers: Sequence[Offer], signer: MessageSigner | None) -> list[Any]:
    """How many jobs go back into their lane; then lane, id, message and need of each, in the order of lanes."""
    arguments: list[Any] = [len(offers)]
    for offer in in_order(offers):
        arguments += [offer.lane, *write_entry(offer, signer)]
    return arguments
