"""One breaker and a hand-cranked clock, for tests that move it step by step."""

from holdfast.policy.breaker import Admission, Refusal, admit, record
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.signals import Observation, Signal

RULES_HERE = Rules()
OK, FAULT, SLOW, FATAL, NOTHING = Signal.OK, Signal.FAULT, Signal.SLOW, Signal.FATAL, Signal.NONE


def middle(low: float, high: float) -> float:
    return (low + high) / 2


class Route:
    """One breaker and a hand-cranked clock."""

    def __init__(self, rules: Rules = RULES_HERE) -> None:
        self.rules, self.breaker, self.now = rules, Breaker(), 1_000.0

    def ask(self) -> Admission | Refusal:
        self.breaker, answer = admit(self.breaker, self.now, self.rules)
        return answer

    def record(self, signal: Signal, epoch: int | None = None, sent: float | None = None, job: str = "") -> None:
        observed = Observation(self.now, self.breaker.epoch if epoch is None else epoch, signal, sent=sent, job=job)
        self.breaker = record(self.breaker, observed, self.rules, middle)

    def record_all(self, pattern: str) -> None:
        """+ a success, - a fault, each a tenth of a second after the other."""
        for sign in pattern:
            self.record(OK if sign == "+" else FAULT)
            self.wait(0.1)

    def break_down(self) -> None:
        for _ in range(self.rules.consecutive):
            self.record(FAULT)

    def recover(self) -> None:
        self.wait_for_probe()
        self.record(OK)

    def wait_for_probe(self) -> None:
        self.now = self.breaker.state.until
        assert self.ask() == Admission(self.breaker.epoch, probe=True)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    @property
    def state(self) -> object:
        return self.breaker.state
