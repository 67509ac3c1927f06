"""Jobs, calls and workers of the simulation. They are written to at every step, so they are no frozen values."""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType

from holdfast.lab.drill.scenario import Load
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Need, State
from holdfast.model.reply import Reply
from holdfast.policy.admission import BucketState
from holdfast.policy.fault_windows import FaultWindows
from holdfast.policy.hedging import HedgeBudget
from holdfast.policy.retry_budget import RetryBudget
from holdfast.policy.targets import Target
from holdfast.policy.token_estimate import DEFAULT_OUTPUT
from holdfast.policy.transition import JobProgress

ABOVE = 1.25  # an estimate of the input, as a multiple of what it really is


def need_of(load: Load) -> Need:
    """What the pool expects of every job: a little more input than there is, and the output it would allow."""
    return Need(round(ABOVE * load.input_tokens), max(DEFAULT_OUTPUT, load.output_tokens))


SOUND: Mapping[str, Fault] = MappingProxyType({})


class SimulatedJob:
    """One job as SQL knows it. The names that ``policy.retry`` reads are those of ``model.job.Claimed``.

    ``progress`` is its row, which ``policy.transition`` moves. ``records``: terminal records, one when all is well.
    ``answered``: a call for it came back with a reply. ``acked``: the lane was told that the job is done.
    ``refused_at``: its last refusal. ``rerouted_by``: whose, if the job was to go elsewhere. ``due``: when it last
    became ready. ``wants``: what it needs when nothing is to be avoided. ``breaks``: every call for it is cut.
    ``fails``: what its calls come to at providers that would answer another job well, by their names.
    """

    interactive = False

    __slots__ = (
        "acked", "answered", "born", "breaks", "due", "fails", "id", "need", "progress", "records", "refused_at",
        "rerouted_by", "wants",
    )  # fmt: skip

    def __init__(self, number: int, born: float, expires_at: float | None, need: Need) -> None:
        self.id, self.born, self.due = number, born, born
        self.progress = JobProgress(expires_at=expires_at)
        self.need = self.wants = need
        self.records = 0
        self.answered = self.acked = self.breaks = False
        self.fails: Mapping[str, Fault] = SOUND
        self.refused_at = -inf
        self.rerouted_by: Target | None = None

    @property
    def state(self) -> State:
        return self.progress.state

    @property
    def generation(self) -> int:
        return self.progress.generation

    @property
    def fence(self) -> int:
        return self.progress.fence

    @property
    def number(self) -> int:
        return self.progress.number

    @property
    def attempts(self) -> int:
        return self.progress.attempts

    @property
    def calls(self) -> int:
        return self.progress.calls

    @property
    def tries(self) -> int:
        return self.progress.tries

    @property
    def expires_at(self) -> float | None:
        return self.progress.expires_at

    @property
    def fault(self) -> FaultKind | None:
        return self.progress.fault

    @property
    def output_ceiling(self) -> int | None:
        return self.progress.output_ceiling


class SimulatedWorker:
    """One worker process: ``free`` of its ``slots``, and the calls it has in flight.

    ``alive`` ends with a kill. ``paused_until``: it is stopped, with its clock. ``ahead``: seconds that its wall clock
    is wrong. ``dies``: the crash point at which it is to die.
    ``retries``, ``hedges``: its own budgets. ``typical``: what calls on a route typically take. ``windows``: which of
    them failed of late.
    """

    __slots__ = (
        "ahead", "alive", "calls", "dies", "free", "hedges", "name", "paused_until", "retries", "slots", "typical",
        "windows",
    )  # fmt: skip

    def __init__(self, name: str, slots: int) -> None:
        self.name, self.free, self.slots = name, slots, slots
        self.calls: dict[SimulatedCall, None] = {}
        self.alive = True
        self.paused_until = -inf
        self.ahead = 0.0
        self.dies = ""
        self.retries, self.hedges = RetryBudget(), HedgeBudget()
        self.typical: dict[str, float] = {}
        self.windows = FaultWindows()


class SimulatedCall:
    """One call under a permit.

    ``told_slow``: its route's breaker was told of it before it ended. ``over``: it ended, was given up, or its worker
    died. ``alone``: it fails by its job's doing, at a provider that is well. ``held``: the gate still counts its
    permit. ``left``: what its bucket had left when it got the permit. ``other``: the call beside it, where its job is
    hedged.
    """

    __slots__ = (
        "alone",
        "epochs",
        "fence",
        "held",
        "job",
        "left",
        "other",
        "outcome",
        "over",
        "probe",
        "seconds",
        "sent",
        "slow_at",
        "target",
        "told_slow",
        "worker",
    )  # fmt: skip

    def __init__(self, job: SimulatedJob, target: Target, left: BucketState, *, probe: bool) -> None:
        self.job, self.target, self.left, self.probe = job, target, left, probe
        self.epochs: tuple[int, ...] = ()
        self.worker: SimulatedWorker | None = None
        self.other: SimulatedCall | None = None
        self.fence = job.fence
        self.outcome: Reply | Fault | None = None
        self.told_slow = self.over = self.alone = False
        self.held = True
        self.sent = self.seconds = self.slow_at = 0.0
