"""Jobs, calls and workers of the twin. They are written to at every step, so they are no frozen values."""

from dataclasses import replace
from math import inf

from holdfast.lab.drill.scenario import Load
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Need, State
from holdfast.model.reply import Reply
from holdfast.policy.admission import BucketState
from holdfast.policy.error_burst import Window, is_degraded, is_error_burst, note_budget_use, note_client_error
from holdfast.policy.fault_rules import consumes_budget
from holdfast.policy.hedging import HedgeBudget
from holdfast.policy.retry import Health
from holdfast.policy.retry_budget import RetryBudget
from holdfast.policy.targets import Target
from holdfast.policy.token_estimate import DEFAULT_OUTPUT
from holdfast.policy.transition import JobProgress

ABOVE = 1.25  # an estimate of the input, as a multiple of what it really is


def need_of(load: Load) -> Need:
    """What the pool expects of every job: a little more input than there is, and the output it would allow."""
    return Need(round(ABOVE * load.input_tokens), max(DEFAULT_OUTPUT, load.output_tokens))


class SimulatedJob:
    """One job as SQL knows it. The names that ``policy.retry`` reads are those of ``model.job.Claimed``.

    ``progress`` is its row, which ``policy.transition`` moves. ``records``: terminal records, one when all is well.
    ``answered``: a call for it came back with a reply. ``acked``: the lane was told that the job is done.
    ``refused_at``: its last refusal. ``rerouted_by``: whose, if the job was to go elsewhere. ``due``: when it last
    became ready. ``wants``: what it needs when nothing is to be avoided. ``breaks``: every call for it is cut.
    """

    interactive = False

    __slots__ = (
        "acked", "answered", "born", "breaks", "due", "id", "need", "progress", "records", "refused_at", "rerouted_by",
        "wants",
    )  # fmt: skip

    def __init__(self, number: int, born: float, expires_at: float | None, need: Need) -> None:
        self.id, self.born, self.due = number, born, born
        self.progress = JobProgress(expires_at=expires_at)
        self.need = self.wants = need
        self.records = 0
        self.answered = self.acked = self.breaks = False
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


class SimulatedWorker:
    """One worker process: ``free`` of its ``places``, and the calls it has in flight.

    ``alive`` ends with a kill. ``paused_until``: it is stopped, with its clock. ``ahead``: seconds that its wall clock
    is wrong. ``dies``: the crash point at which it is to die.
    ``retries``, ``hedges``: its own budgets. ``typical``, ``doubts``, ``worn``: what calls on a route typically take,
    which of them were lately called wrong, and which wore their jobs out.
    """

    __slots__ = (
        "ahead", "alive", "calls", "dies", "doubts", "free", "hedges", "name", "paused_until", "places",
        "retries", "typical", "worn",
    )  # fmt: skip

    def __init__(self, name: str, places: int) -> None:
        self.name, self.free, self.places = name, places, places
        self.calls: dict[SimulatedCall, None] = {}
        self.alive = True
        self.paused_until = -inf
        self.ahead = 0.0
        self.dies = ""
        self.retries, self.hedges = RetryBudget(), HedgeBudget()
        self.typical: dict[str, float] = {}
        self.doubts: dict[str, Window] = {}
        self.worn: dict[str, Window] = {}

    def notice(self, route: str, job: SimulatedJob, outcome: Reply | Fault, now: float) -> None:
        """As ``worker.fault_monitor``: remember whose calls were lately called wrong or cut."""
        fault = outcome if isinstance(outcome, Fault) else None
        wrong, wore = (
            fault is not None and fault.kind is FaultKind.INVALID_REQUEST,
            fault is not None and consumes_budget(fault),
        )
        if wrong or self.doubts.get(route):
            self.doubts[route] = note_client_error(self.doubts.get(route, ()), now, str(job.id), wrong=wrong)
        if wore or self.worn.get(route):
            self.worn[route] = note_budget_use(self.worn.get(route, ()), now, str(job.id), wrong=wore)

    def health(self, health: Health, now: float) -> Health:
        """As ``worker.fault_monitor``: what the gate says, and what this process saw."""
        storms = frozenset(route for route, window in self.doubts.items() if is_error_burst(window, now))
        degraded = frozenset(route for route, window in self.worn.items() if is_degraded(window, now))
        if not storms and not degraded:
            return health
        return replace(health, open_routes=health.open_routes | storms, degraded=health.degraded | degraded)


class SimulatedCall:
    """One call under a permit.

    ``told_slow``: its route's breaker was told of it before it ended. ``over``: it ended, was given up, or its worker
    died. ``held``: the gate still counts its permit. ``left``: what its bucket had left when it got the
    permit. ``other``: the call beside it, where its job is hedged.
    """

    __slots__ = (
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
        self.told_slow = self.over = False
        self.held = True
        self.sent = self.seconds = self.slow_at = 0.0
