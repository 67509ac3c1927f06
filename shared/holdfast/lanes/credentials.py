"""What the gate knows of credentials: which are parked and why, and how a changed key ends a cool-off early."""

from collections.abc import Iterable, Mapping

import redis

from holdfast.lanes.connection import Connection
from holdfast.lanes.keys import Keys
from holdfast.lanes.lua import source
from holdfast.lanes.topology import FAILED
from holdfast.model.fault import FaultKind
from holdfast.policy.breaker import HalfOpen, Open, end_cool_off
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.credential_alerts import Parked
from holdfast.policy.signals import ScopeKind

TRIES = 100  # a breaker under full load moves a few dozen times a second
SAID_FOR = 86_400  # seconds for which the fleet remembers what it has said


def probe_at_once(connection: Connection, name: str) -> None:
    """Let the next call of credential ``name`` be its probe: its key or token is new. Raises QueueUnavailable.

    Where the provider's logins are out, it may be for its keys: then its own breaker is probed at once too.
    """
    try:
        _hasten(connection.sync(), connection.keys, f"{ScopeKind.CREDENTIAL}:{name}")
        _hasten(connection.sync(), connection.keys, f"{ScopeKind.ENDPOINT}:{name.partition('/')[0]}", logins_only=True)
    except FAILED as error:
        raise connection.unavailable(error) from error


def note_fault(connection: Connection, name: str, kind: FaultKind) -> None:
    """Remember why a credential's last call failed. Raises QueueUnavailable."""
    try:
        connection.sync().hset(_why(connection.keys), name, kind.value)
    except FAILED as error:
        raise connection.unavailable(error) from error


def parked(connection: Connection, names: Iterable[str]) -> list[Parked]:
    """Which credentials are parked, by name. Raises QueueUnavailable."""
    try:
        return read_parked(connection.sync(), connection.keys, names)
    except FAILED as error:
        raise connection.unavailable(error) from error


def read_parked(client: redis.Redis, keys: Keys, names: Iterable[str]) -> list[Parked]:
    wanted = sorted(set(names))
    seconds, micros = client.time()
    now = int(seconds) + int(micros) / 1e6
    pipe = client.pipeline(transaction=False)
    for name in wanted:
        pipe.hgetall(keys.breaker(f"{ScopeKind.CREDENTIAL}:{name}"))
    pipe.hgetall(_why(keys))
    *rows, why = pipe.execute()
    found = ((name, _down_since(row)) for name, row in zip(wanted, rows, strict=True))
    return [Parked(name, max(0.0, now - since), why.get(name, "")) for name, since in found if since is not None]


def is_first_to_say(connection: Connection, what: str) -> bool:
    """Tell once in the fleet that ``what`` was not said before. Without Redis everybody may say it."""
    try:
        return bool(connection.sync().set(f"{connection.keys.root}said:{what}", "1", nx=True, ex=SAID_FOR))
    except FAILED:
        return True


def forget_said(connection: Connection, what: str) -> bool:
    """Tell once in the fleet that ``what`` was said and is over."""
    try:
        return bool(connection.sync().delete(f"{connection.keys.root}said:{what}"))
    except FAILED:
        return False


def _why(keys: Keys) -> str:
    return f"{keys.root}credential-faults"


def _down_since(fields: Mapping[str, str]) -> float | None:
    breaker = parse(fields)
    return breaker.since if isinstance(breaker.state, Open | HalfOpen) else None


def _hasten(client: redis.Redis, keys: Keys, scope: str, *, logins_only: bool = False) -> None:
    compare_and_set, key = client.register_script(source("compare_and_set")), keys.breaker(scope)
    for _ in range(TRIES):
        fields = {str(name): str(value) for name, value in client.hgetall(key).items()}
        before = parse(fields)
        after = before if logins_only and not before.logins_out else end_cool_off(before)
        if after is before:
            return
        flat = [text for pair in dump(after).items() for text in pair]
        if compare_and_set([key, keys.index], [fields.get("version", "0"), keys.wake, *flat]):
            return
    raise redis.RedisError(f"breaker {scope} moved {TRIES} times while it was being changed")
