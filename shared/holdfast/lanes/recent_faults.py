"""Which faults each route had lately, for people: counted by slots of time that Redis forgets by itself."""

from collections import Counter
from collections.abc import Mapping

import orjson
import redis

from holdfast.lanes.admin import server_time
from holdfast.lanes.connection import Connection
from holdfast.lanes.values import RouteFault
from holdfast.model.fault import FaultKind
from holdfast.policy.outage_sentence import FaultCount

SLOT = 300  # seconds
KEPT = 86_400  # seconds
INTERNAL = FaultKind.INTERNAL  # it says nothing of the route

FaultKey = tuple[str, str, int | None]  # route, kind of fault, HTTP status


def note_faults(connection: Connection, counts: Mapping[FaultKey, int]) -> None:
    """Add what was counted since the last time, in the order in which it came. Raises QueueUnavailable."""
    if not counts:
        return
    name, last_name = _slot(connection, int(connection.ask(server_time) // SLOT)), _last(connection)
    last = {route: orjson.dumps((kind, status)).decode() for route, kind, status in counts if kind != INTERNAL}

    def add(client: redis.Redis) -> None:
        pipe = client.pipeline(transaction=False)
        for key, calls in counts.items():
            pipe.hincrby(name, orjson.dumps(key).decode(), calls)
        for route, told in last.items():
            pipe.hset(last_name, route, told)
        for each in (name, last_name):
            pipe.expire(each, KEPT)
        pipe.execute()

    connection.ask(add)


def recent_faults(connection: Connection, seconds: float) -> list[RouteFault]:
    """List the faults of the last ``seconds`` or up to a slot more, most frequent first. Raises QueueUnavailable."""
    last = int(connection.ask(server_time) // SLOT)
    slots = [_slot(connection, number) for number in range(last - int(min(seconds, KEPT) // SLOT) - 1, last + 1)]
    total: Counter[str] = Counter()
    *rows, last_ones = connection.ask(lambda client: _rows(client, [*slots, _last(connection)]))
    for row in rows:
        total.update({field: int(calls) for field, calls in row.items()})
    newest = {(route, *orjson.loads(told)) for route, told in last_ones.items()}
    return [
        RouteFault(route, FaultCount(kind, status, calls), is_last=(route, kind, status) in newest)
        for (route, kind, status), calls in _read(total)
    ]


def _rows(client: redis.Redis, names: list[str]) -> list[dict[str, str]]:
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hgetall(name)
    return pipe.execute()


def _read(total: Counter[str]) -> list[tuple[FaultKey, int]]:
    return [(tuple(orjson.loads(field)), calls) for field, calls in total.most_common()]


def _last(connection: Connection) -> str:
    return f"{connection.keys.root}last_faults"


def _slot(connection: Connection, number: int) -> str:
    return f"{connection.keys.root}faults:{number}"
