"""Learn a rate limit that nobody wrote down: from answers' headers at once, else from the provider's refusals.

A provider's limit is a bucket of its own: it fills at a rate and holds a burst, both unknown. The stages:

    growing   go a few times as fast as what was sent proves, as long as nobody refuses: no answer has to come first,
              but where answers are quick it goes faster (``rate_growth.py``)
    restored  an earlier run learned a limit: go up to it eight times as fast as what was sent proves, then guess it
    told      a header named the limit: believe it
    learned   refusals named it: between two moments at which the provider's bucket was empty, it let through what
              flowed in; that number divided by that time is the rate

What was sent proves a rate: a provider that refuses nobody, and whose burst is one second's worth, as most are, let so
many calls through in that time and one second. A refusal comes back within milliseconds, however long calls take: so
growth waits for none of them, and stops at the first sign. The first refusal ends it with the same guess. Then the rate
is set a little above the guess, so that the second moment of emptiness comes soon, and softly: one or two refusals, not
dozens. From then on the rate stays just below what was learned, and creeps up, for limits grow too: the more slowly,
the more often refusals found the same one.

Kept in the bucket's hash, beside the fields of ``rate_limit.py``: ``requests.per_ms`` and ``requests.capacity``, which
the gate's script reads, and ``learn.*``, which ``rate_estimate_codec.py`` reads. Whoever writes them does so by
compare-and-set on ``learn.version``. ``taken`` (permits ever given from the bucket) is counted by the gate's script.
A function that returns the same object has nothing to write.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.model.call_result import LimitSeen
from holdfast.policy.latency_sign import NO_ANSWERS, NO_SIGN, Answers, LatencySign, fold
from holdfast.policy.rate_growth import ABOVE_PROVEN_BEFORE, above_proven
from holdfast.policy.rate_limit import Allowance, per_minute

START_PER_MS = 0.2  # 200 requests a second
START_BURST = 20.0  # requests
START_LEVEL = 3.0  # requests that leave at once: a limit of one a second refuses few of them
SLOWEST_PER_MS = 0.001  # one a second: less is asked of no server
GROWING_BURST_MS = 100.0  # burst while it grows, so that asking every few milliseconds loses nothing
UNUSED_MS = 1_000.0  # without use, what was proven counts from now on: the average of an idle hour proves nothing
FASTEST_PER_MS = 10.0  # 10,000 a second: as good as unlimited
USED = 0.7  # share of the rate that must have been used before a higher one is tried
STEP_MS = 50.0  # rates change at most this often
ABOVE_GUESS = 1.4  # the rate, as a multiple of the first guess, at which the second emptiness is looked for
LEAST_BURST_MS = 100.0  # burst that is always kept, so that asking every few milliseconds loses nothing
GUESS_MS = 8_000.0  # no second emptiness by then: the guess was too low, and growth goes on
GUESS_GROWTH = 1.15  # a second
BELOW_PROBED = 0.8  # of the rate to which a guess had to grow until a refusal came: the limit is hardly lower
BRIEF_MS = 200.0  # a first refusal so soon tells little of the rate: growth goes on at once, by half every second
BRIEF_GROWTH = 1.5
UNDENIED_MS = 2_000.0  # what an earlier run learned, used for so long and not refused, may be exceeded
BELOW_LEARNED = 0.993  # of what was learned is used
SLIP = 0.9  # of a known rate: a refusal that points to less than this denies it
CREEP = 0.001  # of the rate, per second; more and more the longer no refusal came
CREEP_MS = 10_000.0
CONFIRMED_MOST = 3  # refusals in a row that found the same rate: each halves the creeping, for it will be there again
SAME = 0.1  # of a rate: what is that near to it confirms it
MARK_MS = 250.0  # between two marks of what was sent
MARKS = 16  # how many are kept: four seconds
BURST_MS = 1_000.0  # the longest burst anyone is believed to allow
LONGEST_REST_MS = 15_000.0  # between two calls that ask whether a bucket that let nothing through is still empty


class Stage(StrEnum):
    GROWING = "growing"
    RESTORED = "restored"
    GUESSED = "guessed"
    TOLD = "told"
    LEARNED = "learned"


UPWARDS = frozenset({Stage.GROWING, Stage.RESTORED})  # on the way up: no limit was met, told or reached yet


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """What is believed of one bucket's request limit. Times in milliseconds on Redis's clock, rates per millisecond.

    ``changed_at``, ``changed_taken``: time and ``taken`` when the rate was last looked at.
    ``ceiling``: what a header told; 0: nothing. ``kept``: what an earlier run learned; 0: nothing, or it was reached.
    ``empty_at``, ``empty_count``: the last moment of emptiness (0: none), and the calls let through by then.
    ``resumed_at``: the end of the pause that followed. ``refused``: refusals ever.
    ``before_at``, ``before_count``, ``before_resumed_at``: the moment of emptiness before that, and the end of its
    pause. ``before_per_ms``, ``before_capacity``: the rate and the burst at which the last one came; ``before_known``:
    the rate that it has to disprove, 0: none. A straggling refusal corrects the arithmetic by them.
    ``most_burst``: where the first refusal came at once, what a full bucket had let through by then; 0: it did not.
    ``asked``: calls since the last moment of emptiness that found the bucket still empty; ``before_asked``: before it.
    ``confirmed``: refusals in a row that found the rate that was known.
    ``marks``: when how many calls had been let through, a few times a second, lately. ``latency``: whether answers take
    longer than under small load.
    """

    stage: Stage
    per_ms: float
    capacity: float
    changed_at: float
    changed_taken: int = 0
    ceiling: float = 0.0
    kept: float = 0.0
    refused: int = 0
    empty_at: float = 0.0
    empty_count: int = 0
    resumed_at: float = 0.0
    before_at: float = 0.0
    before_count: int = 0
    before_resumed_at: float = 0.0
    before_per_ms: float = 0.0
    before_known: float = 0.0
    before_capacity: float = 0.0
    most_burst: float = 0.0
    asked: int = 0
    before_asked: int = 0
    confirmed: int = 0
    marks: tuple[tuple[float, int], ...] = ()
    latency: LatencySign = NO_SIGN


def begin(now_ms: float, taken: int = 0) -> RateEstimate:
    """Know nothing: a bucket that no limit is written down for, at its first call."""
    return RateEstimate(Stage.GROWING, START_PER_MS, START_BURST, now_ms, taken, before_at=now_ms, before_count=taken)


def restore(kept: Allowance, now_ms: float, *, told: bool = False, met: bool = True) -> RateEstimate:
    """Begin with what an earlier run learned, which may be wrong by now: a limit that is not there costs few refusals.

    ``told``: a header named it. ``met``: it is a limit; False: nobody refused anything at that rate.
    """
    per_ms, ceiling = min(kept.per_ms, FASTEST_PER_MS), kept.per_ms if told else 0.0
    stage = Stage.RESTORED if met else Stage.GROWING
    first = RateEstimate(
        stage, min(per_ms, START_PER_MS), START_BURST, now_ms, ceiling=ceiling, kept=per_ms, before_at=now_ms
    )
    if per_ms > START_PER_MS:
        return first
    if not met:
        return begin(now_ms)
    return _guessed_anew(replace(first, capacity=max(1.0, min(START_BURST, kept.capacity))), now_ms, 0)


def observe_answer(learned: RateEstimate, *, now_ms: float, taken: int, answers: Answers = NO_ANSWERS) -> RateEstimate:
    """Calls came back that were not refused: where the rate was used, a higher one may be tried.

    ``answers``: those of this process since it was last told. On the way up they are counted once they are due.
    """
    if learned.stage in UPWARDS:
        return _observe_latency(learned, answers, now_ms, taken)
    elapsed = now_ms - learned.changed_at
    if elapsed < STEP_MS or now_ms < learned.resumed_at:
        return learned
    used = (taken - learned.changed_taken) / elapsed >= USED * learned.per_ms
    looked = replace(learned, changed_at=now_ms, changed_taken=taken, marks=_marked(learned, now_ms, taken))
    return _raised(looked, min(elapsed, 1_000.0) / 1_000.0) if used else looked


def observe_use(learned: RateEstimate, *, now_ms: float, taken: int) -> RateEstimate:
    """Permits were given, and nobody was refused so far: what they prove may be exceeded."""
    elapsed = now_ms - learned.changed_at
    if learned.latency.most_per_ms:
        return learned
    if learned.stage not in UPWARDS or elapsed < STEP_MS or now_ms < learned.resumed_at:
        return learned
    proven = (taken - learned.before_count) / (now_ms - learned.before_at + BURST_MS)
    above = above_proven(learned.latency.normal)
    per_ms = min(FASTEST_PER_MS, max(above * proven, min(learned.kept, ABOVE_PROVEN_BEFORE * proven)))
    if per_ms > learned.per_ms:
        return _gone_up(learned, per_ms, now_ms, taken)
    if elapsed < UNUSED_MS:
        return learned
    return _proven_anew(learned, now_ms, taken)


def _observe_latency(learned: RateEstimate, answers: Answers, now_ms: float, taken: int) -> RateEstimate:
    """Go hardly faster than answers come, where they take much longer than under small load."""
    if not answers.are_due(now_ms):
        return observe_use(learned, now_ms=now_ms, taken=taken)
    seen = replace(learned, latency=fold(learned.latency, answers, now_ms))
    if not seen.latency.most_per_ms:
        return observe_use(seen, now_ms=now_ms, taken=taken)
    per_ms = min(FASTEST_PER_MS, max(SLOWEST_PER_MS, seen.latency.most_per_ms))
    capacity = max(START_BURST, per_ms * GROWING_BURST_MS)
    return _proven_anew(replace(seen, per_ms=per_ms, capacity=capacity), now_ms, taken)


def _gone_up(learned: RateEstimate, per_ms: float, now_ms: float, taken: int) -> RateEstimate:
    capacity = max(START_BURST, per_ms * GROWING_BURST_MS)
    marks = _marked(learned, now_ms, taken)
    up = replace(learned, per_ms=per_ms, capacity=capacity, changed_at=now_ms, changed_taken=taken, marks=marks)
    if learned.kept and per_ms >= learned.kept:
        if learned.stage is Stage.RESTORED:
            return _guessed_anew(replace(up, per_ms=learned.kept), now_ms, taken)
        return replace(up, kept=0.0)
    return up


def _guessed_anew(learned: RateEstimate, now_ms: float, taken: int) -> RateEstimate:
    """Guess that what an earlier run learned holds. The first refusal is one as if nothing had been known."""
    reached = replace(learned, stage=Stage.GUESSED, kept=0.0, resumed_at=now_ms)
    return replace(reached, changed_at=now_ms, changed_taken=taken)


def _proven_anew(learned: RateEstimate, now_ms: float, taken: int) -> RateEstimate:
    """Count from now on, with what the rate was proven by."""
    above = ABOVE_PROVEN_BEFORE if learned.kept else above_proven(learned.latency.normal)
    credit = int(learned.per_ms / above * BURST_MS) if learned.per_ms > START_PER_MS else 0
    return replace(learned, before_at=now_ms, before_count=taken - credit, changed_at=now_ms, changed_taken=taken)


def observe_refusal(
    learned: RateEstimate, *, now_ms: float, sent_ms: float, taken: int, pause_ms: float
) -> tuple[RateEstimate, float | None]:
    """One 429 came back. ``pause_ms``: how long the bucket now gives nothing.

    Returns: what is believed now, and the level to set (0: the provider has nothing left), or None to leave it.
    """
    refused = learned.refused + 1
    heard = replace(learned, refused=refused, empty_count=taken - refused) if learned.empty_at else learned
    if learned.empty_at and sent_ms <= max(learned.empty_at, learned.resumed_at - 1):
        return _straggled(heard, now_ms)
    if learned.empty_at and heard.empty_count <= learned.empty_count:
        return _still_empty(heard, now_ms)
    emptied = replace(
        learned,
        refused=refused,
        before_at=learned.empty_at or learned.before_at,
        before_count=learned.empty_count if learned.empty_at else learned.before_count,
        before_resumed_at=learned.resumed_at if learned.empty_at else 0.0,
        before_per_ms=learned.per_ms,
        before_known=_known(learned),
        before_capacity=learned.capacity,
        asked=0,
        before_asked=learned.asked,
        confirmed=learned.confirmed + 1,
        empty_at=now_ms,
        empty_count=taken - refused,
        resumed_at=now_ms + pause_ms,
        changed_at=now_ms + pause_ms,
        changed_taken=taken,
    )
    return _estimated(emptied), 0.0


def _straggled(learned: RateEstimate, now_ms: float) -> tuple[RateEstimate, float | None]:
    """Correct what the moment of emptiness told by a call that was on its way then, and was refused, too."""
    if not learned.before_resumed_at or learned.empty_count > learned.before_count:
        return _estimated(learned), None
    stage = learned.stage if learned.before_known else Stage.GUESSED
    before = replace(learned, stage=stage, per_ms=learned.before_per_ms, capacity=learned.before_capacity)
    return _still_empty(replace(before, empty_at=learned.before_at, asked=learned.before_asked), now_ms)


def _still_empty(learned: RateEstimate, now_ms: float) -> tuple[RateEstimate, float]:
    """Nothing was let through since the moment of emptiness: let a call ask when that has lasted twice as long.

    It is a window, of a minute or so, whose calls are used up. Whoever asks each second is refused each second.
    """
    rest = min(LONGEST_REST_MS, now_ms - learned.empty_at)
    at = max(learned.resumed_at, now_ms + rest)
    return replace(learned, resumed_at=at, changed_at=at, asked=learned.asked + 1), -learned.per_ms * (at - now_ms)


def observe_limit(
    learned: RateEstimate, seen: LimitSeen, *, now_ms: float, sent_ms: float, taken: int
) -> tuple[RateEstimate, float | None]:
    """A header named the limit. Returns what is believed now, and the level to set, or None to leave it."""
    allowance = per_minute(seen.per_minute)
    if allowance.per_ms == learned.ceiling and learned.stage in {Stage.TOLD, Stage.LEARNED}:
        return learned, None
    known = replace(learned, ceiling=allowance.per_ms)
    if learned.stage is Stage.LEARNED and learned.per_ms <= allowance.per_ms:
        return known, None
    told = replace(known, stage=Stage.TOLD, kept=0.0, per_ms=allowance.per_ms, capacity=allowance.capacity)
    if learned.stage not in UPWARDS or seen.remaining is None:
        return told, None
    in_flight = max(0, taken - 1)
    flowed_in = (now_ms - sent_ms) * allowance.per_ms
    return told, min(allowance.capacity, max(0.0, seen.remaining - in_flight + flowed_in))


def _marked(learned: RateEstimate, now_ms: float, taken: int) -> tuple[tuple[float, int], ...]:
    if learned.marks and now_ms - learned.marks[-1][0] < MARK_MS:
        return learned.marks
    return (*learned.marks[1 - MARKS :], (now_ms, taken - learned.refused))


def _raised(learned: RateEstimate, seconds: float) -> RateEstimate:
    """Try a higher rate after ``seconds`` in which this one was used. The burst follows it."""
    per_ms = min(FASTEST_PER_MS, learned.per_ms * _growth(learned, seconds))
    if learned.ceiling:
        per_ms = min(per_ms, max(learned.per_ms, learned.ceiling))
    return replace(learned, per_ms=per_ms, capacity=max(learned.capacity, _least_burst(per_ms)))


def _growth(learned: RateEstimate, seconds: float) -> float:
    quiet = learned.changed_at - learned.resumed_at
    match learned.stage:
        case Stage.GUESSED if not learned.refused:
            return float(BRIEF_GROWTH**seconds) if quiet > UNDENIED_MS else 1.0
        case Stage.GUESSED if learned.most_burst:
            return float(BRIEF_GROWTH**seconds)
        case Stage.GUESSED if quiet > GUESS_MS:
            return float(GUESS_GROWTH**seconds)
        case Stage.LEARNED:
            rarer = 2.0 ** min(learned.confirmed, CONFIRMED_MOST)
            return 1 + CREEP / rarer * seconds * (1 + (quiet / CREEP_MS / rarer) ** 3)
        case _:
            return 1.0


def _estimated(learned: RateEstimate) -> RateEstimate:
    """Set the rate from the two last moments of emptiness. The first refusal has only what was sent to go by.

    While the bucket was paused, the provider's own filled too, but no further than its burst.
    """
    if not learned.before_resumed_at:
        return learned if learned.stage is Stage.TOLD else _guessed(learned, _overflowing(learned))
    through = max(1, learned.empty_count - learned.before_count)
    steady = learned.empty_at - learned.before_resumed_at
    known, burst = learned.before_known, learned.before_capacity
    believed_burst = burst / known if known else BURST_MS
    pause = learned.before_resumed_at - learned.before_at
    rate = through / max(1.0, steady + (pause if learned.before_asked else min(pause, believed_burst)))
    if steady >= BURST_MS and not learned.before_asked:
        rate = max(rate, _overflowing(learned))
    if known and rate <= SLIP * known and burst > _least_burst(known):  # first doubt the burst
        capacity = min(burst, max(_least_burst(known), through - known * steady))
        return replace(learned, per_ms=known, capacity=capacity)
    if learned.stage is Stage.TOLD and rate > SLIP * known:
        return learned
    if not known and learned.most_burst:
        return _learned(learned, max(rate, _beyond(learned, learned.most_burst)), learned.most_burst)
    if not known and steady > GUESS_MS:  # it grew: the bucket was not emptied as one of a second's burst would be
        return _learned(learned, max(rate, BELOW_PROBED * learned.before_per_ms), 0.0)
    return _learned(learned, rate, through - rate * steady)


def _beyond(learned: RateEstimate, burst: float) -> float:
    """Return the rate of what came through lately beyond a burst that is known to be no larger."""
    sent = ((learned.empty_at - at, learned.empty_count - count - burst) for at, count in learned.marks)
    return max((through / span for span, through in sent if span >= 2 * MARK_MS), default=0.0)


def _overflowing(learned: RateEstimate) -> float:
    """The lowest rate of a bucket, of one second's worth of burst, that what was sent lately makes empty now.

    A bucket lets through its burst and what flows in, over any time: so the limit is below what came through in the
    time that comes nearest to more, whatever the bucket held before. The arithmetic of network calculus (Le Boudec,
    Thiran, 2001, chapter 1), with a token bucket as arrival curve.
    """
    began = (learned.before_at, learned.before_count)
    spans = ((learned.empty_at - at, learned.empty_count - count) for at, count in (began, *learned.marks))
    return max(max(1, through) / (span + BURST_MS) for span, through in spans if span >= 0)


def _known(learned: RateEstimate) -> float:
    """The rate that a refusal has to disprove; 0: none yet."""
    match learned.stage:
        case Stage.TOLD:
            return learned.ceiling
        case Stage.LEARNED:
            return learned.per_ms
        case _:
            return 0.0


def _learned(learned: RateEstimate, rate: float, burst: float) -> RateEstimate:
    capacity = min(max(_least_burst(rate), burst), max(1.0, rate * BURST_MS))
    per_ms, before = min(rate * BELOW_LEARNED, FASTEST_PER_MS), learned.before_known
    confirmed = learned.confirmed if abs(rate - before) <= SAME * before else 0
    return replace(learned, stage=Stage.LEARNED, per_ms=per_ms, capacity=capacity, confirmed=confirmed)


def _guessed(learned: RateEstimate, rate: float) -> RateEstimate:
    per_ms, first = rate * ABOVE_GUESS, learned.empty_at - learned.before_at
    burst = float(max(1, learned.empty_count - learned.before_count)) if first < BRIEF_MS else 0.0
    capacity = _least_burst(per_ms)
    return replace(learned, stage=Stage.GUESSED, per_ms=per_ms, capacity=capacity, kept=0.0, most_burst=burst)


def _least_burst(per_ms: float) -> float:
    return max(1.0, per_ms * LEAST_BURST_MS)
