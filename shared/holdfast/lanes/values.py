"""What the gate answers, and what it shows of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.model.call_result import Dimension

if TYPE_CHECKING:
    from holdfast.policy.admission import Reason
    from holdfast.policy.learned_limit import LimitSource
    from holdfast.policy.outage_sentence import FaultCount

WINDOW = 2_000  # ids of one lane in Redis: a few times what a fleet holds in flight


class BacklogPart(StrEnum):
    """What an offer knows of the backlog in SQL."""

    UNKNOWN = ""  # these jobs, and nothing of others
    PART = "part"  # its head: more may follow
    ALL = "all"  # all that waits


@dataclass(frozen=True, slots=True)
class FetchStatus:
    """How a lane stands after a fetch.

    ``reason`` is None when as many permits were given as asked for. ``retry_in`` is in seconds, until the earliest
    thing that could admit the first waiting job; None when only a hint or an operator can change it. ``window`` is the
    number of ids left in the lane. ``low`` asks this one process to top up the window from SQL.
    """

    reason: "Reason | None"
    retry_in: float | None = None
    window: int = 0
    low: bool = False


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker as it stands: ``retry_in`` seconds until it may probe, ``allowance`` calls while it ramps.

    ``since``: when its outage began, in seconds since the epoch. ``recovering``: calls come back through it step by
    step; one that still ramps while nobody calls is not.
    """

    scope: str
    state: str
    epoch: int
    retry_in: float | None = None
    allowance: float | None = None
    since: float | None = None
    recovering: bool = False


@dataclass(frozen=True, slots=True)
class BucketView:
    """A rate allowance as it stands: units and units per second by dimension; only limited dimensions are listed.

    ``source``: where the rate of requests is from; None: nothing was learned of it, as where it is configured.
    """

    name: str
    level: Mapping[Dimension, float]
    rate: Mapping[Dimension, float]
    capacity: Mapping[Dimension, float]
    paused_for: float = 0.0
    source: "LimitSource | None" = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the gate keeps, at one moment. ``slots`` counts calls in flight by route.

    ``refused`` counts messages whose signature did not verify, ``purged`` keys that held what we did not write.
    """

    breakers: list[BreakerView]
    buckets: list[BucketView]
    slots: Mapping[str, int]
    paused: frozenset[str] = frozenset()
    epoch: str | None = None
    refused: int = 0
    purged: int = 0


@dataclass(frozen=True, slots=True)
class RouteFault:
    """So many calls to ``route`` ended with one kind of fault and one HTTP status; ``is_last``: the newest one did."""

    route: str
    count: "FaultCount"
    is_last: bool = False
