"""How the routes of a plan are, as one process sees it at one moment."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from holdfast.policy.targets import Target


@dataclass(frozen=True, slots=True)
class Health:
    """How the routes of a plan are, by name."""

    open_routes: frozenset[str] = field(default_factory=frozenset)
    """Those that admit nothing now, with every credential they have."""
    failing_routes: frozenset[str] = field(default_factory=frozenset)
    """Those whose breaker opened and has not closed since, though a probe may be due: calls there have little hope."""
    degraded: frozenset[str] = field(default_factory=frozenset)
    """Those on probation after an outage, or that lately failed many jobs, if not all: ``error_burst``."""
    believed: frozenset[str] = field(default_factory=frozenset)
    """Those that call a request wrong and are believed: ``client_errors``."""

    def besides(self, *, error_bursts: frozenset[str], degraded: frozenset[str]) -> "Health":
        """What the gate says, and what this process saw: routes in an error burst are shut, others fail many jobs."""
        if not error_bursts and not degraded:
            return self
        return replace(self, open_routes=self.open_routes | error_bursts, degraded=self.degraded | degraded)


def health_of(
    targets: Iterable[Target],
    *,
    ill: AbstractSet[str],
    shut: AbstractSet[str],
    ramping: AbstractSet[str],
    paused: Collection[str],
    believed: AbstractSet[str] = frozenset(),
) -> Health:
    """Tell how routes are by what guards their targets.

    ``ill``: scopes of breakers that opened and have not closed since; ``shut``: those of them that admit nothing now;
    ``ramping``: those that are closed and on probation. ``paused``: buckets that rest. A route admits nothing when that
    holds with every credential it has, and is on probation while none of its targets has proved itself. ``believed``:
    scopes of routes whose client errors are each job's own.
    """
    targets = tuple(targets)
    admitting = {each.name for each in targets if each.bucket not in paused and shut.isdisjoint(each.scopes)}
    well = {each.name for each in targets if ill.isdisjoint(each.scopes)}
    proved = {each.name for each in targets if ramping.isdisjoint(each.scopes)}
    names = frozenset(each.name for each in targets)
    right = frozenset(each.name for each in targets if not believed.isdisjoint(each.scopes))
    return Health(names - admitting, names - well, names - proved, right)
