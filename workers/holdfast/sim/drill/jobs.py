"""Jobs, calls and workers of the twin. They are written to at every step, so they are no frozen values."""

from math import inf
from typing import TYPE_CHECKING

from holdfast.model.fault import Fault
from holdfast.model.job import Need, State
from holdfast.model.reply import Reply

if TYPE_CHECKING:
    from holdfast.sim.drill.targets import Target

NEED = Need(1_000, 1_000)  # what the pool expects of every job


class Job:
    """One job as SQL knows it. The names that ``policy.step`` reads are those of ``model.job.Claimed``.

    ``crashes``: workers that died with it. ``records``: terminal records, one when all is well. ``answered``: a call
    for it came back with a reply. ``acked``: the lane was told that the job is done. ``refused_at``, ``refused_by``:
    its last refusal, by which route. ``due``: when it last became ready.
    """

    __slots__ = (
        "acked", "answered", "attempts", "born", "calls", "crashes", "due", "ended", "expires_at", "fence", "id",
        "need", "number", "records", "refused_at", "refused_by", "state", "tries", "why", "worker",
    )  # fmt: skip

    def __init__(self, number: int, born: float, expires_at: float | None) -> None:
        self.id, self.born, self.due, self.expires_at = number, born, born, expires_at
        self.state = State.QUEUED
        self.need = NEED
        self.fence = self.number = self.attempts = self.calls = self.tries = self.crashes = self.records = 0
        self.answered = self.acked = False
        self.ended = self.refused_at = -inf
        self.refused_by = self.why = ""
        self.worker: Worker | None = None


class Worker:
    """One worker process: ``free`` places, and the calls it has in flight.

    ``alive`` ends with a kill, ``leased`` when SQL took its jobs over. ``paused_until``: it is stopped, with its
    clock. ``ahead``: seconds that its wall clock is wrong. ``dies``: the crash point at which it is to die.
    """

    __slots__ = ("ahead", "alive", "calls", "dies", "free", "leased", "name", "paused_until")

    def __init__(self, name: str, places: int) -> None:
        self.name, self.free = name, places
        self.calls: dict[Call, None] = {}
        self.alive = self.leased = True
        self.paused_until = -inf
        self.ahead = 0.0
        self.dies = ""


class Call:
    """One call under a permit.

    ``told_slow``: its route's breaker heard of it before it ended. ``over``: it ended, was given up, or its worker
    died. ``held``: the gate still counts its permit. ``spare``: much of the allowance was left when it got the permit.
    """

    __slots__ = (
        "epochs", "fence", "held", "job", "outcome", "over", "probe", "seconds", "sent", "slow_at", "spare", "target",
        "told_slow", "worker",
    )  # fmt: skip

    def __init__(self, job: Job, target: "Target", epochs: tuple[int, ...]) -> None:
        self.job, self.target, self.epochs = job, target, epochs
        self.worker: Worker | None = None
        self.fence = job.fence
        self.outcome: Reply | Fault | None = None
        self.probe = self.told_slow = self.over = self.spare = False
        self.held = True
        self.sent = self.seconds = self.slow_at = 0.0
