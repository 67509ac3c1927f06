"""A gate in Python: what lies in Redis as values, and ``policy/admission.py`` put into effect on them.

The differential test builds one from a random case, does the same to it and to the scripts, and compares every answer
and everything that is left in Redis. Only what decides is policy's; here stands what the scripts keep books of.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import floor

from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.route import Limits
from holdfast.policy.admission import BucketState, GateState, Grant, NotAdmitted, Reason, WindowScan, fetch, share_left
from holdfast.policy.breaker_state import Breaker, HalfOpen, Open
from holdfast.policy.rate_estimate import START_BURST, START_LEVEL, START_PER_MS, UPWARDS
from holdfast.policy.rate_limit import (
    TRUSTED_PAUSE,
    Allowance,
    Level,
    Wait,
    next_rest,
    per_minute,
    refill,
    settle,
    take,
)
from holdfast.policy.targets import Target, limits_by_dimension

ID_CHARACTERS = frozenset("0123456789abcdefABCDEF")
SettledCall = tuple[str, str, int, int, float]  # permit, how it ended, input and output units used, pause in seconds
UNLIMITED_START = Allowance(START_PER_MS, START_BURST)


@dataclass(frozen=True)
class StoredBucket:
    """A bucket's hash. ``told``: units per millisecond that a header named. ``stage``: "" where nothing was learned."""

    allowances: Mapping[Dimension, Allowance] = field(default_factory=dict)
    levels: Mapping[Dimension, Level] = field(default_factory=dict)
    told: Mapping[Dimension, float] = field(default_factory=dict)
    paused_until_ms: float = 0.0
    taken: int = 0
    ask_after: float = 0.0
    stage: str = ""

    def fields(self) -> dict[str, str]:
        written = {"taken": str(self.taken)}
        if self.paused_until_ms:
            written["paused_until"] = repr(self.paused_until_ms)
        if self.ask_after:
            written["ask_after"] = repr(self.ask_after)
        if self.stage:
            written["learn.stage"] = self.stage
        for each, allowed in self.allowances.items():
            written |= {f"{each}.per_ms": repr(allowed.per_ms), f"{each}.capacity": repr(allowed.capacity)}
        for each, level in self.levels.items():
            written |= {f"{each}.level": repr(level.units), f"{each}.at": repr(level.at_ms)}
        return written | {f"{each}.told": repr(per_ms) for each, per_ms in self.told.items()}


def stored_bucket(fields: Mapping[str, str]) -> StoredBucket:
    """Read the hash that a script left."""
    numbers = {name: float(text) for name, text in fields.items() if name != "learn.stage"}

    def of(name: str) -> list[Dimension]:
        return [each for each in Dimension if f"{each}.{name}" in numbers]

    return StoredBucket(
        {each: Allowance(numbers[f"{each}.per_ms"], numbers[f"{each}.capacity"]) for each in of("per_ms")},
        {each: Level(numbers[f"{each}.level"], numbers[f"{each}.at"]) for each in of("level")},
        {each: numbers[f"{each}.told"] for each in of("told")},
        numbers.get("paused_until", 0.0),
        int(numbers.get("taken", 0)),
        numbers.get("ask_after", 0.0),
        fields.get("learn.stage", ""),
    )


@cache
def configured(limits: Limits) -> Mapping[Dimension, Allowance]:
    """Return the allowances that the configuration names."""
    return {each: per_minute(limit) for each, limit in limits_by_dimension(limits).items() if limit is not None}


def at_now(stored: StoredBucket, limits: Mapping[Dimension, Allowance], now: float, *, full: bool) -> BucketState:
    """A bucket as a fetch finds it: refilled at its old rate, then held to the limits that go now.

    A configured limit goes before a stored one, unless a header named a lower one. A level that nobody knows is full
    where ``full`` says so, else 0. Requests without any limit begin as ``rate_estimate`` begins.
    """
    allowances = {**stored.allowances, **limits}
    for each, per_ms in stored.told.items():
        if each in limits and per_ms < limits[each].per_ms:
            allowances[each] = Allowance(per_ms, max(1.0, per_ms * 1000))
    begins = Dimension.REQUESTS not in allowances
    allowances.setdefault(Dimension.REQUESTS, UNLIMITED_START)
    levels = {}
    for each, allowed in allowances.items():
        level = stored.levels.get(each)
        if level is not None and each in stored.allowances:
            level = refill(level, stored.allowances[each], now * 1000)
        most = START_LEVEL if begins and each is Dimension.REQUESTS else allowed.capacity
        units = level.units if level else most if full else 0.0
        levels[each] = Level(min(allowed.capacity, units), now * 1000)
    grows = Dimension.REQUESTS not in limits and stored.stage in {"", *UPWARDS}
    return BucketState(allowances, levels, stored.paused_until_ms / 1000, stored.ask_after, grows)


