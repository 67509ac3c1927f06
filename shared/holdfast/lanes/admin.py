"""What an operator does to the gate, and sees of it. Works on a client of the right Redis; raises what it raises."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import redis

from holdfast.lanes.keys import Keys
from holdfast.lanes.lua import source
from holdfast.lanes.values import BreakerView, BucketView, Snapshot
from holdfast.model.call_result import Dimension
from holdfast.policy.breaker import Breaker, Disabled, ForcedOpen, HalfOpen, Open, allowance, force
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.rate_limit import Allowance, Level, refill
from holdfast.policy.signals import ScopeKind

Client = redis.Redis
Want = Literal["open", "closed"]
Kind = Literal["lane", "route"]
Override = Literal["paused", "open", "closed"]
Change = Callable[[Breaker], Breaker]

FORCED = {"open": ForcedOpen, "closed": Disabled}
WANTED: Mapping[str, Want] = {"forced_open": "open", "disabled": "closed"}
TRIES = 100  # a breaker under full load moves a few dozen times a second


def force_route(client: Client, keys: Keys, route: str, want: Want | None) -> None:
    """Override a route's breaker or, with None, lift the override. Asking for what is there changes nothing."""

    def change(breaker: Breaker) -> Breaker:
        forced = isinstance(breaker.state, ForcedOpen | Disabled)
        if want is None:
            return force(breaker, None) if forced else breaker
        return breaker if isinstance(breaker.state, FORCED[want]) else force(breaker, want)

    change_breaker(client, keys, f"{ScopeKind.ROUTE}:{route}", change)


def reset_route(client: Client, keys: Keys, route: str) -> None:
    """Close the breakers in the way of a route: its own, its endpoint's and those of the provider's credentials.

    Pauses of its provider's buckets end too. What the operator forced open elsewhere stays so.
    """
    provider = route.partition("/")[0]
    root_breaker, root_bucket = keys.breaker(""), keys.bucket("")
    for name in sorted(_index(client, keys)):
        scope = name.removeprefix(root_breaker)
        if scope == f"{ScopeKind.ROUTE}:{route}":
            change_breaker(client, keys, scope, lambda breaker: force(breaker, None))
        elif scope == f"{ScopeKind.ENDPOINT}:{provider}" or scope.startswith(f"{ScopeKind.CREDENTIAL}:{provider}/"):
            change_breaker(client, keys, scope, _closed_unless_forced)
        elif name.startswith(f"{root_bucket}{provider}/"):
            client.hdel(name, "paused_until")


def change_breaker(client: Client, keys: Keys, scope: str, change: Change) -> None:
    """Change a breaker by compare-and-set on its version. ``change`` returns the same object where there is no need."""
    compare_and_set = client.register_script(source("compare_and_set"))
    key = keys.breaker(scope)
    for _ in range(TRIES):
        fields = {str(name): str(value) for name, value in client.hgetall(key).items()}
        before = parse(fields)
        after = change(before)
        if after is before:
            return
        flat = [text for pair in dump(after).items() for text in pair]
        if compare_and_set([key, keys.index], [fields.get("version", "0"), keys.wake, *flat]):
            return
    raise redis.RedisError(f"breaker {scope} moved {TRIES} times while it was being changed")


def server_time(client: Client) -> float:
    """Return the server's clock, in seconds."""
    seconds, micros = client.time()
    return int(seconds) + int(micros) / 1e6


def overrides(client: Client, keys: Keys) -> dict[tuple[Kind, str], Override]:
    """What operators forced, as far as this Redis knows: paused lanes, routes forced open or closed."""
    found: dict[tuple[Kind, str], Override] = {("lane", str(lane)): "paused" for lane in client.smembers(keys.paused)}
    prefix = keys.breaker(f"{ScopeKind.ROUTE}:")
    for route in _named(sorted(_index(client, keys)), prefix):
        if (want := WANTED.get(str(client.hget(prefix + route, "state")))) is not None:
            found["route", route] = want
    return found


def snapshot(client: Client, keys: Keys) -> Snapshot:
    """Read everything the gate keeps."""
    names = sorted(_index(client, keys))
    breakers = _named(names, keys.breaker(""))
    buckets = _named(names, keys.bucket(""))
    slots = _named(names, keys.slots(""))
    now = server_time(client)
    pipe = client.pipeline(transaction=False)
    for name in (*map(keys.breaker, breakers), *map(keys.bucket, buckets)):
        pipe.hgetall(name)
    for route in slots:
        pipe.zcount(keys.slots(route), now, "+inf")
    pipe.smembers(keys.paused)
    pipe.get(keys.epoch)
    pipe.get(keys.refused)
    pipe.get(keys.purged)
    *rows, paused, epoch, refused, purged = pipe.execute()
    first, second = len(breakers), len(breakers) + len(buckets)
    return Snapshot(
        breakers=[_breaker_view(s, row, now) for s, row in zip(breakers, rows[:first], strict=True) if row],
        buckets=[_bucket_view(n, row, now) for n, row in zip(buckets, rows[first:second], strict=True) if row],
        slots=dict(zip(slots, rows[second:], strict=True)),
        paused=frozenset(paused),
        epoch=epoch,
        refused=int(refused or 0),
        purged=int(purged or 0),
    )


def _closed_unless_forced(breaker: Breaker) -> Breaker:
    return force(breaker, None) if isinstance(breaker.state, Open | HalfOpen) else breaker


def _index(client: Client, keys: Keys) -> set[str]:
    return {str(name) for name in client.smembers(keys.index)}


def _named(names: Sequence[str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _breaker_view(scope: str, fields: dict[str, str], now: float) -> BreakerView:
    breaker = parse(fields)
    until = breaker.state.until if isinstance(breaker.state, Open | HalfOpen) else None
    return BreakerView(
        scope=scope,
        state=fields.get("state", "closed"),
        epoch=breaker.epoch,
        retry_in=None if until is None else max(0.0, until - now),
        allowance=allowance(breaker),
    )


def _bucket_view(name: str, fields: dict[str, str], now: float) -> BucketView:
    levels: dict[Dimension, float] = {}
    rates: dict[Dimension, float] = {}
    capacities: dict[Dimension, float] = {}
    for each in Dimension:
        if fields.get(f"{each}.per_ms") and fields.get(f"{each}.level"):
            allowed = Allowance(float(fields[f"{each}.per_ms"]), float(fields[f"{each}.capacity"]))
            level = Level(float(fields[f"{each}.level"]), float(fields[f"{each}.at"]))
            levels[each] = refill(level, allowed, now * 1000).units
            rates[each], capacities[each] = allowed.per_ms * 1000, allowed.capacity
    paused = float(fields.get("paused_until") or 0) / 1000 - now
    return BucketView(name, levels, rates, capacities, max(0.0, paused))
