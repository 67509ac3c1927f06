"""The last diagnosis of each provider, for whoever waits for it, and which keys were good minutes ago."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.lanes.admin import server_time
from holdfast.lanes.connection import Connection

KEPT = 900.0  # seconds; an older diagnosis speaks of another time


def note_diagnosis(connection: Connection, provider: str, view: Mapping[str, Any]) -> None:
    """Keep a diagnosis, a JSON object with its time ``at``. Raises QueueUnavailable."""
    text = orjson.dumps(view).decode()
    connection.ask(lambda client: client.hset(_key(connection), provider, text))


def claim_diagnosis(connection: Connection, provider: str, seconds: float) -> bool:
    """Whether this process shall diagnose a provider: no other does within ``seconds``. Raises QueueUnavailable."""
    name = f"{_key(connection)}:{provider}"
    return bool(connection.ask(lambda client: client.set(name, "1", nx=True, px=int(seconds * 1000))))


def read_diagnoses(connection: Connection, now: float) -> dict[str, dict[str, Any]]:
    """Return those that are young, by provider. Raises QueueUnavailable."""
    found = connection.ask(lambda client: client.hgetall(_key(connection)))
    views = {str(provider): orjson.loads(text) for provider, text in found.items()}
    return {provider: view for provider, view in views.items() if view["at"] > now - KEPT}


def answered_lately(connection: Connection) -> frozenset[str]:
    """Name the credentials, as ``provider/credential``, that calls were answered with. Raises QueueUnavailable."""
    now, rows = connection.ask(server_time), connection.ask(lambda client: client.hgetall(connection.keys.replies))
    found = ((str(target).rpartition(" "), float(str(times).split()[-1])) for target, times in rows.items() if times)
    return frozenset(
        f"{route.partition('/')[0]}/{credential}" for (route, _, credential), came in found if came > now - KEPT
    )


def _key(connection: Connection) -> str:
    return f"{connection.keys.root}diagnoses"
