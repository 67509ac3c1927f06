"""The lanes as producers, the sweeper and operators use them: synchronous, from any thread."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import redis

from holdfast.lanes import admin
from holdfast.lanes.connection import Connection
from holdfast.lanes.credentials import read_parked
from holdfast.lanes.entry import in_order, write_entry
from holdfast.lanes.garbage import repair
from holdfast.lanes.lua import source
from holdfast.lanes.redis_health import redis_health
from holdfast.lanes.values import WINDOW, Backlog, Snapshot
from holdfast.model.job import Offer
from holdfast.policy.credential_alerts import Parked

GROUP = 1_000  # jobs per script call: a script holds up everybody else


def offer_calls(
    offers: Sequence[Offer], connection: Connection, window: int, backlog: Backlog
) -> Iterator[tuple[list[str], list[Any]]]:
    """Keys and arguments of offer.lua for each call that ``offers`` take. A lane's calls are made in turn."""
    keys = connection.keys
    for lane, group in by_lane(offers).items():
        names = [
            keys.lane(lane),
            keys.messages(lane),
            keys.need(lane),
            keys.names,
            keys.refill(lane),
            keys.beyond(lane),
        ]
        for first in range(0, len(group), GROUP):
            part = group[first : first + GROUP]
            told = Backlog.PART if backlog is Backlog.ALL and first + GROUP < len(group) else backlog
            arguments: list[Any] = [lane, window, told.value, int(first > 0), keys.wake]
            for offer in part:
                arguments += write_entry(offer, connection.signer)
            yield names, arguments


def by_lane(offers: Sequence[Offer]) -> dict[str, list[Offer]]:
    """Group offers by lane, each group in the order of lanes."""
    groups: dict[str, list[Offer]] = {}
    for offer in in_order(offers):
        groups.setdefault(offer.lane, []).append(offer)
    return groups


class Lanes:
    """Windows of ready jobs, one per lane. Every method raises QueueUnavailable when Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._keys, self._ask = connection, connection.keys, connection.ask

    def offer(self, offers: Sequence[Offer], *, window: int = WINDOW, backlog: Backlog = Backlog.UNKNOWN) -> int:
        """Put jobs into their lanes, each at most once and in order. Returns how many were added.

        A lane holds ``window`` ids, the first of its backlog. A full one takes jobs that come before its last ones, and
        lets go of those; none is taken that comes behind one for which there was no room.
        """
        calls = offer_calls(offers, self._connection, window, backlog)
        return sum(int(self._run("offer", names, arguments)) for names, arguments in calls)

    def lengths(self) -> dict[str, int]:
        """Ids waiting in the window of each lane."""

        def read(client: redis.Redis) -> dict[str, int]:
            lanes = sorted(str(name) for name in client.smembers(self._keys.names))
            pipe = client.pipeline(transaction=False)
            for lane in lanes:
                pipe.llen(self._keys.lane(lane))
            return dict(zip(lanes, pipe.execute(), strict=True))

        return self._ask(read)

    def set_paused(self, lane: str, paused: bool) -> None:  # noqa: FBT001  the state itself
        """Stop or go on starting jobs of ``lane``; running ones finish."""

        def write(client: redis.Redis) -> None:
            if paused:
                client.sadd(self._keys.paused, lane)
            else:
                client.srem(self._keys.paused, lane)
                client.publish(self._keys.wake, lane)

        self._ask(write)

    def force(self, route: str, want: admin.Want | None) -> None:
        """Let no call take ``route`` ("open"), let every call ("closed"), or let its breaker decide again (None)."""
        self._ask(lambda client: admin.force_route(client, self._keys, route, want))

    def reset(self, route: str) -> None:
        """Forget what breakers and pauses hold against ``route``."""
        self._ask(lambda client: admin.reset_route(client, self._keys, route))

    def snapshot(self) -> Snapshot:
        """Breakers, buckets and slots as they stand."""
        return self._ask(lambda client: admin.snapshot(client, self._keys))

    def workers(self) -> list[str]:
        """Ids of workers that fetched or settled and were not released since."""
        return self._ask(lambda client: [str(name) for name in client.zrange(self._keys.heartbeats, 0, -1)])

    def held(self, worker: str) -> list[str]:
        """Jobs that ``worker`` fetched and that are not settled, over all lanes."""

        def read(client: redis.Redis) -> list[str]:
            names = [self._keys.acks(worker, str(lane)) for lane in client.smembers(self._keys.names)]
            return [str(job) for job in client.sunion(names)] if names else []

        return self._ask(read)

    def repair(self) -> int:
        """Forget messages that nobody will fetch or acknowledge, so that their jobs can be offered again."""
        return self._ask(lambda client: repair(client, self._keys))

    def overrides(self) -> dict[tuple[admin.Kind, str], admin.Override]:
        """What operators forced, as far as Redis knows."""
        return self._ask(lambda client: admin.overrides(client, self._keys))

    def redis_health(self) -> list[str]:
        """Say in words what is wrong with a Redis that answers; empty where all is well."""
        return self._ask(lambda client: redis_health(client, self._keys))

    def parked(self, names: Iterable[str]) -> list[Parked]:
        """Which of the credentials ``provider/credential`` take no call now, and since when."""
        return self._ask(lambda client: read_parked(client, self._keys, names))

    def ping(self) -> None:
        self._ask(lambda client: client.ping())

    def _run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        return self._ask(lambda client: client.register_script(source(name))(keys, arguments))
