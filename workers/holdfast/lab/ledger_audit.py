"""The audit: what clients were told, what SQL says and what the providers saw, compared call by call.

I1, I2, I5, I7 and I8 come from SQL's own ledger too; here the providers are the witnesses. A call is known by its tag,
``job_…/generation/number``. Times of providers and of SQL must come from one clock.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from holdfast.lab.providers.calls import SERVED, SeenCall
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import Outcome
from holdfast.model.records import AttemptRecord, LedgerLine, ResultRecord
from holdfast.store import Store
from holdfast.store.jobs import read_history
from holdfast.store.ledger import read_ledger
from holdfast.testing import PRODUCTION, Clock

PAGE = 500  # jobs read at a time
GRACE = 1.0  # real seconds in which a call may still start after its job ended
SHOWN = 100
WINDOWS = (1.0, 10.0)  # seconds, of the providers' sliding windows
UNSENT = frozenset({Outcome.UNKNOWN, Outcome.ABANDONED, Outcome.FAILED, None})  # may have no request at a provider
Key = tuple[str, int]  # a job's generation


@dataclass(frozen=True, slots=True)
class KnownLimit:
    """What a provider was told to allow: requests a second, and a burst."""

    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Ledgers:
    """``calls`` by provider in order of arrival; ``may_repeat``: calls in flight at hard kills, plus ambiguous ends."""

    accepted: Collection[str]
    known: Collection[str]
    attempts: Mapping[str, AttemptRecord]
    ended: Mapping[Key, ResultRecord]
    calls: Mapping[str, Sequence[SeenCall]]
    allowances: Mapping[str, KnownLimit]
    may_repeat: int
    grace: float = GRACE

    @property
    def all_calls(self) -> list[SeenCall]:
        return sorted((call for calls in self.calls.values() for call in calls), key=lambda call: call.started)


def audit(
    store: Store,
    accepted: Collection[str],
    calls: Mapping[str, Sequence[SeenCall]],
    *,
    may_repeat: int = 0,
    allowances: Mapping[str, KnownLimit] | None = None,
) -> list[LedgerLine]:
    """SQL's ledger, followed by what only the three ledgers together can tell. ``accepted`` are inner ids."""
    ledgers = read_ledgers(store, accepted, calls, may_repeat, allowances or {})
    return [*store.read(read_ledger), *compare(ledgers)]


def read_ledgers(
    store: Store,
    accepted: Collection[str],
    calls: Mapping[str, Sequence[SeenCall]],
    may_repeat: int,
    allowances: Mapping[str, KnownLimit],
    *,
    clock: Clock = PRODUCTION.clock,
) -> Ledgers:
    """Read what SQL has of the accepted jobs, and of those the providers saw."""
    seen = {inner_id("job", call.tag.split("/")[0]) for of_one in calls.values() for call in of_one if call.tag}
    known: set[str] = set()
    attempts: dict[str, AttemptRecord] = {}
    ended: dict[Key, ResultRecord] = {}
    ids = sorted(seen | set(accepted))
    for start in range(0, len(ids), PAGE):
        jobs, calls_of_jobs, results = store.read(read_history, ids[start : start + PAGE])
        known |= jobs
        attempts |= {tag_of(attempt): attempt for attempt in calls_of_jobs}
        ended |= {(end.job, end.generation): end for end in results}
    return Ledgers(accepted, known, attempts, ended, calls, allowances, may_repeat, clock.passed(GRACE))


def tag_of(attempt: AttemptRecord) -> str:
    return f"{public_id('job', attempt.job)}/{attempt.generation}/{attempt.number}"


def compare(ledgers: Ledgers) -> list[LedgerLine]:
    """Every line that needs a provider's or a client's testimony."""
    return [_kept(ledgers), _repeats(ledgers), _late(ledgers), _rows(ledgers), _windows(ledgers), _usage(ledgers)]


def _kept(ledgers: Ledgers) -> LedgerLine:
    lost = sorted(set(ledgers.accepted) - set(ledgers.known))
    return _line("I1 told", "every job that a client was told of is in SQL", {"told": len(ledgers.accepted)}, lost)


def _repeats(ledgers: Ledgers) -> LedgerLine:
    """A call after the one that brought the recorded result is never right; after another completed one it may be.

    A hedge is no repetition: its job was not answered yet when it was decided on. Two attempts of one fence are one.
    """
    served: dict[str, SeenCall] = {}
    again, hedged, wrong = 0, 0, []
    for call in sorted(ledgers.all_calls, key=lambda call: call.ended or call.started):
        if call.status == SERVED and call.job:
            served.setdefault(call.job, call)
    for call in ledgers.all_calls:
        first = served.get(call.job)
        if first is None or first is call or call.came_after <= (first.ended or first.started):
            continue
        if _was_sent_before(ledgers, first, call):
            continue
        if _is_hedge(ledgers, first, call):
            hedged += 1
            continue
        again += 1
        attempt, end = ledgers.attempts.get(first.tag), ledgers.ended.get(_key(call.tag))
        if attempt is not None and end is not None and attempt.fence == end.fence:
            wrong.append(call.tag)
    figures = {"repeated": again, "may_repeat": ledgers.may_repeat, "hedged": hedged}
    sentence = "no job is called again after its answer, but where a hard kill cut its call off or nobody knows its end"
    return _line("I3", sentence, figures, wrong, also=again <= ledgers.may_repeat)


def _is_soon(ledgers: Ledgers, first: SeenCall, call: SeenCall) -> bool:
    return call.came_after <= (first.ended or first.started) + ledgers.grace


def _was_sent_before(ledgers: Ledgers, first: SeenCall, call: SeenCall) -> bool:
    """Whether ``call`` is an earlier attempt than ``first``, which was a moment longer on its way."""
    one, other = ledgers.attempts.get(first.tag), ledgers.attempts.get(call.tag)
    return _is_soon(ledgers, first, call) and one is not None and other is not None and other.number < one.number


