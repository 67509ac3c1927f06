"""What the buckets in Redis have learned of their limits, to be kept in SQL; and buckets that begin with what is kept.

Every function raises QueueUnavailable when Redis does not answer.
"""

from collections.abc import Iterable, Mapping

import redis

from holdfast.lanes.connection import Connection
from holdfast.lanes.lua import flat, source
from holdfast.model.call_result import Dimension
from holdfast.policy.learned_limit import LearnedLimit, LimitSource, restored_fields, source_of
from holdfast.policy.rate_estimate import START_PER_MS, UPWARDS
from holdfast.policy.rate_estimate_codec import parse

LEARNED = (  # fields of a bucket's hash that learning alone writes
    *(f"{each}.told" for each in Dimension),
    *(f"{each}.{name}" for each in Dimension for name in ("per_ms", "capacity")),
    "learn.stage",
    "learn.version",
)


def learned_limits(connection: Connection, now: float) -> list[LearnedLimit]:
    """Return what is known of every bucket of which anything was learned. ``now``: seconds, by the gate's clock."""

    def ask(client: redis.Redis) -> list[LearnedLimit]:
        prefix = connection.keys.bucket("")
        names = sorted(str(name) for name in client.smembers(connection.keys.index) if str(name).startswith(prefix))
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(name)
        rows = zip(names, pipe.execute(), strict=True)
        found = (learned_limit(name.removeprefix(prefix), row, now) for name, row in rows)
        return [limit for limit in found if limit is not None]

    return connection.ask(ask)


def restore_limits(connection: Connection, limits: Iterable[LearnedLimit], now: float) -> list[str]:
    """Begin buckets that Redis does not have with what is kept of them. Returns the names of those."""
    fields = {limit.bucket: restored_fields(limit, now * 1000) for limit in limits}

    def ask(client: redis.Redis) -> list[str]:
        script = client.register_script(source("restore_limit"))
        keys = connection.keys
        # A version that no process can have seen before: one that knows an older bucket of this name looks anew.
        version = {"learn.version": str(int(now * 1000))}
        return [
            name for name, own in fields.items() if own and script([keys.bucket(name), keys.index], flat(own | version))
        ]

    return connection.ask(ask)


def limit_source(hash_: Mapping[str, str]) -> LimitSource | None:
    """Return where the request rate in a bucket's hash is from; None: nothing was learned of it."""
    try:
        estimate = parse(hash_)
    except (ValueError, KeyError):
        return None
    return None if estimate is None else source_of(estimate)


def learned_limit(bucket: str, hash_: Mapping[str, str], now: float) -> LearnedLimit | None:
    """Read a bucket's hash; None: there is nothing that a next run had better know."""
    try:
        estimate = parse(hash_)
        told = {each: 60_000 * float(hash_[f"{each}.told"]) for each in Dimension if f"{each}.told" in hash_}
    except (ValueError, KeyError):
        return None  # nobody's: it is learned anew
    if estimate is None:
        return LearnedLimit(bucket, told=told) if told else None
    if estimate.stage in UPWARDS and max(estimate.kept, START_PER_MS) >= estimate.per_ms:
        return None  # it has not come as far yet as it was known to go
    age = max(0.0, now - estimate.changed_at / 1000)
    return LearnedLimit(bucket, estimate.stage, 60_000 * estimate.per_ms, estimate.capacity, told, age)
