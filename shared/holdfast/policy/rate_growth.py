"""How many times as fast as what was sent proves a rate goes up that nobody knows the limit of.

The limit is met at that multiple of it, and what is sent beyond it until the first refusal is heard is refused, too:

    refused at the first meeting = (multiple - 1) * limit * time until a refusal is heard

A refusal comes back as soon as the quickest answers do, or sooner. So a multiple that lets the same share of a
second's limit be refused is the greater, the quicker answers are. Against a server that answers at once, and that no
limit holds back, a pool is at full speed after a third of a second instead of two.
"""

ABOVE_PROVEN = 3.7  # where nothing is known of answers yet, or where they take long: refusals come back within 20 ms
ABOVE_PROVEN_MOST = 12.0  # however quick answers are
ABOVE_PROVEN_BEFORE = 8.0  # up to a rate that an earlier run found: it is probably there again
UNHEARD = 0.1  # of a second's limit: what may be refused at the first meeting
HEARD = 0.009  # seconds that a process takes to hear of a refusal, beyond what a quick answer takes


def above_proven(quick: float) -> float:
    """Return the multiple where quick answers take ``quick`` seconds; 0: nobody knows yet.

    >>> [round(above_proven(quick), 1) for quick in (0.0, 0.001, 0.005, 0.2)]
    [3.7, 11.0, 8.1, 3.7]
    """
    if not quick:
        return ABOVE_PROVEN
    return min(ABOVE_PROVEN_MOST, max(ABOVE_PROVEN, 1.0 + UNHEARD / (quick + HEARD)))
