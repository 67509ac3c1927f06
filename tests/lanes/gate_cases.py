"""Random cases of the gate: a plan, what lies in Redis before, and what is asked of it, all from one seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from holdfast.lanes.entry import write_need
from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.route import Api, Limits, Plan, Route
from holdfast.policy.breaker_state import Breaker, Closed, Disabled, ForcedOpen, HalfOpen, Open
from holdfast.policy.rate_limit import Allowance, Level, per_minute
from holdfast.policy.targets import limits_by_dimension, targets_of
from lanes.gate_oracle import GateOracle, StoredBucket
from lanes_twin import LANE, START

GARBAGE = ("", "abc", "1\t", "-1\t2", "1.5\t2", "1234567890123456\t1", "7\t1234567890123456")
GROUPS = ("opus", "opus", "haiku")


@dataclass(frozen=True)
class Fetch:
    """Ask for ``n`` permits. ``low_mark``: ids below which a window is to be topped up; by its first fetch alone, for
    whoever was asked holds that off for a moment of real time.
    """

    worker: str
    n: int
    look: int
    low_mark: int = 0
    max_wait: float = 0.0


@dataclass(frozen=True)
class Hedge:
    """Ask for a second permit for the ``which``-th held job, modulo how many are held, which must avoid its route."""

    which: int


@dataclass(frozen=True)
class Settle:
    """Settle each held call that ``chosen`` picks, and one that nobody knows."""

    worker: str
    chosen: Sequence[bool]
    how: Sequence[str]
    used: Sequence[tuple[int, int]]
    pause: Sequence[float]


@dataclass(frozen=True)
class Release:
    """A worker died; or, unless ``all_of_it``, some of its jobs are not its own any more."""

    worker: str
    all_of_it: bool


@dataclass(frozen=True)
class Renew:
    """Ask for the units of every held permit of a worker anew."""

    worker: str


@dataclass(frozen=True)
class Move:
    """A breaker of the plan became another one; by a signal or by an operator."""

    which: int
    breaker: Breaker


@dataclass(frozen=True)
class Pause:
    """An operator paused the lane, or resumed it."""

    paused: bool


@dataclass(frozen=True)
class Pass:
    seconds: float


Step = Fetch | Hedge | Settle | Release | Renew | Move | Pause | Pass


@dataclass(frozen=True)
class Case:
    """``build`` makes what lies in Redis at ``START``, anew for each call. ``messages``: ids with a message."""

    seed: int
    plan: Plan
    build: Callable[[], GateOracle]
    steps: Sequence[Step]


def case(seed: int) -> Case:
    """Make the case of a seed."""
    chance = Random(seed)
    plan = _plan(chance)
    state = chance.getrandbits(64)
    return Case(seed, plan, lambda: _gate(Random(state), plan), _steps(chance))


def _plan(chance: Random) -> Plan:
    routes = [
        Route("anthropic", "opus", Api.ANTHROPIC, "opus", _credentials(chance), _limits(chance), deadline=30.0),
        Route("anthropic", "haiku", Api.ANTHROPIC, chance.choice(GROUPS), _credentials(chance), _limits(chance)),
        Route("openai", "gpt", Api.OPENAI_CHAT, "gpt", _credentials(chance), _limits(chance), deadline=10.0),
    ]
    chance.shuffle(routes)
    return Plan("smart", tuple(routes[: chance.choice((1, 2, 2, 3))]))


def _credentials(chance: Random) -> tuple[str, ...]:
    return ("main", "second", "third")[: chance.choice((1, 1, 2, 3))]


def _limits(chance: Random) -> Limits:
    return Limits(
        chance.choice((None, 60.0, 300.0, 6_000.0, chance.uniform(20, 1_000))),
        chance.choice((None, None, 60_000.0, chance.uniform(1_000, 600_000))),
        chance.choice((None, None, 30_000.0, chance.uniform(1_000, 300_000))),
        chance.choice((None, None, 1, 2, 5)),
    )


def _gate(chance: Random, plan: Plan) -> GateOracle:
    targets = targets_of(plan)
    epoch = chance.choice(("fresh:1", "fresh:1", "fresh:1", "lost:2", None if chance.random() < 0.2 else "fresh:3"))
    lane = [_id(chance) for _ in range(chance.choice((0, 1, 2, 4, 8, 12)))]
    needs = {id_: _need(chance, plan) for id_ in lane}
    if lane and chance.random() < 0.2:
        lane.insert(chance.randrange(len(lane)), chance.choice((*lane, "x" * 32, "ab", "")))
        needs.setdefault(chance.choice(lane), _need(chance, plan))
    for id_ in lane:
        if chance.random() < 0.03:
            needs.pop(id_, None)
    index, breakers, buckets = set[str](), dict[str, Breaker](), dict[str, StoredBucket]()
    ill = chance.choice((0.5, 0.5, 0.1))  # where few breakers are, buckets decide
    for scope in dict.fromkeys(scope for target in targets for scope in target.scopes):
        if chance.random() < ill:
            breakers[scope] = breaker(chance, START, lane)
        if scope in breakers or chance.random() < 0.1:
            index.add(f"breaker:{scope}")
    for target in targets:
        if target.bucket not in buckets and chance.random() < 0.8:
            buckets[target.bucket] = _bucket(chance, target.route.limits, lost=epoch == "lost:2")
        if target.bucket in buckets or chance.random() < 0.1:
            index.add(f"bucket:{target.bucket}")
    slots = {
        route.name: {f"w0/{i}:1": START + chance.uniform(-2, 5) for i in range(chance.choice((0, 0, 1, 3)))}
        for route in plan.routes
    }
    return GateOracle(
        LANE,
        targets,
        epoch,
        lane,
        needs,
        breakers,
        buckets,
        slots,
        index,
        paused=chance.random() < 0.03,
        refilling=chance.random() < 0.1,
    )


def _id(chance: Random) -> str:
    return f"{chance.getrandbits(128):032x}"


def _need(chance: Random, plan: Plan) -> tuple[str, Need | None]:
    if chance.random() < 0.04:
        return chance.choice(GARBAGE), None
    most = chance.choice((0, 10, 1_000, 20_000))
    need = Need(
        chance.randint(0, most), chance.randint(0, most), _avoid(chance, plan), chance.choice((None, START + 60))
    )
    signature = chance.choice(("", "\n" + "f" * 32))
    return write_need(need) + signature, need


def _avoid(chance: Random, plan: Plan) -> Mapping[str, float | None]:
    """Dates to the microsecond, as a need is written."""
    names = [route.name for route in plan.routes if chance.random() < 0.25]
    keys = dict.fromkeys(f"credential:{route.provider}/{key}" for route in plan.routes for key in route.credentials)
    names += [key for key in keys if chance.random() < 0.1]
    return {name: chance.choice((None, START, round(START + chance.uniform(-2, 5), 6))) for name in names}


def breaker(chance: Random, now: float, jobs: Sequence[str] = ()) -> Breaker:
    """A breaker in any state that one can be in at ``now``. ``jobs``: of which some probed before."""
    probers = tuple(job for job in jobs if chance.random() < 0.4) if chance.random() < 0.5 else ()
    epoch, around = chance.randint(0, 9), now + chance.choice((0.0, chance.uniform(-3, 5), chance.uniform(0, 0.2)))
    state = chance.choice(
        (
            Closed(failures=chance.randint(0, 3)),
            Closed(ramp=chance.choice((1.0, 2.0, 2.9, chance.uniform(0.5, 6)))),
            Open(around, 4.0, probers),
            Open(around, 4.0, probers),
            HalfOpen(around, 4.0, around - 25, probers),
            HalfOpen(around, 4.0, around - 25, probers),
            ForcedOpen(),
            Disabled(),
        )
    )
    return Breaker(state, epoch, since=chance.choice((None, now - 60)))


def _bucket(chance: Random, limits: Limits, *, lost: bool) -> StoredBucket:
    """A hash that an earlier fetch left: mostly under the limits of now, now and then under others."""
    allowances = dict[Dimension, Allowance]()
    for each, limit in limits_by_dimension(limits).items():
        known = limit if chance.random() < 0.8 else chance.choice((None, chance.uniform(30, 100_000)))
        if limit is None and each is Dimension.REQUESTS and chance.random() < 0.9:
            known = chance.choice((30.0, 300.0, 3_000.0, 3_000.0))  # what was learned, or how far a rate has grown
        if known is not None:
            allowances[each] = per_minute(known)
    levels = {
        each: Level(
            chance.uniform(-0.3, chance.choice((0.2, 1))) * allowed.capacity,
            START * 1000 - chance.choice((0, chance.uniform(0, 5_000))),
        )
        for each, allowed in allowances.items()
        if lost or chance.random() < 0.95
    }
    if limits.requests_per_minute is None and Dimension.REQUESTS in levels and chance.random() < 0.7:
        levels[Dimension.REQUESTS] = Level(chance.uniform(0, 1.5), START * 1000)  # where a job may have to wait
    told = {
        each: allowed.per_ms * chance.uniform(0.3, 1.5) for each, allowed in allowances.items() if chance.random() < 0.1
    }
    paused = START * 1000 + chance.uniform(-2_000, 3_000) if chance.random() < 0.15 else 0.0
    asks = chance.choice((5.0, 80.0, 600.0)) if chance.random() < 0.1 else 0.0
    stage = chance.choice(("", "growing", "growing", "restored", "told", "learned"))
    return StoredBucket(allowances, levels, told, paused, chance.randint(0, 50), asks, stage)


def _steps(chance: Random) -> list[Step]:
    steps: list[Step] = [replace(_fetch(chance), low_mark=chance.choice((0, 0, 3)))]
    for _ in range(chance.choice((0, 1, 2, 4, 6))):
        steps += [Pass(chance.choice((0.0, 0.05, chance.uniform(0, 3), 40.0))), _step(chance)]
    return steps


def _fetch(chance: Random) -> Fetch:
    worker, n, look = chance.choice(("w1", "w2")), chance.choice((1, 1, 2, 3, 6)), chance.choice((0, 1, 3, 64))
    return Fetch(worker, n, look, max_wait=chance.choice((0.0, 0.05, 2.0)))


def _step(chance: Random) -> Step:
    many = range(6)
    match chance.randrange(9):
        case 0 | 1 | 2:
            return _fetch(chance)
        case 3:
            return Hedge(chance.randrange(6))
        case 4 | 5:
            return Settle(
                chance.choice(("w1", "w2")),
                [chance.random() < 0.6 for _ in many],
                [chance.choice(("real", "back", "keep", "drop")) for _ in many],
                [(chance.randint(0, 3_000), chance.randint(0, 500)) for _ in many],
                [chance.choice((0.0, 0.0, -1.0, chance.uniform(0.01, 3), 600.0, 86_400.0)) for _ in many],
            )
        case 6:
            return chance.choice((Release("w1", all_of_it=True), Release("w2", all_of_it=False)))
        case 7:
            return Renew(chance.choice(("w1", "w2")))
        case _:
            return chance.choice((Move(chance.randrange(9), breaker(chance, START)), Pause(chance.random() < 0.5)))
