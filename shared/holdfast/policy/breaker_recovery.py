"""How a route recovers: its cool-off, and the ramp of its calls in flight after an outage."""

from math import floor

from holdfast.policy.breaker_rules import Rules


def cool_off(age: float, rules: Rules) -> float:
    """Seconds until the next probe of an outage that is ``age`` seconds old, before jitter.

    A share of the age, so that waiting after the recovery costs no more than that share of the outage; where nobody
    else can take the jobs, of what it is older than ``begins``: until then it is asked each second. Of a long one a
    smaller share, for what was down for hours does not recover by the minute. Where nobody else can take the jobs, a
    share of what it is older than ``young``: what the ramp costs after the recovery has to fit in as well.

    >>> [cool_off(age, Rules()) for age in (0, 100, 1_000, 3_000, 40_000)]
    [1.0, 12.0, 60.0, 120.0, 240.0]
    """
    late = rules.late_share * (age - rules.young)
    return min(rules.cap, max(rules.base, min(rules.knee, rules.share * (age - rules.begins)), late))


def outage_began(since: float | None, recovered: float | None, at: float, rules: Rules) -> float:
    """When the outage began that trips a breaker ``at`` now. The one before went from ``since`` to ``recovered``.

    An outage that comes back within ``relapse`` never ended. One that comes back within as long as it had lasted is its
    next wave: it begins at an age, but at none that would make the wait longer than ``knee``.
    """
    if since is None:
        return at
    if recovered is None or at - recovered <= rules.relapse:
        return min(since, at)
    lasted = recovered - since
    if at - recovered <= min(lasted, rules.relapse_most):
        return at - min(lasted, rules.knee / rules.share)
    return at


def first_ramp(outage: float, probes: int, rules: Rules) -> float | None:
    """Calls that may be in flight after the probe that ended an outage of ``outage`` seconds; None: no cap.

    What was ill for seconds has lost neither its caches nor its capacity, and nobody's queue has grown long. But where
    the ``probes`` of few jobs failed before, only some calls may fail, and the one that came through was luck.
    """
    if rules.ramp_start is None:
        return None
    is_brief = outage < rules.brief and probes >= rules.sure_probes
    return max(rules.ramp_start, rules.ramp_brief) if is_brief else rules.ramp_start


def next_ramp(ramp: float | None, healthy_for: float, rules: Rules) -> float | None:
    """Calls that may be in flight after one more success, ``healthy_for`` seconds after the recovery; None: no cap.

    It grows by rounds: when as many calls succeeded as may be in flight, it is ``ramp_factor`` times as much plus
    ``ramp_step``. So it keeps pace with the calls, short ones and long ones, and calls that hang hold it back. A route
    that others wait for alone grows faster (``ramp_bold``) once several rounds have succeeded (``ramp_sure``) or, where
    calls are long, once it has been well for ``ramp_careful``.
    """
    if ramp is None or healthy_for >= rules.ramp_quiet:
        return None
    is_careful = healthy_for < rules.ramp_careful and ramp < rules.ramp_sure
    factor = rules.ramp_factor if is_careful else rules.ramp_bold
    grown = ramp + (ramp * (factor - 1) + rules.ramp_step) / floor(ramp)
    return None if grown >= rules.ramp_enough else grown
