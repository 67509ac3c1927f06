"""How a burst of client errors ends: a route that calls everybody wrong is ill, or everybody called it wrong.

From outside both look the same: no job succeeds, and nothing tells whose fault it is. So the route is shut, and one job
after another asks whether it still says so, in steps that double. Where the answer names the part of the request that
is wrong, a handful of them settles it; where nobody was ever answered, a few more. A refusal that names nothing, of a
route that answered before, may be an outage, and is given longer than one lasts. Then the refusals are believed: the
route is open again, and each job is asked once and ends with its own answer.
"""

from holdfast.policy.breaker_rules import Rules


def wrong_cool_off(wrong: int, rules: Rules) -> float:
    """Seconds until the next probe of a burst after ``wrong`` probes that were called wrong, before jitter.

    >>> [wrong_cool_off(wrong, Rules()) for wrong in (0, 1, 4, 20)]
    [1.0, 2.0, 16.0, 240.0]
    """
    return float(min(rules.cap, rules.wrong_base * 2.0 ** min(wrong, 32)))


def is_believed(wrong: int, age: float, rules: Rules, *, names_part: bool, replied: bool) -> bool:
    """Whether ``wrong`` probes in a row that were called wrong settle that the jobs are, ``age`` seconds into it.

    ``names_part``: the last answer names the part of the request that is wrong.
    ``replied``: a call there ever brought a reply, as far as anybody remembers.
    """
    enough = rules.wrong_probes if names_part else rules.wrong_unnamed if not replied else None
    return age >= rules.wrong_seconds or (enough is not None and wrong >= enough)