def _is_hedge(ledgers: Ledgers, first: SeenCall, call: SeenCall) -> bool:
    """Whether ``call`` was sent beside ``first``, or before its answer can have been heard."""
    one, other = ledgers.attempts.get(first.tag), ledgers.attempts.get(call.tag)
    return _is_soon(ledgers, first, call) and one is not None and other is not None and one.fence == other.fence


def _late(ledgers: Ledgers) -> LedgerLine:
    """Calls that began after their job had ended, or after its next attempt had begun."""
    late = []
    for call in ledgers.all_calls:
        if not call.job:
            continue
        end, mine = ledgers.ended.get(_key(call.tag)), ledgers.attempts.get(call.tag)
        after = _next_attempt(ledgers, mine)
        over = min(end.created_at if end else math.inf, after.started_at if after else math.inf)
        if call.came_after > over + ledgers.grace:
            late.append(call.tag)
    return _line("I4", "no call starts 1 s after its job ended, or under an old fence", {}, late)


def _next_attempt(ledgers: Ledgers, attempt: AttemptRecord | None) -> AttemptRecord | None:
    if attempt is None:
        return None
    job, generation, number = public_id("job", attempt.job), attempt.generation, attempt.number
    return ledgers.attempts.get(f"{job}/{generation}/{number + 1}")


def _rows(ledgers: Ledgers) -> LedgerLine:
    """Requests without a row from before their send, twice-sent rows, and rows that claim an answer nobody gave."""
    tags: set[str] = set()
    wrong = []
    for call in ledgers.all_calls:
        attempt = ledgers.attempts.get(call.tag)
        if attempt is None or attempt.started_at > call.started or call.tag in tags:
            wrong.append(call.tag or "a call without a tag")
        tags.add(call.tag)
    rows = {tag: attempt for tag, attempt in ledgers.attempts.items() if tag not in tags}
    wrong += [tag for tag, attempt in rows.items() if attempt.outcome not in UNSENT or attempt.status is not None]
    figures = {"requests": len(tags), "rows": len(ledgers.attempts), "never_arrived": len(rows)}
    return _line(
        "I5 seen", "every request has its own row from before it; every answer in SQL was given", figures, wrong
    )


def _windows(ledgers: Ledgers) -> LedgerLine:
    """The fullest sliding windows of each provider whose allowance is known.

    ``…_seen`` counts what was seen within one; the other figure, which must not be too high, what surely came in it.
    """
    figures, over = {}, []
    for name, allowance in ledgers.allowances.items():
        spans = sorted((call.started, call.came_after) for call in ledgers.calls[name])
        for width in WINDOWS:
            most, at = fullest([(after, seen) for seen, after in spans], width)
            figures[f"{name}_{width:g}s"] = most
            figures[f"{name}_{width:g}s_seen"], _ = fullest([(seen, seen) for seen, _ in spans], width)
            if most > allowance.rate * width + allowance.burst:
                over.append(f"{name}: {most} requests in the {width:g} s before {at:.3f}")
    return _line("I6", "no provider's sliding window sees more than limit + burst", figures, over)


def fullest(spans: Sequence[tuple[float, float]], width: float) -> tuple[int, float]:
    """The most of ``spans`` that surely lie within one window, and when that window ended.

    A span is (after, seen): the call came in between. ``seen`` ascends. A provider that stood still sees late what came
    in time, and that is no burst; a span longer than the window lies in none.

    >>> fullest([(0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (1.2, 1.2), (5.0, 5.0)], 1.0)
    (3, 0.9)
    >>> fullest([(0.0, 0.7), (0.0, 0.7), (0.6, 1.1), (1.1, 1.1)], 1.0)
    (2, 0.7)
    >>> fullest([(0.0, 9.0), (8.5, 9.1), (2.0, 9.2)], 1.0)
    (1, 9.1)
    """
    most, at = 0, 0.0
    within: list[float] = []  # when those that may still lie within came at the earliest
    for after, seen in spans:
        heappush(within, after)
        while within and within[0] <= seen - width:
            heappop(within)
        if len(within) > most:
            most, at = len(within), seen
    return most, at


def _usage(ledgers: Ledgers) -> LedgerLine:
    """Tokens of every answered call, beside those of its row. An answer that its caller never got is ``unknown``."""
    wrong, unheard = [], 0
    for call in ledgers.all_calls:
        attempt = ledgers.attempts.get(call.tag)
        if attempt is None or call.status != SERVED:
            continue
        if attempt.outcome in {Outcome.UNKNOWN, None}:
            unheard += 1
        elif attempt.outcome is Outcome.ABANDONED or _other_usage(attempt, call):
            wrong.append(call.tag)
    figures = {"served": sum(call.status == SERVED for call in ledgers.all_calls), "unheard": unheard}
    return _line(
        "I7 seen", "tokens in SQL are those the providers counted; unheard answers are unknown", figures, wrong
    )


def _other_usage(attempt: AttemptRecord, call: SeenCall) -> bool:
    usage = attempt.usage
    return usage is not None and (usage.input, usage.output) != (call.input_tokens, call.output_tokens)


def _key(tag: str) -> Key:
    job, generation, _ = tag.split("/")
    return inner_id("job", job), int(generation)


def _line(
    name: str, sentence: str, figures: Mapping[str, int], offenders: Iterable[str], *, also: bool = True
) -> LedgerLine:
    found = sorted(set(offenders))
    counted = {**figures, "offenders": len(found)}
    return LedgerLine(name, sentence, holds=also and not found, figures=counted, offenders=tuple(found[:SHOWN]))
