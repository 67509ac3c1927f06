"""The lanes as producers, the sweeper and operators use them: synchronous, from any thread."""

from collections.abc import Iterator, Sequence
from typing import Any

import redis

from holdfast.lanes.admin import GateAdmin, asking
from holdfast.lanes.connection import Connection
from holdfast.lanes.entry import in_order, write_entry
from holdfast.lanes.garbage import repair
from holdfast.lanes.lua import run_script
from holdfast.lanes.values import WINDOW, BacklogPart
from holdfast.model.job import Offer

GROUP = 1_000  # jobs per script call: a script holds up everybody else


def offer_calls(
    offers: Sequence[Offer], connection: Connection, window: int, backlog: BacklogPart
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
            told = BacklogPart.PART if backlog is BacklogPart.ALL and first + GROUP < len(group) else backlog
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


class Lanes(GateAdmin):
    """Windows of ready jobs, one per lane, and the operator's side of their gate.

    Every method raises QueueUnavailable when Redis does not answer.
    """

    def offer(
        self, offers: Sequence[Offer], *, window: int = WINDOW, backlog: BacklogPart = BacklogPart.UNKNOWN
    ) -> int:
        """Put jobs into their lanes, each at most once and in order. Returns how many were added.

        A lane holds ``window`` ids, the first of its backlog. A full one takes jobs that come before its last ones, and
        lets go of those; none is taken that comes behind one for which there was no room.
        """
        calls = offer_calls(offers, self.connection, window, backlog)
        return sum(self._offer(names, arguments) for names, arguments in calls)

    @asking
    def _offer(self, client: redis.Redis, names: list[str], arguments: list[Any]) -> int:
        return int(run_script(client, "offer", names, arguments))

    @asking
    def lengths(self, client: redis.Redis) -> dict[str, int]:
        """Ids waiting in the window of each lane."""
        lanes = sorted(str(name) for name in client.smembers(self._keys.names))
        pipe = client.pipeline(transaction=False)
        for lane in lanes:
            pipe.llen(self._keys.lane(lane))
        return dict(zip(lanes, pipe.execute(), strict=True))

    @asking
    def workers(self, client: redis.Redis) -> list[str]:
        """Ids of workers that fetched or settled and were not released since."""
        return [str(name) for name in client.zrange(self._keys.heartbeats, 0, -1)]

    @asking
    def held(self, client: redis.Redis, worker: str) -> list[str]:
        """Jobs that ``worker`` fetched and that are not settled, over all lanes."""
        names = [self._keys.acks(worker, str(lane)) for lane in client.smembers(self._keys.names)]
        return [str(job) for job in client.sunion(names)] if names else []

    @asking
    def repair(self, client: redis.Redis) -> int:
        """Forget messages that nobody will fetch or acknowledge, so that their jobs can be offered again."""
        return repair(client, self._keys)

    @asking
    def ping(self, client: redis.Redis) -> None:
        """See that Redis answers."""
        client.ping()
