"""What the fleet knows of credentials: which are parked and why, and what was reported of them."""

from collections.abc import Iterable, Mapping

import redis

from holdfast.lanes.admin import change_breaker, server_time
from holdfast.lanes.connection import Connection
from holdfast.lanes.keys import Keys
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import FaultKind
from holdfast.policy.breaker import Breaker, HalfOpen, Open, end_cool_off
from holdfast.policy.breaker_codec import parse
from holdfast.policy.credential_alerts import Parked
from holdfast.policy.signals import ScopeKind

REPORTED_FOR = 86_400  # seconds for which the fleet remembers what it has reported


def probe_at_once(connection: Connection, name: str) -> None:
    """Let the next call of credential ``name`` be its probe: its key or token is new. Raises QueueUnavailable.

    Where the provider's logins are out, it may be for its keys: then its own breaker is probed at once too.
    """
    credential, endpoint = f"{ScopeKind.CREDENTIAL}:{name}", f"{ScopeKind.ENDPOINT}:{name.partition('/')[0]}"
    connection.ask(lambda client: change_breaker(client, connection.keys, credential, end_cool_off))
    connection.ask(lambda client: change_breaker(client, connection.keys, endpoint, _end_auth_outage))


def note_fault(connection: Connection, name: str, kind: FaultKind) -> None:
    """Remember why a credential's last call failed. Raises QueueUnavailable."""
    connection.ask(lambda client: client.hset(connection.keys.credential_faults, name, kind.value))


def read_parked(client: redis.Redis, keys: Keys, names: Iterable[str]) -> list[Parked]:
    """Return those of the credentials ``provider/credential`` that take no call now, and since when."""
    wanted, now = sorted(set(names)), server_time(client)
    pipe = client.pipeline(transaction=False)
    for name in wanted:
        pipe.hgetall(keys.breaker(f"{ScopeKind.CREDENTIAL}:{name}"))
    pipe.hgetall(keys.credential_faults)
    *rows, why = pipe.execute()
    found = ((name, _down_since(row)) for name, row in zip(wanted, rows, strict=True))
    return [Parked(name, max(0.0, now - since), why.get(name, "")) for name, since in found if since is not None]


def is_first_to_report(connection: Connection, what: str) -> bool:
    """Claim, once in the fleet, that ``what`` is to be reported. Without Redis everybody may report it."""
    try:
        return bool(
            connection.ask(lambda client: client.set(_reported(connection, what), "1", nx=True, ex=REPORTED_FOR))
        )
    except QueueUnavailable:
        return True


def end_report(connection: Connection, what: str) -> bool:
    """Claim, once in the fleet, that ``what`` was reported and is over."""
    try:
        return bool(connection.ask(lambda client: client.delete(_reported(connection, what))))
    except QueueUnavailable:
        return False


def _reported(connection: Connection, what: str) -> str:
    return f"{connection.keys.root}said:{what}"


def _down_since(fields: Mapping[str, str]) -> float | None:
    breaker = parse(fields)
    return breaker.since if isinstance(breaker.state, Open | HalfOpen) else None


def _end_auth_outage(breaker: Breaker) -> Breaker:
    return end_cool_off(breaker) if breaker.logins_out else breaker
