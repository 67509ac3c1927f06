"""Tells from the time that answers take whether a server that refuses nobody has more than it can do.

A server with a queue refuses nothing: under more load than it bears its answers come later, not more often. What is
quick among the first answers, under small load, is normal; a window in which not even the quickest answer takes less
than twice that is the sign. (Answers to long prompts are slow too, but not all of them.) Then the rate of answers is
what the server does: a little more is tried, as long as that costs less than another doubling, for a server that works
on many calls at once does more the more it has. What is normal is forgotten slowly, for prompts change too.
An answer is late also where the process that waits for it is busy itself: then its round trips to Redis, which go
through the same event loop, take long too. What they explain of an answer's lateness says nothing of the server.
The least round trip as the measure of an empty queue is BBR's (Cardwell et al., ACM Queue 14(5), 2016), the limit that
follows from it that of gradient limiters (Netflix, concurrency-limits, ``Gradient2Limit``), here for rates.
"""

from dataclasses import dataclass, replace
from math import inf

FEWEST = 20  # answers that make a window: the quickest of fewer says little
FOLD_MS = 100.0  # a process tells of its answers at most this often
WINDOW_MS = 250.0
SLOWER = 2.0  # times what is normal: the sign
LEAST_NORMAL = 0.025  # seconds: a shorter wait than this is no queue that anybody minds
ABOVE_ANSWERED = 1.1  # times the rate of answers, until they take another SLOWER times as long
DRIFT = 1.001  # a window: some minutes of slow answers are the new normal
OWN_ROUND_TRIPS = 2.0  # round trips to Redis by which a busy process may be late itself: as many turns of its loop


@dataclass(frozen=True, slots=True)
class Answers:
    """``count`` answers of one process since ``since_ms``, of which the quickest took ``quickest`` seconds.

    ``round_trip``: seconds that a round trip to Redis takes this process meanwhile; 0: not known.
    """

    count: int = 0
    quickest: float = inf
    since_ms: float = 0.0
    round_trip: float = 0.0

    def plus(self, count: int, quickest: float, now_ms: float, round_trip: float = 0.0) -> "Answers":
        """Return these answers and others that came by now, when a round trip to Redis took so many seconds."""
        since = self.since_ms if self.count else now_ms
        return Answers(self.count + count, min(self.quickest, quickest), since, round_trip)

    def quickest_there(self, normal: float) -> float:
        """Return the seconds that the server took at least: what this process needs itself explains no more of a late
        answer than it is later than ``normal``.
        """
        return max(min(normal, self.quickest), self.quickest - OWN_ROUND_TRIPS * self.round_trip)

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
    if not sign.normal:
        return LatencySign(answers.quickest, now_ms)
    quickest = min(sign.quickest, answers.quickest_there(sign.normal))
    full = replace(sign, answers=sign.answers + answers.count, quickest=quickest)
    elapsed = now_ms - full.at
    if elapsed < WINDOW_MS:
        return full
    slower = full.quickest / max(LEAST_NORMAL, sign.normal)
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
