"""One breaker and a hand-cranked clock, for tests that move it step by step."""

from holdfast.policy.breaker import Breaker, Permit, Refusal, admit, hear
from holdfast.policy.rules import Rules
from holdfast.policy.verdict import Heard, Verdict

RULES_HERE = Rules()
OK, FAULT, SLOW, FATAL, NOTHING = Verdict.OK, Verdict.FAULT, Verdict.SLOW, Verdict.FATAL, Verdict.NOTHING


def middle(low: float, high: float) -> float:
    return (low + high) / 2


class Route:
    """One breaker and a hand-cranked clock."""

    def __init__(self, rules: Rules = RULES_HERE) -> None:
        self.rules, self.breaker, self.now = rules, Breaker(), 1_000.0

    def ask(self) -> Permit | Refusal:
        self.breaker, answer = admit(self.breaker, self.now, self.rules)
        return answer

    def hear(self, verdict: Verdict, epoch: int | None = None, sent: float | None = None) -> None:
        heard = Heard(self.now, self.breaker.epoch if epoch is None else epoch, verdict, sent=sent)
        self.breaker = hear(self.breaker, heard, self.rules, middle)

    def hear_all(self, pattern: str) -> None:
        """+ a success, - a fault, each a tenth of a second after the other."""
        for sign in pattern:
            self.hear(OK if sign == "+" else FAULT)
            self.wait(0.1)

    def break_down(self) -> None:
        for _ in range(self.rules.consecutive):
            self.hear(FAULT)

    def recover(self) -> None:
        self.wait_for_probe()
        self.hear(OK)

    def wait_for_probe(self) -> None:
        self.now = self.breaker.state.until
        assert self.ask() == Permit(self.breaker.epoch, probe=True)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    @property
    def state(self) -> object:
        return self.breaker.state
