"""What the fleet knows of credentials: which are parked and why, and what was reported of them."""

from holdfast.lanes.admin import change_breaker
from holdfast.lanes.connection import Connection
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import FaultKind
from holdfast.policy.breaker import end_cool_off
from holdfast.policy.breaker_state import Breaker
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


def _end_auth_outage(breaker: Breaker) -> Breaker:
    return end_cool_off(breaker) if breaker.auth_outage else breaker
