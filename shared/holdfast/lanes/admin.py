"""What an operator does to the gate, and sees of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar

import redis

from holdfast.lanes.connection import Connection
from holdfast.lanes.keys import Keys
from holdfast.lanes.learned_limits import LEARNED, limit_source
from holdfast.lanes.lua import flat, source
from holdfast.lanes.redis_health import redis_health
from holdfast.lanes.values import BreakerView, BucketView, Snapshot
from holdfast.model.call_result import Dimension
from holdfast.policy.breaker import force, ramp_limit
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import default_rules
from holdfast.policy.breaker_state import Breaker, Disabled, ForcedOpen, HalfOpen, Open
from holdfast.policy.credential_alerts import Parked
from holdfast.policy.rate_limit import Allowance, Level, refill
from holdfast.policy.recovering import is_recovering
from holdfast.policy.signals import ScopeKind

P = ParamSpec("P")
S = TypeVar("S", bound="GateAdmin")
T = TypeVar("T")

Want = Literal["open", "closed"]
Kind = Literal["lane", "route"]
Override = Literal["paused", "open", "closed"]

FORCED = {"open": ForcedOpen, "closed": Disabled}
WANTED: Mapping[str, Want] = {"forced_open": "open", "disabled": "closed"}
TRIES = 100  # a breaker under full load moves a few dozen times a second


def asking(method: Callable[Concatenate[S, redis.Redis, P], T]) -> Callable[Concatenate[S, P], T]:
    """Make a method of one that works on a client of Redis; see ``Connection.ask``."""

    @wraps(method)
    def ask(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.connection.ask(lambda client: method(self, client, *args, **kwargs))

    return ask


class GateAdmin:
    """The operator's side of the gate. Every method raises QueueUnavailable when Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self._keys = connection, connection.keys

    @asking
    def set_paused(self, client: redis.Redis, lane: str, paused: bool) -> None:  # noqa: FBT001  the state itself
        """Stop or go on starting jobs of ``lane``; running ones finish."""
        if paused:
            client.sadd(self._keys.paused, lane)
        else:
            client.srem(self._keys.paused, lane)
            client.publish(self._keys.wake, lane)

    @asking
    def force(self, client: redis.Redis, route: str, want: Want | None) -> None:
        """Let no call take ``route`` ("open"), let every call ("closed"), or let its breaker decide again (None).

        Asking for what is there changes nothing.
        """

        def change(breaker: Breaker) -> Breaker:
            forced = isinstance(breaker.state, ForcedOpen | Disabled)
            if want is None:
                return force(breaker, None) if forced else breaker
            return breaker if isinstance(breaker.state, FORCED[want]) else force(breaker, want)

        change_breaker(client, self._keys, f"{ScopeKind.ROUTE}:{route}", change)

    @asking
    def reset(self, client: redis.Redis, route: str) -> None:
        """Close the breakers in the way of a route: its own, its endpoint's and those of the provider's credentials.

        Pauses of its provider's buckets end too, and their limits are learned anew. What the operator forced open
        elsewhere stays so.
        """
        keys, provider = self._keys, route.partition("/")[0]
        for name in self._index(client):
            scope = name.removeprefix(keys.breaker(""))
            if scope == f"{ScopeKind.ROUTE}:{route}":
                change_breaker(client, keys, scope, lambda breaker: force(breaker, None))
            elif scope == f"{ScopeKind.ENDPOINT}:{provider}" or scope.startswith(f"{ScopeKind.CREDENTIAL}:{provider}/"):
                change_breaker(client, keys, scope, _closed_unless_forced)
            elif name.startswith(f"{keys.bucket(provider)}/"):
                client.hdel(name, "paused_until", "ask_after", *LEARNED)

    @asking
    def overrides(self, client: redis.Redis) -> dict[tuple[Kind, str], Override]:
        """What operators forced, as far as this Redis knows: paused lanes, routes forced open or closed."""
        paused = map(str, client.smembers(self._keys.paused))
        found: dict[tuple[Kind, str], Override] = {("lane", lane): "paused" for lane in paused}
        prefix = self._keys.breaker(f"{ScopeKind.ROUTE}:")
        for route in _named(self._index(client), prefix):
            if (want := WANTED.get(str(client.hget(prefix + route, "state")))) is not None:
                found["route", route] = want
        return found

    @asking
    def snapshot(self, client: redis.Redis) -> Snapshot:
        """Breakers, buckets and slots as they stand."""
        keys, now, names = self._keys, server_time(client), self._index(client)
        breakers, buckets, slots = (_named(names, prefix("")) for prefix in (keys.breaker, keys.bucket, keys.slots))
        pipe = client.pipeline(transaction=False)
        for name in (*map(keys.breaker, breakers), *map(keys.bucket, buckets)):
            pipe.hgetall(name)
        for route in slots:
            pipe.zcount(keys.slots(route), now, "+inf")
        pipe.smembers(keys.paused)
        for name in (keys.epoch, keys.refused, keys.purged):
            pipe.get(name)
        *rows, paused, epoch, refused, purged = pipe.execute()
        first, second = len(breakers), len(breakers) + len(buckets)
        in_flight = dict(zip(slots, rows[second:], strict=True))
        return Snapshot(
            breakers=[
                _breaker_view(scope, row, in_flight, now)
                for scope, row in zip(breakers, rows[:first], strict=True)
                if row
            ],
            buckets=[_bucket_view(n, row, now) for n, row in zip(buckets, rows[first:second], strict=True) if row],
            slots=in_flight,
            paused=frozenset(paused),
            epoch=epoch,
            refused=int(refused or 0),
            purged=int(purged or 0),
        )

    @asking
    def parked(self, client: redis.Redis, names: Iterable[str]) -> list[Parked]:
        """Which of the credentials ``provider/credential`` take no call now, and since when."""
        wanted, now = sorted(set(names)), server_time(client)
        pipe = client.pipeline(transaction=False)
        for name in wanted:
            pipe.hgetall(self._keys.breaker(f"{ScopeKind.CREDENTIAL}:{name}"))
        pipe.hgetall(self._keys.credential_faults)
        *rows, why = pipe.execute()
        found = ((name, _down_since(row)) for name, row in zip(wanted, rows, strict=True))
        return [Parked(name, max(0.0, now - since), why.get(name, "")) for name, since in found if since is not None]

    @asking
    def redis_health(self, client: redis.Redis) -> list[str]:
        """Say in words what is wrong with a Redis that answers; empty where all is well."""
        return redis_health(client, self._keys)

    def _index(self, client: redis.Redis) -> list[str]:
        return sorted(str(name) for name in client.smembers(self._keys.index))


