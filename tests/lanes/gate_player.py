"""Plays a random case on a server and on the oracle: one pipeline of commands, and what each of them must answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import singledispatchmethod
from math import isclose
from typing import Any

from holdfast.lanes.compiled_plan import CompiledPlan
from holdfast.lanes.entry import write_need
from holdfast.lanes.fetch_script import fetch_arguments, fetch_keys
from holdfast.lanes.keys import Keys
from holdfast.model.job import Offer
from holdfast.policy.admission import BucketState
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.rate_limit import OLD
from holdfast.policy.targets import Target
from lanes.gate_cases import Case, Fetch, Hedge, Move, Pass, Pause, Release, Renew, Settle, Step
from lanes.gate_oracle import FetchAnswer, StoredBucket, at_now, configured, stored_bucket
from lanes_twin import LANE, START

WORKERS = ("w1", "w2")
SCRIPTS = ("fetch", "settle", "release", "renew")
UNKNOWN = "w9/0:1"  # a permit that nobody holds


@dataclass(frozen=True)
class Expected:
    """What one command answers, once ``read`` took it apart. ``about`` says which one it is."""

    about: str
    read: Callable[[Any], Any]
    answer: Any


@dataclass
class Player:
    """One case in a namespace of its own. ``commands`` go to the server in one pipeline, ``expected`` beside them."""

    case: Case
    shas: Mapping[str, str]
    commands: list[Sequence[Any]] = field(default_factory=list)
    expected: list[Expected | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = Keys(f"case{self.case.seed}")
        self.compiled = CompiledPlan(self.case.plan, self.keys)
        self.oracle, self.now, self.fetches = self.case.build(), START, 0
        self._write()
        for step in self.case.steps:
            self._play(step)
        self._read()

    def differences(self, answers: Iterable[Any]) -> list[str]:
        """Return what the server did otherwise than the oracle, in order."""
        pairs = zip(answers, self.expected, strict=True)
        seen = [(told, told.read(answer)) for answer, told in pairs if told is not None]
        wrong = [(told, answer) for told, answer in seen if not same(answer, told.answer)]
        return [f"{told.about}: Redis {answer}, policy {told.answer}" for told, answer in wrong]

    def _send(self, *command: Any) -> None:
        self.commands.append(command)
        self.expected.append(None)

    def _expect(self, about: str, read: Callable[[Any], Any], answer: Any, *command: Any) -> None:
        self.commands.append(command)
        self.expected.append(Expected(about, read, answer))

    def _run(
        self, step: Step, name: str, keys: list[str], arguments: list[Any], read: Callable[[Any], Any], answer: Any
    ) -> None:
        command = ("EVALSHA", self.shas[name], len(keys), *keys, repr(self.now), *arguments)
        self._expect(f"case {self.case.seed}, {step}", read, answer, *command)

    def _write(self) -> None:
        """Put the oracle's state into Redis."""
        gate, keys = self.oracle, self.keys
        self._write_lane()
        for scope, breaker in gate.breakers.items():
            self._send("HSET", keys.breaker(scope), "version", 1, *_flat(dump(breaker)))
        for name, bucket in gate.buckets.items():
            self._send("HSET", keys.bucket(name), *_flat(bucket.fields()))
        for route, slots in gate.slots.items():
            for permit, ends in slots.items():
                self._send("ZADD", keys.slots(route), repr(ends), permit)
        for name in gate.index:
            self._send("SADD", keys.index, keys.root + name)

    def _write_lane(self) -> None:
        gate, keys = self.oracle, self.keys
        if gate.epoch:
            self._send("SET", keys.epoch, gate.epoch)
        if gate.lane:
            self._send("RPUSH", keys.lane(LANE), *gate.lane)
        for id_, (text, _) in gate.needs.items():
            self._send("HSET", keys.need(LANE), id_, text)
            self._send("HSET", keys.messages(LANE), id_, "message")
        if gate.refilling:
            self._send("SET", keys.refill(LANE), "w9", "PX", 60_000)
        if gate.paused:
            self._send("SADD", keys.paused, LANE)

    @singledispatchmethod
    def _play(self, step: Step) -> None:
        raise NotImplementedError(step)

    @_play.register
    def _(self, step: Pass) -> None:
        self.now += step.seconds

    @_play.register
    def _(self, step: Pause) -> None:
        self.oracle.paused = step.paused
        self._send("SADD" if step.paused else "SREM", self.keys.paused, LANE)

    @_play.register
    def _(self, step: Move) -> None:
        scope = self.compiled.scopes[step.which % len(self.compiled.scopes)]
        self.oracle.move(scope, step.breaker)
        self._send("DEL", self.keys.breaker(scope))
        self._send("HSET", self.keys.breaker(scope), "version", 1, *_flat(dump(step.breaker)))
        self._send("SADD", self.keys.index, self.keys.breaker(scope))

    @_play.register
    def _(self, step: Fetch) -> None:
        prefix = self._prefix(step.worker)
        answer = self.oracle.fetch(self.now, step.worker, prefix, step.n, step.look, step.low_mark, step.max_wait)
        arguments = fetch_arguments(
            self.compiled, LANE, prefix, step.n, low=step.low_mark, look=step.look, max_wait=step.max_wait
        )
        self._fetch(step, step.worker, arguments, answer)

    @_play.register
    def _(self, step: Hedge) -> None:
        running = [held for held in self.oracle.held.values() if held.lane and held.job in self.oracle.needs]
        if not running:
            return
        held = running[step.which % len(running)]
        _, need = self.oracle.needs[held.job]
        assert need is not None, "a job whose need cannot be read gets no permit"
        elsewhere = replace(need, avoid={**need.avoid, held.grant.target.name: None})
        prefix, text = self._prefix(held.worker), write_need(elsewhere)
        answer = self.oracle.hedge(self.now, held.worker, prefix, held.job, elsewhere, text)
        arguments = fetch_arguments(self.compiled, LANE, prefix, 1, held=Offer(held.job, LANE, elsewhere))
        self._fetch(step, held.worker, arguments, answer)

    @_play.register
    def _(self, step: Settle) -> None:
        mine = [permit for permit, held in self.oracle.held.items() if held.worker == step.worker]
        rows = zip(mine, step.chosen, step.how, step.used, step.pause, strict=False)
        calls = [(permit, how, *used, pause) for permit, chosen, how, used, pause in rows if chosen]
        calls.append((UNKNOWN, "drop", 0, 0, 0.0))
        arguments: list[Any] = [step.worker, len(calls)]
        for permit, *charge in calls:
            held = self.oracle.held.get(permit)
            arguments += [permit, held.grant.target.name if held else self.compiled.routes[0], *charge]
        answer = self.oracle.settle(self.now, step.worker, calls)
        keys = [self.keys.root, self.keys.permits(step.worker)]
        self._run(step, "settle", keys, [*arguments, 0, 0, 0, 0], lambda raw: (raw[1], dict(_pairs(raw[3]))), answer)

    @_play.register
    def _(self, step: Release) -> None:
        mine = sorted({held.job for held in self.oracle.held.values() if held.worker == step.worker})[:2]
        which = ["all"] if step.all_of_it else ["jobs", *mine]
        answer = self.oracle.release(self.now, step.worker, None if step.all_of_it else mine)
        keys = [self.keys.root, self.keys.permits(step.worker)]
        self._run(step, "release", keys, [step.worker, *which], int, answer)

    @_play.register
    def _(self, step: Renew) -> None:
        mine = [permit for permit, held in self.oracle.held.items() if held.worker == step.worker]
        arguments: list[Any] = [repr(OLD), len(mine) + 1]
        for permit in (*mine, UNKNOWN):
            held = self.oracle.held.get(permit)
            epochs = held.epochs if held else {}
            arguments += [permit, repr(OLD + 1), 1, len(epochs), *(part for pair in epochs.items() for part in pair)]
        answer = [self.oracle.renew(self.now, permit) for permit in (*mine, UNKNOWN)]
        self._run(step, "renew", [self.keys.root, self.keys.permits(step.worker)], arguments, list, answer)

    def _prefix(self, worker: str) -> str:
        self.fetches += 1
        return f"{worker}/{self.fetches}"

    def _fetch(self, step: Step, worker: str, arguments: list[Any], answer: FetchAnswer) -> None:
        self._run(step, "fetch", fetch_keys(self.keys, self.compiled, LANE, worker), arguments, self._fetched, answer)

    def _fetched(self, raw: Sequence[Any]) -> FetchAnswer:
        reason, retry_in, left, low, _, epochs, *rest = raw
        by_scope = dict(zip(self.compiled.scopes, map(int, epochs), strict=True)) if epochs else {}
        return FetchAnswer(reason, float(retry_in) if retry_in else None, left, low, by_scope, *rest)

    def _read(self) -> None:
        """Look at everything that is left, then delete it."""
        gate, keys = self.oracle, self.keys
        self._left("lane", list, gate.lane, "LRANGE", keys.lane(LANE), 0, -1)
        self._left("needs", dict, {id_: text for id_, (text, _) in gate.needs.items()}, "HGETALL", keys.need(LANE))
        self._left("messages", set, set(gate.needs), "HKEYS", keys.messages(LANE))
        self._left("index", set, {keys.root + name for name in gate.index}, "SMEMBERS", keys.index)
        self._left("workers", set, gate.workers, "ZRANGE", keys.heartbeats, 0, -1)
        for worker in WORKERS:
            records = {p: held.record(keys.breaker("")) for p, held in gate.held.items() if held.worker == worker}
            self._left("permits", dict, records, "HGETALL", keys.permits(worker))
            self._left("acks", set, gate.taken_ids.get(worker, set()), "SMEMBERS", keys.acks(worker, LANE))
        for route in self.compiled.routes:
            slots = gate.slots.get(route, {})
            self._left("slots", _scores, slots, "ZRANGE", keys.slots(route), 0, -1, "WITHSCORES")
        for scope in self.compiled.scopes:
            self._left(scope, _breaker, gate.breakers.get(scope), "HGETALL", keys.breaker(scope))
        for target in {target.bucket: target for target in reversed(self.compiled.targets)}.values():
            self._left(target.bucket, *self._bucket(target), "HGETALL", keys.bucket(target.bucket))
        named = {str(command[1]) for command in self.commands if command[0] != "EVALSHA"}
        self._send("UNLINK", *named, keys.refill(LANE))

    def _bucket(self, target: Target) -> tuple[Callable[[Any], Any], Any]:
        """How to read the hash of a target's bucket, as a fetch would find it now; and what must be there."""
        stored = self.oracle.buckets.get(target.bucket)

        def read(fields: Mapping[str, str]) -> tuple[BucketState, int] | None:
            return self._now(stored_bucket(fields), target) if fields else None

        return read, None if stored is None else self._now(stored, target)

    def _now(self, stored: StoredBucket, target: Target) -> tuple[BucketState, int]:
        return at_now(stored, configured(target.route.limits), self.now, full=True), stored.taken

    def _left(self, what: str, read: Callable[[Any], Any], expected: Any, *command: Any) -> None:
        self._expect(f"case {self.case.seed}, {what} at the end", read, expected, *command)


def same(seen: Any, expected: Any) -> bool:
    """Whether two answers are equal, but for the rounding of numbers."""
    if seen == expected:
        return True
    if isinstance(seen, float) and isinstance(expected, float):
        return isclose(seen, expected, rel_tol=1e-9, abs_tol=1e-6)
    if is_dataclass(seen) and type(seen) is type(expected):
        return all(same(getattr(seen, each.name), getattr(expected, each.name)) for each in fields(seen))
    if isinstance(seen, Mapping) and isinstance(expected, Mapping):
        return seen.keys() == expected.keys() and all(same(seen[key], expected[key]) for key in seen)
    if isinstance(seen, list | tuple) and isinstance(expected, list | tuple):
        return len(seen) == len(expected) and all(map(same, seen, expected))
    return False


def _breaker(found: Mapping[str, str]) -> Breaker | None:
    return parse(found) if found else None


def _scores(found: Sequence[Any]) -> dict[str, float]:
    pairs = found if found and isinstance(found[0], list | tuple) else _pairs(found)
    return {str(member): float(score) for member, score in pairs}


def _flat(mapping: Mapping[str, str]) -> list[str]:
    return [text for pair in mapping.items() for text in pair]


def _pairs(flat: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
