"""The gate: no permit, no call. Asyncio; one for each event loop of a worker."""

import asyncio
import os
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import redis.asyncio

from holdfast.lanes.breaker_store import NO_CALLS, BreakerStore, add_signals
from holdfast.lanes.compiled_plan import CompiledPlans
from holdfast.lanes.connection import Connection
from holdfast.lanes.evidence import ask_evidence, comparison_of, evidence_arguments, target_of
from holdfast.lanes.fetch_script import fetch_arguments, fetch_keys, read_fetched
from holdfast.lanes.finishing import (
    attempt_arguments,
    drop_arguments,
    refused_below_limit,
    requeue_arguments,
    rest_after,
)
from holdfast.lanes.lanes import Lanes, offer_calls
from holdfast.lanes.limit_learner import LimitLearner
from holdfast.lanes.local_breakers import LocalBreakers
from holdfast.lanes.permit_renewal import PermitRenewal, renew_arguments
from holdfast.lanes.refused_buckets import RefusedBuckets
from holdfast.lanes.route_health import health_of, read_health
from holdfast.lanes.script_client import ScriptClient
from holdfast.lanes.values import WINDOW, BacklogPart, FetchStatus
from holdfast.lanes.wake_listener import WakeListener
from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Offer, Permit, Priority
from holdfast.model.route import Plan
from holdfast.policy.admission import Reason, max_wait
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker_rules import RulesOf, default_rules
from holdfast.policy.comparison import Comparison
from holdfast.policy.health import Health
from holdfast.policy.outcome_signals import is_connectivity_fault, job_at_stake, signals
from holdfast.policy.signals import Observation, ScopeKind, Signal
from holdfast.policy.targets import Target
from holdfast.telemetry.event_logger import event_logger
from holdfast.testing import PRODUCTION, Clock

T = TypeVar("T")
log = event_logger(__name__)

MOST = 1_000  # permits a fetch
SHOWN = 5  # refused jobs that the log names
HEALTH_SECONDS = 0.05  # how old an answer of ``health`` may be
UNREACHED = 0.25  # seconds between looks whether a provider that this host cannot reach may be tried again


