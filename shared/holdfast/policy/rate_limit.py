"""Rate allowances: units that flow in continuously, are taken before a call, and settled after it.

This arithmetic is the oracle of the gate's Lua: the same formulas, in milliseconds. The hash of a bucket in Redis
holds, for each dimension D in ``requests``, ``input_tokens``, ``output_tokens``:

    D.per_ms    units that flow in per millisecond; field absent: the dimension is unlimited
    D.capacity  units the bucket holds
    D.level     units now there; below zero is debt
    D.at        milliseconds: when ``level`` was true

and, for the bucket as a whole, ``paused_until`` (milliseconds, absent or 0: not paused) and ``taken`` (how many permits
the gate ever gave from this bucket: it only counts up, and the learner of ``rate_estimate.py`` reads it).
A bucket whose ``level`` is absent is full.

A wait of more than TRUSTED_PAUSE that a provider asks for is not believed: the bucket rests for a few seconds, then one
call asks, and the bucket rests again, for longer each time, until a reply ends it. ``ask_after`` (seconds, absent or 0:
nothing of the kind) is how long it rested last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from holdfast.model.call_result import Dimension

RATE_USED = 0.995  # of a known limit
SPECK = 1e-9  # units: less is a rounding error, and nobody waits for it
BURST_USED = 0.85  # of one second's worth of it
LATE_AFTER = 1 - BURST_USED  # seconds between a permit and its call: what the rest of the burst makes up for
# A late permit of at most OLD seconds takes nothing anew where its bucket held at most HIGH of its capacity for 1 s:
# those units, and the calls of OLD that have not left, do not fill the bucket of one second's worth at the provider.
OLD = 0.5
HIGH = 0.4  # bucket.lua follows it
# Of a wait that is not believed; bucket.lua follows them.
TRUSTED_PAUSE = 600.0  # seconds
FIRST_REST, LONGEST_REST = 5.0, 600.0  # seconds until one call asks


@dataclass(frozen=True, slots=True)
class Allowance:
    """``per_ms`` > 0 units a millisecond flow in; at most ``capacity`` > 0 are kept."""

    per_ms: float
    capacity: float


@dataclass(frozen=True, slots=True)
class Level:
    """``units`` at ``at_ms``. Negative units are debt."""

    units: float
    at_ms: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing was taken; ask again ``ms`` from now."""

    ms: float


def per_minute(units: float) -> Allowance:
    """Return the allowance for a known limit: continuous flow, about one second's worth of burst, at least one unit.

    A little is left to the provider: calls reach it some milliseconds later than they left, and what flows into its
    full bucket meanwhile is lost. The part of the burst left alone covers a start that is 150 ms late.

    >>> per_minute(3000)
    Allowance(per_ms=0.04975, capacity=42.5)
    """
    return Allowance(units / 60_000 * RATE_USED, max(1.0, units / 60 * BURST_USED))


def next_rest(before: float) -> float:
    """Return how long a bucket rests that asks whether a wait is over. ``before``: how long it rested last; 0: not yet.

    >>> [next_rest(seconds) for seconds in (0.0, 5.0, 10.0, 400.0)]
    [5.0, 10.0, 20.0, 600.0]
    """
    return min(LONGEST_REST, 2 * before) if before else FIRST_REST


def is_late(seconds: float) -> bool:
    """Whether a call that leaves ``seconds`` after it was asked for must take its units anew.

    Calls that leave within LATE_AFTER of their units show a provider at most capacity + rate * (1 s + LATE_AFTER) in
    any second, which is one second's worth of rate and burst each. Later ones could come on top of others'.
    """
    return seconds > LATE_AFTER


def refill(level: Level, allowance: Allowance, now_ms: float) -> Level:
    """Let flow in what came since. A clock that went back lets nothing flow."""
    return Level(_units(level, allowance, now_ms), max(level.at_ms, now_ms))


def wait_for(level: Level, allowance: Allowance, cost: float, now_ms: float) -> float:
    """Milliseconds until ``cost`` may be taken, 0 when it may now. A cost beyond the capacity needs a full bucket."""
    return _lack(_units(level, allowance, now_ms), allowance, cost)


def take(
    levels: Mapping[Dimension, Level],
    allowances: Mapping[Dimension, Allowance],
    costs: Mapping[Dimension, float],
    now_ms: float,
    paused_until_ms: float = 0.0,
) -> Mapping[Dimension, Level] | Wait:
    """Take every cost, or none. A dimension without an allowance is unlimited; one without a level is full.

    The whole cost is taken even where it exceeds the capacity: the level goes into debt and the next call waits longer.
    """
    wait, after = max(0.0, paused_until_ms - now_ms), {}
    for dimension, allowance in allowances.items():
        cost = costs.get(dimension, 0.0)
        level = levels.get(dimension) or Level(allowance.capacity, now_ms)
        units = _units(level, allowance, now_ms)
        wait = max(wait, _lack(units, allowance, cost))
        after[dimension] = Level(units - cost, max(level.at_ms, now_ms))
    return Wait(wait) if wait > 0 else after


def settle(level: Level, allowance: Allowance, reserved: float, used: float, now_ms: float) -> Level:
    """Correct a reservation to real usage: give back what was too much, charge what was too little."""
    here = refill(level, allowance, now_ms)
    return replace(here, units=min(allowance.capacity, here.units + reserved - used))


def _units(level: Level, allowance: Allowance, now_ms: float) -> float:
    elapsed = max(0.0, now_ms - level.at_ms)
    return min(allowance.capacity, level.units + elapsed * allowance.per_ms)


def _lack(units: float, allowance: Allowance, cost: float) -> float:
    missing = min(cost, allowance.capacity) - units
    return 0.0 if missing <= SPECK else max(1.0, float(ceil(missing / allowance.per_ms)))