@dataclass(frozen=True)
class HeldPermit:
    """A permit that is not settled. ``lane`` is "" for a second permit: it acknowledges nothing.

    ``epochs``: those of its target's breakers once its fetch was over, by scope.
    """

    job: str
    lane: str
    worker: str
    grant: Grant
    epochs: Mapping[str, int] = field(default_factory=dict)

    def record(self, breaker_root: str) -> str:
        """The text that the script keeps of it."""
        costs = [format(self.grant.costs[each], ".17g") for each in Dimension]
        probed = [breaker_root + scope for scope in self.grant.target.scopes if scope in self.grant.probed]
        target = self.grant.target
        return "\t".join([self.job, self.lane, target.name, target.bucket, *costs, *(probed or [""])])


@dataclass(frozen=True)
class FetchAnswer:
    """What fetch.lua returns. ``epochs``: by scope; the numbers of targets and probes count from 1."""

    reason: str
    retry_in: float | None
    left: int
    low: int
    epochs: Mapping[str, int] = field(default_factory=dict)
    jobs: Sequence[str] = ()
    targets: Sequence[int] = ()
    probes: Sequence[int] = ()
    needs: Sequence[str] = ()
    left_shares: Sequence[int] = ()


@dataclass
class GateOracle:
    """What the scripts read and write for one lane and one plan.

    ``needs``: of each id in the window the text beside it, and what it means; None: nothing readable. ``index``: keys
    that exist, or existed before they were lost. ``slots``: by route, when the lease of each permit ends.
    """

    name: str
    targets: Sequence[Target]
    epoch: str | None
    lane: list[str]
    needs: dict[str, tuple[str, Need | None]]
    breakers: dict[str, Breaker]
    buckets: dict[str, StoredBucket]
    slots: dict[str, dict[str, float]]
    index: set[str]
    paused: bool = False
    refilling: bool = False
    held: dict[str, HeldPermit] = field(default_factory=dict)
    probing: dict[str, str] = field(default_factory=dict)  # by scope, the permit that probes
    taken_ids: dict[str, set[str]] = field(default_factory=dict)  # by worker
    workers: set[str] = field(default_factory=set)

    @property
    def is_fresh(self) -> bool:
        return self.epoch is not None and self.epoch.startswith("fresh:")

    def fetch(
        self, now: float, worker: str, prefix: str, n: int, look: int, low_mark: int, max_wait: float
    ) -> FetchAnswer:
        """Give up to ``n`` jobs of the window a permit."""
        self.workers.add(worker)
        if self.epoch is None:
            return FetchAnswer(Reason.EPOCH, None, 0, 0)
        if self.paused or not self.lane:
            return self._answer(Reason.PAUSED if self.paused else Reason.EMPTY, None, low_mark)
        looked, garbage = list[str](), list[str]()
        window, state = self._readable(n + look, looked, garbage), self._read(now)
        found = fetch(window, self.targets, state, now, n, look=look, max_wait=max_wait)
        self.lane[: len(looked)] = found.passed
        for id_ in garbage:
            self.needs.pop(id_, None)
        permits = [HeldPermit(id_, self.name, worker, grant) for id_, grant in found.grants]
        self._give(prefix, permits, now)
        retry_in = 0.0 if found.reason is Reason.EMPTY and self.lane else found.retry_in
        return self._answer(found.reason, retry_in, low_mark, now, permits)

    def hedge(self, now: float, worker: str, prefix: str, job: str, need: Need, text: str) -> FetchAnswer:
        """Give a running job a second permit."""
        self.workers.add(worker)
        if self.epoch is None:
            return FetchAnswer(Reason.EPOCH, None, 0, 0)
        if self.paused:
            return self._answer(Reason.PAUSED, None, 0)
        scan = WindowScan([(job, need)], self.targets, self._read(now), now, hedged=True)
        permits = [HeldPermit(id_, "", worker, grant) for id_, grant in scan]
        self._give(prefix, permits, now)
        why = scan.refusal or NotAdmitted(Reason.EMPTY, None)
        reason, retry_in = (None, None) if permits else (why.reason, why.retry_in)
        return replace(self._answer(reason, retry_in, 0, now, permits), needs=[text] * len(permits))

    def settle(self, now: float, worker: str, calls: Sequence[SettledCall]) -> tuple[int, dict[str, int]]:
        """Settle finished calls. Returns how many had a record, and permits ever given by bucket."""
        self.workers.add(worker)
        settled, taken = 0, {}
        for permit, how, *used, pause in calls:
            for slots in self.slots.values():
                slots.pop(permit, None)
            held = self.held.pop(permit, None)
            if held is None:
                continue
            settled += 1
            name = held.grant.target.bucket
            self.buckets[name] = self._charged(self.buckets[name], held.grant, how, used, pause, now)
            taken[name] = self.buckets[name].taken
            if held.lane:
                self._acknowledge(worker, held.job)
        return settled, taken

    def release(self, now: float, worker: str, jobs: Sequence[str] | None = None) -> int:
        """Free what a dead worker holds, or what it holds for ``jobs``; units stay spent."""
        chosen = [p for p, held in self.held.items() if held.worker == worker and (jobs is None or held.job in jobs)]
        for permit in chosen:
            held = self.held.pop(permit)
            self.slots[held.grant.target.name].pop(permit, None)
            for scope in held.grant.probed:
                if self.probing.get(scope) == permit:
                    self._free_probe(scope, now)
        mine = self.taken_ids.get(worker, set())
        for job in [job for job in mine if jobs is None or job in jobs]:
            self._acknowledge(worker, job)
        if jobs is None:
            self.workers.discard(worker)
        return len(chosen)

    def renew(self, now: float, permit: str) -> str:
        """Ask for the units of a permit anew that is too old to have kept any: "" if it may be used, else why not."""
        held = self.held.get(permit)
        if held is None:
            return "gone"
        if permit not in self.slots.get(held.grant.target.name, {}):
            return "slots"
        if any(scope in self.breakers and self.breakers[scope].epoch != epoch for scope, epoch in held.epochs.items()):
            return "breaker"
        if any(self.probing.get(scope) != permit for scope in held.grant.probed):
            return "breaker"
        bucket = self.buckets[held.grant.target.bucket]
        paused = 0.0 if bucket.ask_after else bucket.paused_until_ms  # it rests because this very permit asks
        levels = take(bucket.levels, bucket.allowances, held.grant.costs, now * 1000, paused)
        if isinstance(levels, Wait):
            return "bucket"
        self.buckets[held.grant.target.bucket] = replace(bucket, levels=levels)
        return ""

    def move(self, scope: str, breaker: Breaker) -> None:
        """A breaker became another one."""
        self.breakers[scope] = breaker
        self.probing.pop(scope, None)
        self.index.add(f"breaker:{scope}")

    def _readable(self, most: int, looked: list[str], garbage: list[str]) -> Iterator[tuple[str, Need]]:
        seen = set[str]()
        for id_ in self.lane[:most]:
            looked.append(id_)
            if id_ in seen:
                continue
            _, need = self.needs.get(id_, ("", None))
            if need is None or len(id_) != 32 or not ID_CHARACTERS.issuperset(id_):
                garbage.append(id_)
                continue
            seen.add(id_)
            yield id_, need

    def _read(self, now: float) -> GateState:
        """What guards the targets, as the script reads it. What should be known and is not begins with care."""
        scopes = dict.fromkeys(scope for target in self.targets for scope in target.scopes)
        for target in self.targets:
            slots = self.slots.setdefault(target.name, {})
            self.slots[target.name] = {permit: ends for permit, ends in slots.items() if ends > now}
        state = GateState(
            {scope: self._breaker(scope, now) for scope in scopes},
            {target.bucket: self._bucket(target, now) for target in reversed(self.targets)},
            {route: len(slots) for route, slots in self.slots.items()},
        )
        for name, bucket in state.buckets.items():
            before = self.buckets.get(name) or StoredBucket()
            self.buckets[name] = replace(before, allowances=bucket.allowances, levels=bucket.levels)
            self.index.add(f"bucket:{name}")
        return state

    def _breaker(self, scope: str, now: float) -> Breaker:
        if scope in self.breakers:
            return self.breakers[scope]
        known = self.is_fresh and f"breaker:{scope}" not in self.index
        return Breaker() if known else Breaker(Open(0.0, 1.0), floor(now))

    def _bucket(self, target: Target, now: float) -> BucketState:
        stored = self.buckets.get(target.bucket)
        full = self.is_fresh and (stored is not None or f"bucket:{target.bucket}" not in self.index)
        return at_now(stored or StoredBucket(), configured(target.route.limits), now, full=full)

    def _give(self, prefix: str, permits: Sequence[HeldPermit], now: float) -> None:
        for permit, held in ((f"{prefix}:{i}", held) for i, held in enumerate(permits, 1)):
            grant, name = held.grant, held.grant.target.bucket
            self.slots[grant.target.name][permit] = now + grant.target.lease
            self.index.add(f"slots:{grant.target.name}")
            bucket = self.buckets[name]
            rest = next_rest(bucket.ask_after) if bucket.ask_after else 0.0
            until = (now + rest) * 1000 if rest else bucket.paused_until_ms
            after = replace(bucket, levels=grant.levels, taken=bucket.taken + 1)
            self.buckets[name] = replace(after, paused_until_ms=until, ask_after=rest)
            for scope, breaker in grant.probed.items():
                self.breakers[scope], self.probing[scope] = breaker, permit
                self.index.add(f"breaker:{scope}")
            if held.lane:
                self.taken_ids.setdefault(held.worker, set()).add(held.job)
            epochs = {scope: self._breaker(scope, now).epoch for scope in grant.target.scopes}
            self.held[permit] = replace(held, epochs=epochs)

    def _answer(
        self,
        reason: Reason | None,
        retry_in: float | None,
        low_mark: int,
        now: float | None = None,
        given: Sequence[HeldPermit] = (),
    ) -> FetchAnswer:
        low = len(self.lane) < low_mark and not self.refilling
        self.refilling = self.refilling or low
        scopes = () if now is None else dict.fromkeys(scope for target in self.targets for scope in target.scopes)
        return FetchAnswer(
            reason or "",
            retry_in,
            len(self.lane),
            int(low),
            {scope: self._breaker(scope, now or 0).epoch for scope in scopes},
            [held.job for held in given],
            [self.targets.index(held.grant.target) + 1 for held in given],
            [i for i, held in enumerate(given, 1) if held.grant.probed],
            [self.needs[held.job][0] for held in given if held.lane],
            [floor(self._share_left(held.grant) * 100) for held in given],
        )

    def _share_left(self, grant: Grant) -> float:
        return share_left(grant.levels, self.buckets[grant.target.bucket].allowances)

    def _charged(
        self, bucket: StoredBucket, grant: Grant, how: str, used: Sequence[int], pause: float, now: float
    ) -> StoredBucket:
        reserved, spent = grant.costs, dict(grant.costs)
        if how != "keep":
            spent |= dict(
                zip((Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS), used if how == "real" else (0, 0), strict=True)
            )
        if how == "drop":
            spent[Dimension.REQUESTS] = 0.0
            bucket = replace(bucket, taken=bucket.taken - 1)
        levels = {
            each: settle(level, bucket.allowances[each], reserved[each], spent[each], now * 1000)
            for each, level in bucket.levels.items()
        }
        if pause < 0 and bucket.ask_after:
            return replace(bucket, levels=levels, paused_until_ms=0.0, ask_after=0.0)
        asks = (bucket.ask_after or next_rest(0.0)) if pause > TRUSTED_PAUSE else bucket.ask_after
        seconds = asks if pause > TRUSTED_PAUSE else pause
        rest = now * 1000 + seconds * 1000 if pause > 0 else 0.0
        return replace(bucket, levels=levels, paused_until_ms=max(bucket.paused_until_ms, rest), ask_after=asks)

    def _acknowledge(self, worker: str, job: str) -> None:
        self.taken_ids.get(worker, set()).discard(job)
        self.needs.pop(job, None)

    def _free_probe(self, scope: str, now: float) -> None:
        breaker = self.breakers[scope]
        if isinstance(breaker.state, Open | HalfOpen):
            self.breakers[scope] = replace(breaker, state=replace(breaker.state, until=now))
