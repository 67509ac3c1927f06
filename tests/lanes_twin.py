"""What tests of the lanes and of everything above them build with: short names for plans, jobs and settled calls."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import fakeredis

from attempts import called
from clocks import CrankedClock
from holdfast.lanes import Connection, Gate, Lanes
from holdfast.lanes.keys import Keys
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Api, Limits, Plan, Route
from holdfast.policy.admission import Reason

LANE = "smart.batch"
START = 1_800_000_000.0  # seconds; where cranked clocks begin

_moments = itertools.count(int(START * 1000))

FULL_SPEED = Limits(requests_per_minute=60_000_000)  # a limit, so that nothing is learned, that no test reaches


class FakeConnection(Connection):
    """A connection whose Redis lives in this process."""

    def __init__(self, server: fakeredis.FakeServer, keys: Keys) -> None:
        super().__init__("redis://fake", None, keys)
        self._server = server

    def sync(self) -> fakeredis.FakeRedis:
        return fakeredis.FakeRedis(server=self._server, decode_responses=True)

    def asynchronous(self) -> fakeredis.FakeAsyncRedis:
        return fakeredis.FakeAsyncRedis(server=self._server, decode_responses=True)


def route(provider: str = "anthropic", model: str = "opus", limits: Limits = FULL_SPEED, **more) -> Route:
    api = Api.ANTHROPIC if provider == "anthropic" else Api.OPENAI_CHAT
    return Route(provider, model, more.pop("api", api), model, more.pop("credentials", ("main",)), limits, **more)


def plan(*routes: Route) -> Plan:
    return Plan("smart", routes or (route(),))


def next_id() -> str:
    """An id that is younger than every one before: ids made in one millisecond would be so by chance."""
    return f"{next(_moments):012x}{new_id()[12:]}"


def offers(count: int, need: Need | None = None, lane: str = LANE) -> list[Offer]:
    return [Offer(next_id(), lane, need or Need(100, 100)) for _ in range(count)]


def reply(used_input: int = 100, used_output: int = 100, **more) -> Reply:
    usage = Usage(input=used_input, output=used_output, **more)
    return Reply(text="yes", finish=Finish.STOP, usage=usage, model="m")


def fault(kind: FaultKind = FaultKind.SERVER_ERROR, **more) -> Fault:
    return Fault(kind, **more)


@dataclass(frozen=True)
class Fetched:
    """What one fetch gave, and how its lane stands, as tests look at them."""

    permits: list[Permit]
    reason: Reason | None
    retry_in: float | None
    window: int
    low: bool


async def fetch(gate: Gate, lane: str, n: int, worker: str, plan: Plan) -> Fetched:
    permits, status = await gate.fetch(lane, n, worker, plan)
    return Fetched(permits, status.reason, status.retry_in, status.window, status.low)


@dataclass
class House:
    """Lanes, a gate and a cranked clock on one Redis."""

    connection: Connection
    make_gate: Callable[..., Gate]
    now: float = START
    plan: Plan = field(default_factory=plan)

    def __post_init__(self) -> None:
        self.lanes = Lanes(self.connection)
        self.gate = self.another_gate()

    def another_gate(self) -> Gate:
        return self.make_gate(clock=CrankedClock(lambda: self.now), uniform=lambda low, high: (low + high) / 2)

    @property
    def redis(self):
        return self.connection.sync()

    @property
    def keys(self) -> Keys:
        return self.connection.keys

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def offer(self, count: int, need: Need | None = None, lane: str = LANE) -> list[str]:
        made = offers(count, need, lane)
        self.lanes.offer(made)
        return [offer.id for offer in made]

    async def fetch(self, n: int = 1, worker: str = "w1", lane: str = LANE) -> Fetched:
        return await fetch(self.gate, lane, n, worker, self.plan)

    async def permit(self, worker: str = "w1") -> Permit:
        (permit,) = (await self.fetch(1, worker)).permits
        return permit

    async def finish(self, permits: Iterable[Permit], answer: Reply | Fault | None = None, **more) -> None:
        await self.gate.finish([called(permit, answer or reply(), **more) for permit in permits])

    async def break_down(self, failures: int = 5) -> None:
        """Fail calls until the route's breaker opens."""
        self.offer(failures)
        await self.finish((await self.fetch(failures)).permits, fault())

    def breaker(self, scope: str) -> dict[str, str]:
        return self.redis.hgetall(self.keys.breaker(scope))

    def bucket(self, name: str = "anthropic/main:opus") -> dict[str, str]:
        return self.redis.hgetall(self.keys.bucket(name))

    def level(self, dimension: str = "requests", name: str = "anthropic/main:opus") -> float:
        return float(self.bucket(name)[f"{dimension}.level"])


def jobs(permits: Sequence[Permit]) -> list[str]:
    return [permit.job for permit in permits]
