"""The legal moves of a job: who makes each, when, what is written with it, and what it costs to die there.

docs/job-lifecycle.md is made from this table; nothing else moves a job.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.model.job import State


@dataclass(frozen=True, slots=True)
class Move:
    """One move. ``before`` None: the job did not exist."""

    before: State | None
    after: State
    who: str
    """Which process makes it."""
    when: str
    """What it takes for the move to be made."""
    written: str
    """What is written in the same transaction, besides the state."""
    if_it_dies: str
    """What is left where the process dies before the commit: what mends it, and what that costs."""


QUEUED, DELAYED, RUNNING = State.QUEUED, State.DELAYED, State.RUNNING
SUCCEEDED, DEAD, CANCELLED, EXPIRED = State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED

TAKEN_OVER = "the lease's end: the job is queued again, one crash of three is counted"
ASKED_AGAIN = "nothing has changed; ask again"
REPLAYER = "an operator, by whoever works the replay off"
TAKEN_UP = "nothing of its page has moved; another worker works the replay off"
SWEPT = "the next sweep makes it"

MOVES: tuple[Move, ...] = (
    Move(
        None, QUEUED, "a producer", "submit", "the job and its request; from the commit on it is accepted",
        "nothing was accepted; submit again, the same keys are the same jobs",
    ),
    Move(
        None, DELAYED, "a producer", "submit with `not_before`", "the job with `available_at`, and its request",
        "nothing was accepted; submit again, the same keys are the same jobs",
    ),
    Move(
        QUEUED, RUNNING, "a worker", "it holds a permit, and claims", "fence + 1, the worker, an attempt row",
        "the job stays queued; units and slot of the permit come back with the lease's end",
    ),
    Move(QUEUED, CANCELLED, "a producer or operator", "cancel", "the terminal record", ASKED_AGAIN),
    Move(QUEUED, EXPIRED, "a sweeper", "its deadline has passed", "the terminal record", SWEPT),
    Move(DELAYED, QUEUED, "a sweeper", "`available_at` has come", "nothing; the job is offered to its lane", SWEPT),
    Move(DELAYED, CANCELLED, "a producer or operator", "cancel", "the terminal record", ASKED_AGAIN),
    Move(DELAYED, EXPIRED, "a sweeper", "its deadline has passed", "the terminal record", SWEPT),
    Move(
        RUNNING, QUEUED, "its worker, or a sweeper",
        "reroute; handed back, as at a shutdown; by a sweeper, when its worker died",
        "the attempt's end, routes to avoid", TAKEN_OVER,
    ),
    Move(
        RUNNING, DELAYED, "its worker", "retry or snooze",
        "the attempt's end, `available_at`, why it waits, routes to avoid", TAKEN_OVER,
    ),
    Move(
        RUNNING, SUCCEEDED, "its worker", "a reply that passed every check",
        "the attempt's end, the terminal record with the reply", f"{TAKEN_OVER}, and the call is repeated",
    ),
    Move(
        RUNNING, DEAD, "its worker, or a sweeper", "bury; by a sweeper, when three workers died with it",
        "the terminal record with the reason", TAKEN_OVER,
    ),
    Move(
        RUNNING, CANCELLED, "a producer or operator", "cancel; the call goes on, and its result is refused",
        "the terminal record", ASKED_AGAIN,
    ),
    Move(
        RUNNING, EXPIRED, "its worker", "the next try would come after its deadline",
        "the attempt's end, the terminal record", TAKEN_OVER,
    ),
    Move(DEAD, QUEUED, REPLAYER, "replay", "generation + 1, counts from 0, a new deadline", TAKEN_UP),
    Move(
        DEAD, DELAYED, REPLAYER, "replay at a pace: later ones wait for their turn",
        "generation + 1, counts from 0, `available_at`, a new deadline", TAKEN_UP,
    ),
    Move(
        EXPIRED, QUEUED, REPLAYER, "replay, when asked for",
        "generation + 1, counts from 0, a new deadline as long as the first", TAKEN_UP,
    ),
    Move(
        EXPIRED, DELAYED, REPLAYER, "replay at a pace",
        "generation + 1, counts from 0, `available_at`, a new deadline", TAKEN_UP,
    ),
)  # fmt: skip

LEGAL: Mapping[State, frozenset[State]] = {
    before: frozenset(move.after for move in MOVES if move.before is before) for before in State
}
