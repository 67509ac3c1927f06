"""The numbers of a breaker, and which kind of breaker goes by which."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from holdfast.model.route import Plan
from holdfast.policy.signals import ScopeKind, scope_kind, scope_names


@dataclass(frozen=True, slots=True)
class Rules:
    """When a breaker opens, how long it stays open, and how it comes back. Times in seconds.

    It opens on ``consecutive`` faults in a row; or when ``ratio`` of the last ``window_least`` to ``window`` calls
    within ``window_seconds`` failed; or when ``slow`` calls in flight passed the slow threshold, where each success
    makes up for ``forgives`` of one; or when half of ``error_burst`` or more calls within ``error_burst_seconds`` were
    client errors. None switches a reason off. Where nothing came from the provider itself,
    it takes ``reporters`` hosts to open it: one that alone cannot reach a provider has a broken link, not the fleet an
    outage.

    It stays open for ``share`` of what the outage is older than ``begins``, up to ``knee``, and of a long one for
    ``late_share`` of what it is older than ``young``, within ``base`` and ``cap``, ± ``jitter``; after a fatal signal
    at least ``park``. An outage that comes back within ``relapse`` after recovery goes on ageing; one that comes back
    within as long as it had lasted, and at most ``relapse_most``, begins at an age.

    After a burst of client errors it stays open for ``wrong_base``, and twice as long after each probe that is called
    wrong, too. They are believed after ``wrong_probes`` of them where the answer names what is wrong, after
    ``wrong_unnamed`` where no call there ever brought a reply, else after ``wrong_seconds``, which is longer than an
    outage of that kind lasts; and from then on for ``believed_seconds`` after each.

    One probe at a time, each for at most ``probe_lease``, which is longer than a call takes to be slow. Then the ramp:
    ``ramp_start`` calls in flight, ``ramp_brief`` after an outage of less than ``brief`` in which the probes of
    ``sure_probes`` jobs failed; after each round of successes times ``ramp_factor`` plus ``ramp_step``, times
    ``ramp_bold`` once it has been well for ``ramp_careful`` or has grown to ``ramp_sure``, whichever is sooner; no cap
    from ``ramp_enough`` on or ``ramp_quiet`` after recovery. While it ramps a route is on probation: ``ramp_least``
    calls are enough to judge it by ``ratio``, and a failure starts the ramp anew where ``ramp_anew`` says so.
    """

    consecutive: int = 5
    ratio: float | None = 0.5
    window: int = 20
    window_least: int = 10
    window_seconds: float = 120.0
    error_burst: int | None = 10
    error_burst_seconds: float = 60.0
    wrong_base: float = 1.0
    wrong_probes: int = 5
    wrong_unnamed: int = 8
    wrong_seconds: float = 7_200.0
    believed_seconds: float = 60.0
    slow: int | None = 3
    forgives: float = 0.05
    reporters: int = 1
    share: float = 0.12
    begins: float = 0.0
    base: float = 1.0
    knee: float = 60.0
    late_share: float = 0.04
    young: float = 0.0
    cap: float = 240.0
    jitter: float = 0.2
    park: float = 30.0
    relapse: float = 60.0
    relapse_most: float = 600.0
    probe_lease: float = 25.0
    ramp_start: float | None = 2.0
    ramp_brief: float = 2.0
    brief: float = 60.0
    sure_probes: int = 8
    ramp_factor: float = 1.25
    ramp_step: float = 0.5
    ramp_careful: float = 6.0
    ramp_sure: float = 5.0
    ramp_bold: float = 1.25
    ramp_enough: float = 1000.0
    ramp_quiet: float = 300.0
    ramp_least: int = 3
    ramp_anew: bool = True

    def overridden(self, overrides: Mapping[str, float]) -> "Rules":
        """Return these rules with some of them set by the operator."""
        return replace(self, **overrides)  # type: ignore[arg-type]  # counts come as ints from the settings


RULES: Mapping[ScopeKind, Rules] = {
    ScopeKind.ROUTE: Rules(reporters=2),
    # A key is right or wrong: no ratio, no slowness, and no ramp, for nothing was overloaded.
    ScopeKind.CREDENTIAL: Rules(consecutive=2, ratio=None, slow=None, ramp_start=None),
    ScopeKind.ENDPOINT: Rules(ratio=None, slow=None, reporters=2),
}

# What no plan has an alternative to. Half of the calls through it are better than none, so it opens only when hardly
# any comes through. Whoever waits, waits for it alone: so it is asked a little more often than others while the outage
# is young, and trusted faster once it has been well for a while, or had been ill for seconds only. Of a long outage a
# probe is all that anybody gets.
_alone = partial(Rules, begins=10.0, knee=22.0, late_share=0.055, young=130.0, cap=300.0)
NO_ALTERNATIVE: Mapping[ScopeKind, Rules] = {
    ScopeKind.ROUTE: _alone(
        consecutive=10,
        ratio=0.85,
        window_least=20,
        slow=10,
        forgives=1.0,
        reporters=2,
        relapse=15.0,
        ramp_brief=8.0,
        ramp_bold=2.0,
        ramp_least=20,
        ramp_anew=False,
    ),
    ScopeKind.CREDENTIAL: _alone(consecutive=5, ratio=None, slow=None, ramp_start=None),
    ScopeKind.ENDPOINT: _alone(consecutive=10, ratio=None, slow=None, reporters=2, ramp_brief=8.0, ramp_bold=2.0),
}

# How one process keeps away from a provider that it cannot reach, while other hosts may: it tries again often, for
# nobody else is asked, and it needs no ramp, for the fleet's breaker guards the provider.
OWN_LINK = Rules(consecutive=3, ratio=None, slow=None, cap=10.0, probe_lease=2.0, ramp_start=None)

RulesOf = Callable[[str], Rules]  # the rules of a breaker, by the name of its scope


def default_rules(scope: str) -> Rules:
    """Return the rules of a breaker where the plans are not known: every route counts as having an alternative."""
    return RULES[scope_kind(scope)]


def rules_for(scope: str, plans: Iterable[Plan]) -> Rules:
    """The rules of a breaker, by the name of what it guards: ``NO_ALTERNATIVE`` where some plan has no way around it.

    A breaker is shared by all plans that go through it. One without an alternative decides for all: the others pay a
    reroute for each call that fails a little longer, while its own jobs would wait behind a breaker that opens early.

    ``plans`` are those of the configuration, the same in every process, or the fleet would not agree. What none of
    them goes through is taken by jobs that name a route directly, and these have no other.

    >>> rules_for("route:a/m", []) is NO_ALTERNATIVE[ScopeKind.ROUTE]
    True
    """
    ways = [_ways(plan) for plan in plans]
    through = [way for way in ways if any(scope in target for target in way)]
    alone = not through or any(all(scope in target for target in way) for way in through)
    return (NO_ALTERNATIVE if alone else RULES)[scope_kind(scope)]


def _ways(plan: Plan) -> list[frozenset[str]]:
    """The breakers of each target of a plan."""
    return [
        frozenset(scope_names(route.provider, route.model, credential).values())
        for route in plan.routes
        for credential in route.credentials
    ]