class Gate:
    """Gives permits and takes them back. Every method raises QueueUnavailable when Redis does not answer.

    ``lanes`` is the synchronous side of the same Redis, ``wake`` listens for hints of new work, ``renewal`` has the
    last word before a call leaves, and ``local_breakers`` keeps this host from what it alone cannot reach.

    ``window`` is the size to which lanes are filled: a fetch that leaves less than a quarter of it says ``low``.
    ``rules`` tells by which rules a breaker goes, by scope name. ``clock``: a drill's, or a test's,
    stands in for Redis's.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        window: int = WINDOW,
        rules: RulesOf = default_rules,
        uniform: Uniform = random.uniform,
        clock: Clock = PRODUCTION.clock,
    ) -> None:
        self._connection, self._keys, self.lanes = connection, connection.keys, Lanes(connection)
        self._window, self._uniform, self._clock = window, uniform, clock
        self._scripts = ScriptClient(connection, clock)
        self._plans = CompiledPlans(self._keys, rules)
        self._breakers = BreakerStore(self._scripts, rules, uniform)
        self._limits = LimitLearner(self._scripts, self._plans)
        self.local_breakers = LocalBreakers(uniform)
        self.wake = WakeListener(self._scripts.client, self._keys.wake)
        self._refused = RefusedBuckets(self._rest, clock.unhurried)
        self.renewal = PermitRenewal(self._renew, clock.unhurried, self._is_limited, self._is_refused)
        self._nonce, self._fetches = os.urandom(5).hex(), 0  # together unique in the fleet
        self._unanswered: dict[str, str] = {}  # fetches whose answer did not come, and their workers
        self._slow: set[str] = set()  # permits whose signal was said while their call ran
        self._health: dict[str, tuple[float, asyncio.Task[Health]]] = {}  # by model: when it was asked for, and by what
        self._replied: dict[str, float | None] = {}  # by target, as ``comparison`` last read it

    async def fetch(self, lane: str, n: int, worker: str, plan: Plan) -> tuple[list[Permit], FetchStatus]:
        """Take up to ``n`` >= 1 jobs of ``lane`` for ``worker``, each with a permit for a route of ``plan``."""
        if self._unanswered:
            await self._forget_unanswered()
        self.wake.clear(lane)
        plan, n = self.local_breakers.narrow(plan, n, self.now())
        if not plan.routes:
            return [], FetchStatus(Reason.BREAKER, UNREACHED)
        asked_at = self.now()
        permits, status, needs = await self._fetch(lane, n, worker, plan)
        if forged := self._forged(permits, needs):
            permits = [permit for permit in permits if permit.id not in {each.id for each in forged}]
            await self._refuse(lane, forged)
        self.local_breakers.lend(permits, self.now())
        for probe in (permit for permit in permits if permit.probe):
            at, asked = round(self.now(), 3), round(asked_at, 3)  # it was lent in between
            log.info("probe_sent", route=probe.route, job=probe.job, at=at, asked=asked)
        with suppress(QueueUnavailable):  # the permits are good; the next ones grow
            await self._limits.grow(permits)
        return permits, status

    async def hedge(self, job: Offer, worker: str, plan: Plan) -> Permit | None:
        """Get a second permit for a job that ``worker`` runs, on a route that ``job.need`` need not avoid.

        It takes what every permit takes, but it is never a probe, and its end acknowledges nothing. None: no route
        has room for it now.
        """
        plan, _ = self.local_breakers.narrow(plan, 1, self.now())
        if not plan.routes:
            return None
        permits, _, _ = await self._fetch(job.lane, 1, worker, plan, held=job)
        return permits[0] if permits else None

    async def finish(self, attempts: Sequence[Attempt]) -> None:
        """Give back what ended calls took, charge what they used, acknowledge, and tell the breakers.

        A job whose step is a reroute goes back to the front of its lane in the same script. A permit that comes twice
        is given back once.
        """
        for worker, own in _by_worker(attempts, lambda attempt: attempt.permit.worker):
            await self._finish(worker, own)

    async def drop(self, permits: Sequence[Permit]) -> None:
        """Hand permits back whose calls were never made: all their units return, and their messages are acked."""
        for worker, own in _by_worker(permits, lambda permit: permit.worker):
            await self._drop(worker, own)

    def record_refusal(self, attempt: Attempt) -> None:
        """Let the bucket of a call that was refused rest at once, before SQL and ``finish`` hear of its end.

        Permits for the bucket whose calls have not left are held back: see ``renewal``. A call of a job whose last call
        failed, too, is heard with ``finish``: what it meets may be its own doing, and would hold others back each time.
        """
        target, seconds = self._plans.target(attempt.permit), rest_after(attempt, self._uniform)
        if target is not None and seconds > 0 and attempt.job.fault is None:
            self._refused.record(target.bucket, attempt.permit.asked_at, seconds)

    async def report_slow(self, permit: Permit) -> None:
        """Tell the route's breaker that a call still in flight is older than its slow threshold. Once per permit."""
        if permit.id in self._slow:
            return
        self._slow.add(permit.id)
        route = f"{ScopeKind.ROUTE}:{permit.route}"
        slow = Observation(self.now(), permit.epochs[route], Signal.SLOW, self.local_breakers.host, job=permit.job)
        observations = {route: [slow]}
        await self._breakers.settle(permit.worker, NO_CALLS, observations)

    async def offer(
        self, offers: Sequence[Offer], *, window: int | None = None, backlog: BacklogPart = BacklogPart.UNKNOWN
    ) -> int:
        """Put jobs into their lanes, each at most once and in order; see Lanes.offer."""
        calls = offer_calls(offers, self._connection, window or self._window, backlog)
        return sum([int(await self._scripts.run("offer", names, arguments)) for names, arguments in calls])

    async def release(self, worker: str) -> int:
        """Free what a dead worker holds: slots, probes, messages. SQL offers its jobs again; its units stay spent."""
        return await self._release(worker, "all")

    async def forget(self, worker: str, jobs: Sequence[str]) -> int:
        """Free what ``worker`` holds for ``jobs``, as ``release`` does for all it holds."""
        return await self._release(worker, "jobs", *jobs)

    async def has_begun(self) -> bool:
        """Whether somebody has begun: without that a fetch gives nothing but the reason ``epoch``."""
        return bool(await self._scripts.ask(lambda client: client.exists(self._keys.epoch)))

    async def begin(self, *, fresh: bool) -> None:
        """Answer to reason ``epoch``. ``fresh``: nothing ran before, so buckets start full and breakers closed.

        Otherwise Redis was lost: buckets start empty, and every route is probed first. The first caller decides.
        """
        name = f"{'fresh' if fresh else 'lost'}:{os.urandom(8).hex()}"
        await self._scripts.ask(lambda client: client.set(self._keys.epoch, name, nx=True))

    async def health(self, plan: Plan, *, since: float = 0.0) -> Health:
        """Which routes of ``plan`` admit nothing now.

        ``since``: seconds on the gate's clock; the answer is at least as young. What opened the way for a call is known
        to whoever judges that call, however short it was.
        """
        known, asked = self._health.get(plan.model), self.now()
        if known is None or not max(since, asked - HEALTH_SECONDS) <= known[0] <= asked:  # the clock may be set back
            known = self._health[plan.model] = asked, asyncio.create_task(self._read_health(plan))
        found = await asyncio.shield(known[1])  # those who ask meanwhile wait for the same answer
        shut = self.local_breakers.shut(self.now())
        unreached = {route.name for route in plan.routes if route.provider in shut}
        return replace(found, open_routes=found.open_routes | unreached) if unreached else found

    async def comparison(self, attempt: Attempt) -> Comparison:
        """Hold a failed call against what the calls of other jobs came to, on its route with its credential."""

        async def ask(client: redis.asyncio.Redis) -> list[Any]:
            pipe = client.pipeline(transaction=False)
            ask_evidence(pipe, self._keys, attempt)
            return list(await pipe.execute())

        found = comparison_of(attempt, await self._scripts.ask(ask), self.now())
        self._replied[target_of(attempt.permit)] = found.reply_sent
        return found

    async def check_writes(self) -> tuple[str | None, str | None]:
        """Write something, to see that Redis takes it.

        Returns the epoch and the server's run id: when one changed, Redis forgot.
        """

        async def ask(client: redis.asyncio.Redis) -> tuple[str | None, str | None]:
            await client.set(self._keys.alive, "1")
            epoch, server = await client.mget(self._keys.epoch, self._keys.server)
            return None if epoch is None else str(epoch), None if server is None else str(server)

        return await self._scripts.ask(ask)

    def now(self) -> float:
        """Return Redis's time in seconds, as near as the last answer tells; in a drill, the drill's."""
        return self._scripts.now()

    async def close(self) -> None:
        await self.wake.close()
        await self._scripts.close()

    async def _fetch(
        self, lane: str, n: int, worker: str, plan: Plan, held: Offer | None = None
    ) -> tuple[list[Permit], FetchStatus, list[str]]:
        """Run fetch.lua: what it gave, and the needs of the jobs as they stand in Redis."""
        self._fetches += 1
        prefix, compiled = f"{worker}/{self._nonce}.{self._fetches}", self._plans.of(plan)
        asked_at = self.renewal.clock()
        waits = max_wait(interactive=lane.endswith(f".{Priority.INTERACTIVE}")) if held is None else 0.0
        arguments = fetch_arguments(
            compiled, lane, prefix, min(n, MOST), held=held, low=self._window // 4, max_wait=waits
        )
        try:
            raw = await self._scripts.run_timed("fetch", fetch_keys(self._keys, compiled, lane, worker), arguments)
            self._scripts.saw_time(raw[4])
            permits, status = read_fetched(raw, compiled, lane, prefix, asked_at=asked_at, is_known=self._is_known)
        except BaseException:
            self._unanswered[prefix] = worker  # it may have given permits: the next fetch forgets them
            raise
        return permits, status, raw[9]

    async def _read_health(self, plan: Plan) -> Health:
        compiled = self._plans.of(plan)
        rows = await self._scripts.ask(lambda client: read_health(client, self._keys, compiled))
        return health_of(compiled, rows, self.now())

    def _is_known(self, target: Target) -> bool:
        """Whether somebody told the limit of the target's bucket: the settings, or a header."""
        return not target.learns or self._limits.was_told(target.bucket)

    def _is_limited(self, permit: Permit) -> bool:
        """Whether anybody knows the request limit of a permit's bucket: the settings, a header, or a refusal."""
        target = self._plans.target(permit)
        return target is None or not target.learns or not self._limits.grows(target.bucket)

    def _is_refused(self, permit: Permit) -> bool:
        """Whether a call of a permit's bucket was refused since the permit was asked for."""
        target = self._plans.target(permit)
        return target is not None and self._refused.hold(target.bucket, permit.asked_at)

    async def _rest(self, bucket: str, seconds: float) -> None:
        await self._scripts.run_timed("rest", [self._keys.bucket(bucket)], [repr(seconds)])

    def _forged(self, permits: Sequence[Permit], needs: Sequence[str]) -> list[Permit]:
        """Permits for messages that nobody with our key wrote."""
        signer = self._connection.signer
        if signer is None:
            return []
        pairs = zip(permits, needs, strict=True)
        return [permit for permit, need in pairs if not signer.verifies(permit.lane, permit.job, need)]

    async def _refuse(self, lane: str, forged: Sequence[Permit]) -> None:
        """Drop forged messages and count them. A job that is ours all the same is offered again from SQL."""
        log.warning(
            "messages_refused",
            lane=lane,
            count=len(forged),
            jobs=[permit.job for permit in forged[:SHOWN]],
            why="their signatures do not verify: somebody else writes to this Redis, or HOLDFAST_MESSAGE_KEY differs",
        )
        with suppress(QueueUnavailable):  # then they are strays, and dropped as such
            await self._scripts.ask(lambda client: client.incrby(self._keys.refused, len(forged)))
            await self.drop(forged)

    async def _finish(self, worker: str, attempts: Sequence[Attempt]) -> None:
        now, ended = self.now(), [attempt for attempt in attempts if not attempt.released]
        rests = [rest_after(attempt, self._uniform) for attempt in ended]
        observations: dict[str, list[Observation]] = {}
        arguments: list[Any] = [len(ended)]
        for attempt, rest in zip(ended, rests, strict=True):
            target, late = self._plans.target(attempt.permit), self.renewal.late(attempt.permit)
            arguments += attempt_arguments(attempt, rest, target, late=late)
            self._observe(observations, attempt, now)
        arguments += requeue_arguments(attempts, now, self._connection.signer)
        taken = await self._breakers.settle(worker, arguments, observations, evidence_arguments(ended, now))
        self._slow.difference_update(attempt.permit.id for attempt in ended)
        telling = [(each, max(0.0, rest)) for each, rest in zip(ended, rests, strict=True) if not each.is_own]
        await self._limits.learn(telling, taken)

    async def _drop(self, worker: str, permits: Sequence[Permit]) -> None:
        now, arguments = self.now(), list[Any]([len(permits)])
        observations: dict[str, list[Observation]] = {}
        for permit in permits:
            arguments += drop_arguments(permit, late=self.renewal.late(permit))
            self.local_breakers.record_permit(permit, None, now)
            add_signals(observations, permit, signals(None), now, job=permit.job)  # a probe's place comes free
        await self._breakers.settle(worker, [*arguments, 0], observations)
        self._slow.difference_update(permit.id for permit in permits)

    def _observe(self, observations: dict[str, list[Observation]], attempt: Attempt, now: float) -> None:
        """Add what a call says to its breakers. One that was reported as slow has said it already."""
        permit, outcome = attempt.permit, attempt.outcome
        below, heard = refused_below_limit(attempt), None if permit.id in self._slow else outcome
        said = signals(heard, below_limit=below, own=attempt.is_own)
        reporter = self.local_breakers.host if is_connectivity_fault(outcome) else ""
        replied = self._replied.get(target_of(permit))
        self.local_breakers.record_permit(permit, outcome, now)
        job = job_at_stake(permit.job, outcome)
        add_signals(
            observations, permit, said, now, job=job, reporter=reporter, seconds=attempt.seconds, replied=replied
        )

    async def _forget_unanswered(self) -> None:
        """Free what fetches gave whose answer never came: nobody knows those permits, so nobody would settle them."""
        for prefix, worker in list(self._unanswered.items()):
            await self._release(worker, "fetch", prefix)
            self._unanswered.pop(prefix, None)

    async def _renew(self, permits: Sequence[Permit]) -> Sequence[str]:
        """Ask for the units of late permits anew; in order, "" for each that may be used, else why not."""
        answers: dict[str, str] = {}
        for worker in {permit.worker for permit in permits}:
            own = [permit for permit in permits if permit.worker == worker]
            said = await self._scripts.run_for(
                worker, "renew", renew_arguments(own, self.renewal.clock(), self._is_limited)
            )
            answers |= {permit.id: why for permit, why in zip(own, said, strict=True)}
        return [answers[permit.id] for permit in permits]

    async def _release(self, worker: str, which: str, *names: str) -> int:
        return int(await self._scripts.run_for(worker, "release", [worker, which, *names]))


def _by_worker(items: Iterable[T], worker: Callable[[T], str]) -> Iterable[tuple[str, list[T]]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(worker(item), []).append(item)
    return groups.items()
