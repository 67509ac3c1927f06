"""What the simulated Redis remembers of calls, as ``lanes.evidence``: who replied last, and who fails since when."""

from math import inf

from holdfast.lab.simulation.jobs import SimulatedCall
from holdfast.lab.simulation.policy_hooks import Outcome
from holdfast.lanes.evidence import MEMORY
from holdfast.model.reply import Reply
from holdfast.policy.comparison import FEW, LATELY, Comparison
from holdfast.policy.fault_rules import is_failure
from holdfast.policy.targets import Target

NEVER = (0.0, 0.0)
MOST = 500  # jobs of a target, as in settle.lua


class SimulatedEvidence:
    """By credential's breaker and route, as the real one is by route and credential."""

    __slots__ = ("_failing", "_replies")

    def __init__(self) -> None:
        self._replies: dict[Target, tuple[float, float]] = {}  # when its call was sent, when it came
        self._failing: dict[Target, dict[int, float]] = {}  # when the first failed call of a job was sent

    def note(self, call: SimulatedCall, outcome: Outcome, now: float) -> None:
        """Take in how a call ended."""
        if outcome.__class__ is Reply:
            known = self._replies.get(call.target, NEVER)
            self._replies[call.target] = max(known[0], call.sent), max(known[1], now)
        elif is_failure(outcome):
            failing = self._failing.setdefault(call.target, {})
            if failing.get(call.job.id, -inf) < now - MEMORY:
                failing.pop(call.job.id, None)  # so that the newest stand last
                failing[call.job.id] = call.sent
            if len(failing) > MOST:
                del failing[next(iter(failing))]

    def replied(self, target: Target) -> float | None:
        """When the latest call was sent that brought a reply."""
        return self._replies[target][0] if target in self._replies else None

    def comparison(self, call: SimulatedCall, now: float) -> Comparison:
        sent, came = self._replies.get(call.target, (None, None))
        failing = self._failing.get(call.target, {})
        first = failing.get(call.job.id, -inf)
        since = call.sent if first < now - MEMORY else min(first, call.sent)
        newest = list(failing.items())[: -FEW - 3 : -1]
        others = [at for job, at in newest if job != call.job.id]
        since_reply = sum(at > (sent or now - MEMORY) for at in others)
        lately = sum(at > now - LATELY for at in others)
        return Comparison(call.target.credential, since, sent, came, since_reply, lately)

    def forget(self) -> None:
        """Redis was lost."""
        self._replies.clear()
        self._failing.clear()
