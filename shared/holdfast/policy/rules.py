"""The numbers of a breaker, and which kind of breaker goes by which."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.policy.verdict import ScopeKind


@dataclass(frozen=True, slots=True)
class Rules:
    """When a breaker opens, how long it stays open, and how it comes back. Times in seconds.

    It opens on ``consecutive`` faults in a row; or when ``ratio`` of the last ``window_least`` to ``window`` calls
    within ``window_seconds`` failed; or when ``slow`` calls in flight passed the slow threshold with no success
    between them; or when half of ``storm`` or more calls within ``storm_seconds`` had their jobs called wrong, which
    parks it. None switches a reason off. Where nothing came from the provider itself, it takes ``witnesses`` hosts
    to open it: one that alone cannot reach a provider has a broken link, not the fleet an outage.

    It stays open for ``share`` of the age of the outage, within ``base`` and ``cap``, ± ``jitter``; after a fatal
    verdict at least ``park``. An outage that comes back within ``relapse`` after recovery goes on ageing.

    One probe at a time, each for at most ``probe_lease``; then the ramp: ``ramp_start`` calls in flight, for each
    success times ``ramp_factor`` plus ``ramp_step``, no cap from ``ramp_enough`` on or ``ramp_quiet`` after recovery.
    """

    consecutive: int = 5
    ratio: float | None = 0.5
    window: int = 20
    window_least: int = 10
    window_seconds: float = 120.0
    storm: int | None = 10
    storm_seconds: float = 60.0
    slow: int | None = 3
    witnesses: int = 1
    share: float = 0.15
    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.2
    park: float = 30.0
    relapse: float = 60.0
    probe_lease: float = 20.0
    ramp_start: float | None = 2.0
    ramp_factor: float = 1.25
    ramp_step: float = 0.5
    ramp_enough: float = 1000.0
    ramp_quiet: float = 300.0

    def but(self, overrides: Mapping[str, float]) -> "Rules":
        """Return these rules with some of them set by the operator."""
        return replace(self, **overrides)  # type: ignore[arg-type]  # counts come as ints from the settings


RULES: Mapping[ScopeKind, Rules] = {
    ScopeKind.ROUTE: Rules(witnesses=2),
    # A key is right or wrong: no ratio, no slowness, and no ramp, for nothing was overloaded.
    ScopeKind.CREDENTIAL: Rules(consecutive=2, ratio=None, slow=None, ramp_start=None),
    ScopeKind.ENDPOINT: Rules(ratio=None, slow=None, witnesses=2),
}

# How one process keeps away from a provider that it cannot reach, while other hosts may: it tries again often, for
# nobody else is asked, and it needs no ramp, for the fleet's breaker guards the provider.
OWN_LINK = Rules(consecutive=3, ratio=None, slow=None, cap=10.0, probe_lease=2.0, ramp_start=None)
