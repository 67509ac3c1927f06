"""Which faults each route had lately, for people: counted by slots of time that Redis forgets by itself."""

from collections import Counter
from collections.abc import Mapping

import orjson
import redis

from holdfast.lanes.admin import server_time
from holdfast.lanes.connection import Connection
from holdfast.lanes.values import RouteFault
from holdfast.policy.outage_sentence import FaultCount

SLOT = 300  # seconds
KEPT = 86_400  # seconds

FaultKey = tuple[str, str, int | None]  # route, kind of fault, HTTP status


def note_faults(connection: Connection, counts: Mapping[FaultKey, int]) -> None:
    """Add what was counted since the last time. Raises QueueUnavailable."""
    if not counts:
        return
    name = _slot(connection, int(connection.ask(server_time) // SLOT))

    def add(client: redis.Redis) -> None:
        pipe = client.pipeline(transaction=False)
        for key, calls in counts.items():
            pipe.hincrby(name, orjson.dumps(key).decode(), calls)
        pipe.expire(name, KEPT)
        pipe.execute()

    connection.ask(add)


def recent_faults(connection: Connection, seconds: float) -> list[RouteFault]:
    """List the faults of the last ``seconds`` or up to a slot more, most frequent first. Raises QueueUnavailable."""
    last = int(connection.ask(server_time) // SLOT)
    slots = [_slot(connection, number) for number in range(last - int(min(seconds, KEPT) // SLOT) - 1, last + 1)]
    total: Counter[str] = Counter()
    for row in connection.ask(lambda client: _rows(client, slots)):
        total.update({str(field): int(calls) for field, calls in row.items()})
    return [RouteFault(route, FaultCount(kind, status, calls)) for (route, kind, status), calls in _read(total)]


def _rows(client: redis.Redis, names: list[str]) -> list[dict[str, str]]:
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hgetall(name)
    return pipe.execute()


def _read(total: Counter[str]) -> list[tuple[FaultKey, int]]:
    return [(tuple(orjson.loads(field)), calls) for field, calls in total.most_common()]


def _slot(connection: Connection, number: int) -> str:
    return f"{connection.keys.root}faults:{number}"