def change_breaker(client: redis.Redis, keys: Keys, scope: str, change: Callable[[Breaker], Breaker]) -> None:
    """Change a breaker by compare-and-set on its version. ``change`` returns the same object where there is no need."""
    compare_and_set, key = client.register_script(source("compare_and_set")), keys.breaker(scope)
    for _ in range(TRIES):
        fields = {str(name): str(value) for name, value in client.hgetall(key).items()}
        before = parse(fields)
        after = change(before)
        arguments = [fields.get("version", "0"), keys.wake, *flat(dump(after))]
        if after is before or compare_and_set([key, keys.index], arguments):
            return
    raise redis.RedisError(f"breaker {scope} moved {TRIES} times while it was being changed")


def server_time(client: redis.Redis) -> float:
    """Return the server's clock, in seconds."""
    seconds, micros = client.time()
    return int(seconds) + int(micros) / 1e6


def _down_since(fields: Mapping[str, str]) -> float | None:
    breaker = parse(fields)
    return breaker.since if isinstance(breaker.state, Open | HalfOpen) else None


def _closed_unless_forced(breaker: Breaker) -> Breaker:
    return force(breaker, None) if isinstance(breaker.state, Open | HalfOpen) else breaker


def _named(names: Sequence[str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _breaker_view(scope: str, fields: dict[str, str], in_flight: Mapping[str, int], now: float) -> BreakerView:
    breaker, calls = parse(fields), _calls_through(scope, in_flight)
    until = breaker.state.until if isinstance(breaker.state, Open | HalfOpen) else None
    return BreakerView(
        scope=scope,
        state=fields.get("state", "closed"),
        epoch=breaker.epoch,
        retry_in=None if until is None else max(0.0, until - now),
        allowance=ramp_limit(breaker),
        recovering=is_recovering(breaker, calls, now, default_rules(scope)),
        since=breaker.since,
    )


def _calls_through(scope: str, in_flight: Mapping[str, int]) -> int:
    """Count the calls in flight through what a breaker guards: a route, or all those of an endpoint."""
    kind, _, name = scope.partition(":")
    if kind == ScopeKind.ROUTE:
        return in_flight.get(name, 0)
    return sum(calls for route, calls in in_flight.items() if route.startswith(f"{name}/"))


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
    return BucketView(name, levels, rates, capacities, max(0.0, paused), limit_source(fields))
