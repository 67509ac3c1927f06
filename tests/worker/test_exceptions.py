"""Whatever breaks on a job's way, wherever and how often: the job ends, is paid twice at most, and harms no other."""

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from holdfast.lanes import Gate
from holdfast.lanes import gate as gate_module
from holdfast.model.call_result import CallResult
from holdfast.model.fault import FaultKind
from holdfast.model.job import TERMINAL, State
from holdfast.model.route import Hedge, Plan
from holdfast.store import GroupWriter, Store
from holdfast.store import claim as claim_module
from holdfast.store import finish as finish_module
from holdfast.store import writer as writer_module
from holdfast.store.backlog import lane_heads
from holdfast.store.jobs import find_detail
from holdfast.worker import attempt as attempt_module
from holdfast.worker import call_runner as call_module
from holdfast.worker import decision as decision_module
from holdfast.worker import hedging as hedging_module
from holdfast.worker.attempt import AttemptRunner
from holdfast.worker.call_runner import CallRunner
from holdfast.worker.fault_monitor import FaultMonitor
from holdfast.worker.fetcher import Fetcher
from holdfast.worker.hedging import Hedging
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.redis_start import RedisStart
from holdfast.worker.slow_calls import SlowCallMonitor
from holdfast.worker.sweeper import Sweeper
from holdfast.worker.window_refiller import WindowRefiller
from lanes_twin import LANE, route
from store.scene import REPLY, Scene
from worker.workshop import Workshop

ROUTES = (route(), route("openai", "gpt"))
PLAN = Plan("smart", ROUTES)
HEDGED = Plan("smart", ROUTES, hedge=Hedge(after=0.0, at_most=1.0))  # every job
EVER = 10**6  # times


class Bug(Exception):
    """What nobody has foreseen."""


@dataclass(frozen=True)
class Step:
    """A function of a job's way. It breaks when it is called, or ``after`` it has done its work."""

    owner: Any
    name: str
    after: bool = False
    hedged: bool = False

    def __str__(self) -> str:
        where = f"{self.owner.__name__.rpartition('.')[2]}.{self.name}"
        return f"{'after' if self.after else 'at'} {where}{' of a hedge' if self.hedged else ''}"


