"""Jobs whose refusals are in doubt: each may be the job's own, until several different ones are refused in a row.

What a breaker remembers of them, as a value. While every call succeeds nothing is remembered.
"""

from collections.abc import Iterable, Mapping

SEVERAL = 2  # different jobs
NOBODY = ""  # in the place of a job: nobody's in particular, as good as several


Suspects = Mapping[str, float]
"""Jobs by id, and when each was last refused, in seconds."""


def with_suspect(suspects: Suspects, job: str, at: float) -> Suspects:
    """Note that a job was refused."""
    return {**suspects, job: at}


def uncleared(suspects: Suspects, since: float) -> Suspects:
    """Return those that were refused after ``since``: when the latest call that succeeded was sent, say."""
    return {job: at for job, at in suspects.items() if at > since}


def are_several(jobs: Iterable[str], at_most: int = SEVERAL) -> bool:
    """Whether so many different jobs can hardly all be at fault. No more than ``at_most`` are asked for.

    >>> are_several(["a", "a"]), are_several(["a", "b"]), are_several([NOBODY])
    (False, True, True)
    """
    different = set(jobs)
    return NOBODY in different or len(different) >= min(SEVERAL, at_most)
