"""The gate: no permit, no call. Asyncio; one for each event loop of a worker."""

import asyncio
import os
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis

from holdfast.lanes.connection import Connection
from holdfast.lanes.entry import write_message, write_need
from holdfast.lanes.hearing import Hearing, RulesOf, add_verdicts, default_rules
from holdfast.lanes.lanes import by_lane, in_groups, offer_arguments
from holdfast.lanes.scripts import source
from holdfast.lanes.targets import CompiledPlan, Target
from holdfast.lanes.values import WINDOW, Fetched, Reason, Settled
from holdfast.model.fault import Fault
from holdfast.model.job import Offer, Permit
from holdfast.model.reply import Reply
from holdfast.model.route import Plan
from holdfast.policy.backoff import Uniform
from holdfast.policy.report import pause, verdicts
from holdfast.policy.step import Health
from holdfast.policy.verdict import Heard, Verdict, scope_kind

LOOK = 64  # jobs that may be passed over in one fetch
CONFLICTS = 20  # times that another process may move a breaker while we try to
HEALTH_SECONDS = 0.05


class Gate:
    """Gives permits and takes them back. Every method raises QueueUnavailable when Redis does not answer.

    ``window`` is the size to which lanes are filled: a fetch that leaves less than a quarter of it says ``low``.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        window: int = WINDOW,
        rules: RulesOf = default_rules,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._connection, self._keys = connection, connection.keys
        self._window, self._uniform = window, uniform
        self._hearing = Hearing(rules, uniform)
        self._redis: redis.asyncio.Redis | None = None
        self._plans: dict[str, CompiledPlan] = {}
        self._targets: dict[tuple[str, str], Target] = {}
        self._nonce, self._fetches = os.urandom(5).hex(), 0  # together unique in the fleet
        self._unanswered: dict[str, str] = {}
        self._slow: set[str] = set()
        self._ahead = time.time() - time.monotonic()
        self._health: dict[str, tuple[float, Health]] = {}

    async def fetch(self, lane: str, n: int, worker: str, plan: Plan) -> Fetched:
        """Take up to ``n`` (1 to 1,000) jobs of ``lane`` for ``worker``, each with a permit for a route of ``plan``."""
        if self._unanswered:
            await self._forget_unanswered()
        compiled = self._compile(plan)
        self._fetches += 1
        prefix = f"{worker}/{self._nonce}.{self._fetches}"
        self._unanswered[prefix] = worker
        arguments = ["", lane, worker, n, LOOK, prefix, self._window // 4, *compiled.arguments]
        raw = await self._run("fetch", self._fetch_keys(lane, worker, compiled), arguments)
        del self._unanswered[prefix]
        return self._read_fetched(raw, lane, prefix, compiled)

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Give back what finished calls took, charge what they used, acknowledge, and tell the breakers."""
        by_worker: dict[str, list[Settled]] = {}
        for call in settled:
            by_worker.setdefault(_worker_of(call.permit), []).append(call)
        for worker, calls in by_worker.items():
            await self._settle_calls(worker, calls)

    async def _settle_calls(self, worker: str, settled: list[Settled]) -> None:
        heard: dict[str, list[Heard]] = {}
        arguments: list[Any] = [len(settled)]
        for call in settled:
            arguments += self._call_arguments(call)
            add_verdicts(heard, call.permit, self._verdicts(call), self.now())
        arguments += _requeue_arguments([call.requeue for call in settled if call.requeue is not None])
        await self._settle(worker, arguments, heard)

    async def drop(self, permits: Sequence[Permit]) -> None:
        """Hand permits back whose calls were never made: all their units return, and their messages are acked."""
        await self.settle([Settled(permit, None) for permit in permits])

    async def report_slow(self, permit: Permit) -> None:
        """Tell the route's breaker that a call still in flight is older than its slow threshold. Once per permit."""
        if permit.id in self._slow:
            return
        self._slow.add(permit.id)
        route = next(scope for scope in permit.epochs if scope.startswith("route:"))
        heard = {route: [Heard(self.now(), permit.epochs[route], Verdict.SLOW)]}
        await self._settle(_worker_of(permit), [0, 0], heard)

    async def offer(self, offers: Sequence[Offer], *, front: bool = False, window: int | None = None) -> int:
        """Put jobs into their lanes, each at most once; see Lanes.offer."""
        keys, added = self._keys, 0
        for lane, group in by_lane(offers).items():
            names = [keys.lane(lane), keys.messages(lane), keys.need(lane), keys.names, keys.refill(lane)]
            for part in in_groups(group, front=front):
                arguments = offer_arguments(part, lane, keys.wake, front=front, window=window or self._window)
                added += int(await self._run("offer", names, arguments))
        return added

    async def release(self, worker: str) -> int:
        """Free what a dead worker holds: slots, probes, messages. SQL offers its jobs again; its units stay spent."""
        return await self._release(worker, "")

    async def begin(self, *, fresh: bool) -> None:
        """Answer to reason ``epoch``. ``fresh``: nothing ran before, so buckets start full and breakers closed.

        Otherwise Redis was lost: buckets start empty, and every route is probed first. The first caller decides.
        """
        name = f"{'fresh' if fresh else 'lost'}:{os.urandom(8).hex()}"
        await self._ask(lambda client: client.set(self._keys.epoch, name, nx=True))

    async def health(self, plan: Plan) -> Health:
        """Which routes of ``plan`` admit nothing now. At most 50 ms old."""
        known = self._health.get(plan.model)
        if known is None or time.monotonic() - known[0] > HEALTH_SECONDS:
            known = (time.monotonic(), await self._read_health(plan))
            self._health[plan.model] = known
        return known[1]

    def now(self) -> float:
        """Redis's clock, as near as the last answer tells."""
        return time.monotonic() + self._ahead

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    def _compile(self, plan: Plan) -> CompiledPlan:
        compiled = self._plans.get(plan.model)
        if compiled is None or (compiled.plan is not plan and compiled.plan != plan):
            compiled = self._plans[plan.model] = CompiledPlan(plan, self._keys)
            for target in compiled.targets:
                self._targets[target.route.name, target.credential] = target
        return compiled

    def _fetch_keys(self, lane: str, worker: str, compiled: CompiledPlan) -> list[str]:
        keys = self._keys
        return [
            keys.epoch,
            keys.lane(lane),
            keys.messages(lane),
            keys.need(lane),
            keys.acks(worker, lane),
            keys.permits(worker),
            keys.heartbeats,
            keys.paused,
            keys.index,
            keys.refill(lane),
            *compiled.keys,
        ]

    def _read_fetched(self, raw: list[Any], lane: str, prefix: str, compiled: CompiledPlan) -> Fetched:
        reason, retry_in, left, low, now, epochs, jobs, numbers, probe = raw
        self._ahead = float(now) - time.monotonic()
        by_scope = dict(zip(compiled.scopes, map(int, epochs), strict=False))
        held = [{scope: by_scope[scope] for scope in target.scopes} for target in compiled.targets] if jobs else []
        permits = [
            Permit(
                id=f"{prefix}:{i}",
                job=job,
                lane=lane,
                route=compiled.targets[number - 1].route.name,
                credential=compiled.targets[number - 1].credential,
                epochs=held[number - 1],
                probe=i == probe,
            )
            for i, (job, number) in enumerate(zip(jobs, numbers, strict=True), start=1)
        ]
        return Fetched(
            permits, Reason(reason) if reason else None, float(retry_in) if retry_in else None, left, bool(low)
        )

    def _call_arguments(self, call: Settled) -> list[Any]:
        match call.answer:
            case None:
                return [call.permit.id, "drop", 0, 0, 0]
            case Reply() as reply:
                usage = call.usage or reply.usage
                target = self._targets.get((call.permit.route, call.permit.credential))
                if usage.estimated or target is None:
                    return [call.permit.id, "keep", 0, 0, 0]
                return [call.permit.id, "real", *target.real_cost(usage), 0]
            case Fault() as fault:
                rest = pause(fault, self._uniform) or 0.0
                return [call.permit.id, "keep" if fault.ambiguous else "back", 0, 0, rest]

    def _verdicts(self, call: Settled) -> Mapping[Any, Verdict]:
        if call.permit.id in self._slow:  # its outcome was said while it ran
            self._slow.discard(call.permit.id)
            return verdicts(None)
        return verdicts(call.answer)

    async def _settle(self, worker: str, arguments: list[Any], heard: Mapping[str, Sequence[Heard]]) -> None:
        """Run settle.lua, and again for breakers that somebody else moved meanwhile."""
        for _ in range(CONFLICTS):
            moves = self._hearing.fold(heard)
            told: list[Any] = [len(moves)]
            for move in moves:
                told += move.arguments()
            names = [self._keys.root, self._keys.permits(worker)]
            now, _settled, conflicts = await self._run("settle", names, ["", worker, *arguments, *told])
            self._ahead = float(now) - time.monotonic()
            lost = {scope for scope, _, _ in conflicts}
            self._hearing.moved(move for move in moves if move.scope not in lost)
            for scope, version, fields in conflicts:
                self._hearing.corrected(scope, version, fields)
            if not lost:
                return
            heard = {scope: heard[scope] for scope in lost}
            arguments = [0, 0]

    async def _read_health(self, plan: Plan) -> Health:
        compiled = self._compile(plan)
        pipe_reads = [(self._keys.breaker(scope), ("state", "until")) for scope in compiled.scopes]
        pipe_reads += [(self._keys.bucket(name), ("paused_until", "taken")) for name in compiled.buckets]

        def read(client: "redis.asyncio.Redis") -> Any:
            pipe = client.pipeline(transaction=False)
            for key, fields in pipe_reads:
                pipe.hmget(key, fields)
            return pipe.execute()

        rows = await self._ask(read)
        now = self.now()
        refusing = {s for s, row in zip(compiled.scopes, rows, strict=False) if _refuses(row[0], row[1], now)}
        paused = {
            name
            for name, row in zip(compiled.buckets, rows[len(compiled.scopes) :], strict=True)
            if float(row[0] or 0) > now * 1000
        }
        admitting = {
            target.route.name
            for target in compiled.targets
            if not refusing.intersection(target.scopes) and target.bucket not in paused
        }
        return Health(frozenset(route.name for route in plan.routes if route.name not in admitting))

    async def _forget_unanswered(self) -> None:
        """Fetches whose answer never came may have given permits: nobody knows them, so nobody would settle them."""
        for prefix, worker in list(self._unanswered.items()):
            await self._release(worker, prefix)
            self._unanswered.pop(prefix, None)

    async def _release(self, worker: str, prefix: str) -> int:
        names = [self._keys.root, self._keys.permits(worker)]
        return int(await self._run("release", names, ["", worker, prefix]))

    async def _run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        return await self._ask(lambda client: client.register_script(source(name))(keys, arguments))

    async def _ask(self, question: Any) -> Any:
        try:
            if self._redis is None:
                await self._connection.ready()
                self._redis = self._connection.asynchronous()
            return await question(self._redis)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if await self._connection.revive_soon():
                await self.close()
            raise self._connection.unavailable(error) from error
        except redis.RedisError as error:
            raise self._connection.unavailable(error) from error


def _requeue_arguments(offers: Iterable[Offer]) -> list[Any]:
    offers = list(offers)
    arguments: list[Any] = [len(offers)]
    for offer in offers:
        arguments += [offer.lane, offer.id, write_message(offer), write_need(offer.need)]
    return arguments


def _refuses(state: str | None, until: str | None, now: float) -> bool:
    match state:
        case None | "closed" | "disabled":
            return False
        case "open":
            return now < float(until or 0)
        case "half_open":
            return now < float(until or 0)
        case _:
            return True


def _worker_of(permit: Permit) -> str:
    return permit.id.partition("/")[0]