@dataclass
class Saboteur:
    """Breaks one function for one job, so many times."""

    step: Step
    times: int
    job: str = ""
    broken: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        owner, name = self.step.owner, self.step.name
        whole = getattr(owner, name)

        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            if not self.step.after:
                self._break(args, kwargs)
            answer = await whole(*args, **kwargs)
            if self.step.after:
                self._break(args, kwargs)
            return answer

        def synchronous(*args: Any, **kwargs: Any) -> Any:
            if not self.step.after:
                self._break(args, kwargs)
            answer = whole(*args, **kwargs)
            if self.step.after:
                self._break(args, kwargs)
            return answer

        patch.setattr(owner, name, asynchronous if inspect.iscoroutinefunction(whole) else synchronous)

    def _break(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise a bug if what the function was called with names the job."""
        told = (args[1:] if inspect.isclass(self.step.owner) else args, kwargs)
        if self.job and self.job in repr(told) and self.broken < self.times:
            self.broken += 1
            raise Bug("the words of a prompt")


class Provider:
    """Answers every call, and counts them by job. A hedged job's first call waits for the second one to be tried."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.seconds: set[str] = set()

    async def client(self, route: Any, credential: str) -> "Provider":
        return self

    def login_refused(self, *_: object) -> None:
        raise AssertionError

    async def complete(self, model: str, request: Any, *, tag: str, refusal: Any, **_: Any) -> CallResult:
        if await refusal() is not None:
            raise AssertionError("no call of this test is refused")
        return await self.send(tag)

    async def send(self, tag: str) -> CallResult:
        self.calls[job_of(tag)] += 1
        for _ in range(200):
            await asyncio.sleep(0)
        return self.answer(tag)

    def answer(self, tag: str) -> CallResult:
        return CallResult(REPLY)


def job_of(tag: str) -> str:
    return tag.partition("/")[0].removeprefix("job_")


@dataclass
class Pipeline:
    """A whole worker but for its timers, over a store, a Redis in this process and a provider that answers."""

    workshop: Workshop
    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        context, jobs = self.workshop.context, self.workshop.jobs
        self.scene: Scene = self.workshop.scene
        jobs.attempts.calls = CallRunner(context, self.provider, None)  # type: ignore[arg-type]
        starts = RedisStart(context, self.workshop.overrides)
        self.fetcher = Fetcher(context, jobs, WindowRefiller(context), starts)
        self.sweeper = Sweeper(context, jobs, self.workshop.overrides)

    async def settle(self, jobs: list[str], plan: Plan) -> None:
        """Work until every job has ended and nothing is held any more."""
        self.workshop.lane.plan = plan
        telling = asyncio.create_task(self.workshop.releaser.run())
        for _ in range(40):
            await self._fetch()
            assert await self.workshop.releaser.drain(30.0)
            await self._sweep()
            if self.rests(jobs):
                break
        telling.cancel()

    async def _fetch(self) -> None:
        try:
            await self.fetcher._ask(self.workshop.lane)
        except Bug:
            return  # the fetcher is started again
        await asyncio.gather(*self.fetcher.claiming, return_exceptions=True)
        await asyncio.gather(*self.workshop.jobs.running.values(), return_exceptions=True)
        await asyncio.sleep(0)

    async def _sweep(self) -> None:
        self.scene.sql("update job set available_at = available_at - 100000000 where state = 'delayed'")
        duties = self.sweeper
        for duty in (
            duties.hand_back_unsure,
            duties.break_off,
            duties.find_lost_claims,
            duties.drop_strays,
            duties.mend_lanes,
            duties.release_due,
        ):
            try:
                await duty()
            except Bug:
                continue  # the duty comes again
        await self.workshop.context.gate.offer(self.workshop.context.store.read(lane_heads, LANE, 100))

    def rests(self, jobs: list[str]) -> bool:
        """Whether every job has ended, and neither SQL nor Redis counts anything as under way."""
        ended = all(self.scene.state(job) in TERMINAL for job in jobs)
        is_open = self.scene.rows("select 1 from attempt where ended_at is null")
        held = sum(self.workshop.in_flight(each.name) for each in ROUTES) + self.workshop.context.slots.taken
        return ended and not is_open and not held


CALL = (
    Step(attempt_module, "started"),
    Step(Hedging, "run"),
    Step(SlowCallMonitor, "watch"),
    Step(CallRunner, "run"),
    Step(CallRunner, "_send"),
    Step(call_module, "tag"),
    Step(Provider, "complete"),
    Step(Provider, "send"),
    Step(Provider, "send", after=True),
    Step(Provider, "answer"),
    Step(CallRunner, "_send", after=True),
    Step(CallRunner, "_note_credential"),
    Step(attempt_module, "judged"),
    Step(SlowCallMonitor, "learn"),
    Step(FaultMonitor, "record"),
    Step(AttemptRunner, "_decide"),
    Step(decision_module, "next_step"),
    Step(AttemptRunner, "_record"),
    Step(GroupWriter, "finish"),
    Step(writer_module, "finish"),
    Step(writer_module, "finish", after=True),
    Step(finish_module, "_end_row"),
    Step(GroupWriter, "finish", after=True),
    Step(AttemptRunner, "_record", after=True),
    Step(PermitReleaser, "release"),
    Step(Gate, "finish"),
    Step(Gate, "finish", after=True),
    Step(gate_module, "attempt_arguments"),
)
CLAIM = (
    Step(GroupWriter, "claim"),
    Step(GroupWriter, "claim", after=True),
    Step(writer_module, "claim"),
    Step(writer_module, "claim", after=True),
    Step(claim_module, "_claimed"),
)
HEDGE = (
    Step(Hedging, "second"),
    Step(Hedging, "_permit"),
    Step(Gate, "hedge"),
    Step(GroupWriter, "hedge"),
    Step(GroupWriter, "hedge", after=True),
    Step(writer_module, "hedge"),
    Step(writer_module, "hedge", after=True),
    Step(hedging_module, "in_order"),
    Step(Hedging, "run", after=True),
)
STEPS = (
    *CALL,
    *CLAIM,
    *(replace(step, hedged=True) for step in (*CALL, *HEDGE)),
)


@pytest.fixture
async def pipeline(store: Store, tmp_path: Path) -> AsyncIterator[Pipeline]:
    made = await Workshop(tmp_path, fakeredis.FakeServer(), store).open()
    yield Pipeline(made)
    made.context.writer.close()
    await made.context.gate.close()


@pytest.mark.parametrize("times", [1, EVER], ids=["once", "ever"])
@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_wherever_something_breaks_the_job_ends_and_no_other_is_harmed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: Step, times: int
) -> None:
    saboteur = Saboteur(step, times)
    saboteur.install(monkeypatch)
    jobs = await pipeline.workshop.offer(3)
    saboteur.job = job = jobs[1]
    await pipeline.settle(jobs, HEDGED if step.hedged else PLAN)
    scene, calls = pipeline.scene, pipeline.provider.calls
    assert saboteur.broken
    assert calls[job] <= 2
    assert scene.job(job).calls >= calls[job]  # each that left is counted
    assert {each: scene.state(each) for each in jobs if each != job} == {
        jobs[0]: State.SUCCEEDED,
        jobs[2]: State.SUCCEEDED,
    }, [scene.store.read(find_detail, each).result for each in jobs]
    assert step.hedged or (calls[jobs[0]], calls[jobs[2]]) == (1, 1)
    assert pipeline.rests(jobs)
    assert not scene.broken()
    if scene.state(job) is not State.SUCCEEDED:
        said = scene.store.read(find_detail, job).result
        assert (scene.state(job), said.fault) == (State.DEAD, FaultKind.INTERNAL)
        assert "Bug" in said.message
        assert "prompt" not in said.message


async def test_a_fetch_whose_answer_cannot_be_read_gives_its_permits_back(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose they were nobody can tell then, so this can break for all that were fetched together."""
    saboteur = Saboteur(Step(gate_module, "read_fetched"), 2)
    saboteur.install(monkeypatch)
    jobs = await pipeline.workshop.offer(3)
    saboteur.job = jobs[1]
    await pipeline.settle(jobs, PLAN)
    assert saboteur.broken == 2
    assert [pipeline.scene.state(job) for job in jobs] == [State.SUCCEEDED] * 3
    assert pipeline.rests(jobs)
