"""What becomes of a job on which Holdfast itself broke: one more try, elsewhere if there is an elsewhere, then the end.

Each such call may have been billed, and the next one is likely to break in the same place.
"""

from collections.abc import Mapping

from holdfast.model.fault import Fault
from holdfast.model.job import MAX_EXCEPTIONS, Claimed, DeathReason
from holdfast.model.route import Plan, Route
from holdfast.model.step import Bury, Retry, Step
from holdfast.policy.backoff import Uniform

AGAIN = (1.0, 2.0)  # seconds until the second try
ELSEWHERE = 60.0  # seconds for which another route is asked, where the plan has one


def after_exception(  # noqa: PLR0917  the whole of what it may depend on: nothing that may be broken, too
    job: Claimed, route: Route, plan: Plan, fault: Fault, avoid: Mapping[str, float | None], uniform: Uniform
) -> Step:
    """Decide what becomes of a job after an exception of ours. ``avoid``: in seconds from now, as for a step."""
    if job.exceptions + 1 >= MAX_EXCEPTIONS:
        why = f"{job.exceptions + 1} attempts ended so; {route.name}: {fault.message}"
        return Bury(DeathReason(fault.kind, why, fault.status, fault.code))
    if any(other.name not in {*avoid, route.name} for other in plan.routes):
        avoid = {**avoid, route.name: ELSEWHERE}
    return Retry(uniform(*AGAIN), uses_attempt=False, avoid=avoid)
