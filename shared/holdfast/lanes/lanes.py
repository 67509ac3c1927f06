"""The lanes as producers, the sweeper and operators use them: synchronous, from any thread."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import redis

from holdfast.lanes import operate
from holdfast.lanes.condition import condition
from holdfast.lanes.connection import Connection
from holdfast.lanes.credentials import read_parked
from holdfast.lanes.entry import write_entry
from holdfast.lanes.lua import source
from holdfast.lanes.topology import FAILED
from holdfast.lanes.values import WINDOW, Snapshot
from holdfast.model.job import Offer
from holdfast.policy.logins import Parked

T = TypeVar("T")

GROUP = 1_000  # jobs per script call: a script holds up everybody else


def offer_arguments(
    offers: Sequence[Offer], lane: str, connection: Connection, *, front: bool, window: int
) -> list[Any]:
    """What offer.lua wants to know, for offers of one lane."""
    arguments: list[Any] = [lane, window, int(front), connection.keys.wake]
    for offer in offers:
        arguments += write_entry(offer, connection.seal)
    return arguments


def by_lane(offers: Sequence[Offer]) -> dict[str, list[Offer]]:
    """Group offers by lane, keeping their order."""
    groups: dict[str, list[Offer]] = {}
    for offer in offers:
        groups.setdefault(offer.lane, []).append(offer)
    return groups


def in_groups(offers: list[Offer], *, front: bool) -> list[list[Offer]]:
    """Cut offers into groups for one script call each; at the front the last group has to go first."""
    groups = [offers[i : i + GROUP] for i in range(0, len(offers), GROUP)]
    return groups[::-1] if front else groups


class Lanes:
    """Windows of ready jobs, one per lane. Every method raises QueueUnavailable when Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys = connection.keys

    def offer(self, offers: Sequence[Offer], *, front: bool = False, window: int = WINDOW) -> int:
        """Put jobs into their lanes, each at most once. Returns how many were added.

        At the end a lane takes jobs until it holds ``window`` ids; at the front there is no such bound.
        """
        added = 0
        for lane, group in by_lane(offers).items():
            for part in in_groups(group, front=front):
                added += self._offer(lane, part, front=front, window=window)
        return added

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

    def force(self, route: str, want: operate.Want | None) -> None:
        """Let no call take ``route`` ("open"), let every call ("closed"), or let its breaker decide again (None)."""
        self._ask(lambda client: operate.force_route(client, self._keys, route, want))

    def reset(self, route: str) -> None:
        """Forget what breakers and pauses hold against ``route``."""
        self._ask(lambda client: operate.reset_route(client, self._keys, route))

    def snapshot(self) -> Snapshot:
        """Breakers, buckets and slots as they stand."""
        return self._ask(lambda client: operate.snapshot(client, self._keys))

    def workers(self) -> list[str]:
        """Ids of workers that fetched or settled and were not released since."""
        return self._ask(lambda client: [str(name) for name in client.zrange(self._keys.heartbeats, 0, -1)])

    def held(self, worker: str) -> list[str]:
        """Jobs that ``worker`` fetched and that are not settled, over all lanes."""

        def read(client: redis.Redis) -> list[str]:
            names = [self._keys.acks(worker, str(lane)) for lane in client.smembers(self._keys.names)]
            return [str(job) for job in client.sunion(names)] if names else []

        return self._ask(read)

    def mend(self) -> int:
        """Forget messages that nobody will fetch or acknowledge, so that their jobs can be offered again."""

        def run(client: redis.Redis) -> int:
            script, forgotten, keys = client.register_script(source("mend")), 0, self._keys
            for lane in map(str, client.smembers(keys.names)):
                names = [keys.lane(lane), keys.messages(lane), keys.need(lane), keys.heartbeats]
                forgotten += int(script(names, [lane, f"{keys.lanes}:__acks__."]))
            return forgotten

        return self._ask(run)

    def overrides(self) -> dict[tuple[operate.Kind, str], operate.Override]:
        """What operators forced, as far as Redis knows."""
        return self._ask(lambda client: operate.overrides(client, self._keys))

    def condition(self) -> list[str]:
        """Say in words what is wrong with a Redis that answers; empty where all is well."""
        return self._ask(lambda client: condition(client, self._keys))

    def parked(self, names: Iterable[str]) -> list[Parked]:
        """Which of the credentials ``provider/credential`` take no call now, and since when."""
        return self._ask(lambda client: read_parked(client, self._keys, names))

    def ping(self) -> None:
        self._ask(lambda client: client.ping())

    def _offer(self, lane: str, offers: list[Offer], *, front: bool, window: int) -> int:
        keys = self._keys
        names = [keys.lane(lane), keys.messages(lane), keys.need(lane), keys.names, keys.refill(lane)]
        arguments = offer_arguments(offers, lane, self._connection, front=front, window=window)
        return int(self._ask(lambda client: client.register_script(source("offer"))(names, arguments)))

    def _ask(self, question: Callable[[redis.Redis], T]) -> T:
        try:
            return question(self._connection.sync())
        except redis.ConnectionError as error:
            self._connection.revive()
            raise self._connection.unavailable(error) from error
        except FAILED as error:
            raise self._connection.unavailable(error) from error
