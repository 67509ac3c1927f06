"""Which routes of a plan admit nothing now, as the worker asks before it decides between a reroute and a wait."""

from collections.abc import Awaitable, Sequence
from typing import Any

import redis.asyncio

from holdfast.lanes.compiled_plan import CompiledPlan
from holdfast.lanes.keys import Keys
from holdfast.policy import health
from holdfast.policy.health import Health


def read_health(client: redis.asyncio.Redis, keys: Keys, compiled: CompiledPlan) -> Awaitable[list[Any]]:
    """Ask for what ``health_of`` needs: one row per breaker, then one per bucket."""
    pipe = client.pipeline(transaction=False)
    for scope in compiled.scopes:
        pipe.hmget(keys.breaker(scope), ("state", "until", "ramp", "believed"))
    for name in compiled.buckets:
        pipe.hmget(keys.bucket(name), ("paused_until",))
    return pipe.execute()


def health_of(compiled: CompiledPlan, rows: Sequence[Sequence[str | None]], now: float) -> Health:
    """A route is open when a breaker or a pause refuses it with every credential it has. ``now`` is Redis's clock.

    One that still ramps after an outage is on probation, and wears jobs out until it has proved itself.
    """
    breakers = dict(zip(compiled.scopes, rows, strict=False))
    ill = {
        scope: state == "forced_open" or now < float(until or 0)
        for scope, (state, until, *_) in breakers.items()
        if state not in {None, "closed", "disabled"}
    }
    shut = {scope for scope, is_shut in ill.items() if is_shut}
    ramping = {scope for scope, (state, _, ramp, _) in breakers.items() if state == "closed" and ramp}
    believed = {scope for scope, (*_, until) in breakers.items() if now < float(until or 0)}
    paused = {
        name
        for name, (until,) in zip(compiled.buckets, rows[len(compiled.scopes) :], strict=True)
        if now * 1000 < float(until or 0)
    }
    return health.health_of(
        compiled.targets, ill=ill.keys(), shut=shut, ramping=ramping, paused=paused, believed=believed
    )
