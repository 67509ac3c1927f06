"""What a caller would like (RFC 7240): to be answered when there is something to tell, instead of at once."""

import re
from typing import Annotated

from fastapi import Header

LONGEST_WAIT = 60.0  # seconds
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
Prefer = Annotated[
    str | None, Header(description="`wait=N`: answer when there is something to tell, or after N seconds")
]


def wanted_wait(prefer: str | None) -> float:
    """Read the seconds that a Prefer header asks to wait.

    >>> wanted_wait("respond-async, Wait=30"), wanted_wait("wait=600"), wanted_wait(None)
    (30.0, 60.0, 0.0)
    """
    found = WAIT.search(prefer or "")
    return min(LONGEST_WAIT, float(found[1])) if found else 0.0


def applied(wait: float) -> dict[str, str]:
    """Tell that a wish to wait was followed."""
    return {"preference-applied": f"wait={wait:g}"} if wait else {}
