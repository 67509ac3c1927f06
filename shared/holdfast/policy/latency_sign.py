"""Tells from the time that answers take whether a server that refuses nobody has more than it can do.

A server with a queue refuses nothing: under more load than it bears its answers come later, not more often. What is
quick among the first answers, under small load, is normal; a window in which not even the quickest answer takes less
than twice that is the sign. (Answers to long prompts are slow too, but not all of them.) Then the rate of answers is
what the server does: a little more is tried, as long as that costs less than another doubling, for a server that works
on many calls at once does more the more it has. What is normal is forgotten slowly, for prompts change too.
The least round trip as the measure of an empty queue is BBR's (Cardwell et al., ACM Queue 14(5), 2016), the limit that
follows from it that of gradient limiters (Netflix, concurrency-limits, ``Gradient2Limit``), here for rates.
"""

from dataclasses import dataclass, replace
from math import inf

FEWEST = 20  # answers that make a window: the quickest of fewer says little
FOLD_MS = 100.0  # a process tells of its answers at most this often
WINDOW_MS = 250.0
SLOWER = 2.0  # times what is normal: the sign
ABOVE_ANSWERED = 1.1  # times the rate of answers, until they take another SLOWER times as long
DRIFT = 1.001  # a window: some minutes of slow answers are the new normal


@dataclass(frozen=True, slots=True)
class Answers:
    """``count`` answers of one process since ``since_ms``, of which the quickest took ``quickest`` seconds."""

    count: int = 0
    quickest: float = inf
    since_ms: float = 0.0

    def plus(self, count: int, quickest: float, now_ms: float) -> "Answers":
        """Return these answers and others that came by now."""
        return Answers(self.count + count, min(self.quickest, quickest), self.since_ms if self.count else now_ms)

    def are_due(self, now_ms: float) -> bool:
        """Whether they are worth telling."""
        return self.count >= FEWEST and now_ms - self.since_ms >= FOLD_MS


NO_ANSWERS = Answers()


@dataclass(frozen=True, slots=True)
class LatencySign:
    """``normal``: seconds that a quick answer takes under small load; 0: not known yet.

    ``at``: when the window began that ``answers`` and ``quickest`` count. ``most_per_ms``: what the last window said
    is worth sending, where answers took much longer than is normal; 0: they did not.
    """

    normal: float = 0.0
    at: float = 0.0
    answers: int = 0
    quickest: float = inf
    most_per_ms: float = 0.0


NO_SIGN = LatencySign()


def fold(sign: LatencySign, answers: Answers, now_ms: float) -> LatencySign:
    """Count the answers of one process; where they complete a window, say whether they are slow."""
    begun = sign if sign.at else replace(sign, at=answers.since_ms)
    full = replace(begun, answers=begun.answers + answers.count, quickest=min(begun.quickest, answers.quickest))
    elapsed = now_ms - full.at
    if not sign.normal:
        return LatencySign(full.quickest, now_ms)
    if elapsed < WINDOW_MS:
        return full
    slower = full.quickest / sign.normal
    if slower <= SLOWER:
        return LatencySign(min(sign.normal * DRIFT, full.quickest), now_ms)
    above = ABOVE_ANSWERED if slower <= SLOWER * SLOWER else 1.0
    return LatencySign(sign.normal * DRIFT, now_ms, most_per_ms=above * full.answers / elapsed)


def dump(sign: LatencySign) -> str:
    return f"{sign.normal!r} {sign.at!r} {sign.answers} {sign.quickest!r} {sign.most_per_ms!r}"


def parse(text: str) -> LatencySign:
    """Read what ``dump`` wrote. Raises ValueError."""
    normal, at, answers, quickest, most = text.split()
    return LatencySign(float(normal), float(at), int(answers), float(quickest), float(most))
