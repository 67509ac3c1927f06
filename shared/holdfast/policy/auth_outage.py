"""When a provider's logins are out: several of its credentials are refused together, and none is let in.

What an endpoint's breaker remembers of logins, as a value. The fleet shares it, so what one process hears of one key
and another process of another key come together. While every login works nothing is remembered.
"""

from dataclasses import dataclass

TOGETHER = 2  # credentials
IN_A_ROW = 2  # refusals of one credential; a single one may be a slip of the provider's
REMEMBERED = 60.0  # seconds; what was said earlier was not said together
AT_MOST_EVERY = 1.0  # seconds between two notes of a credential that is let in all the time


@dataclass(frozen=True, slots=True)
class AuthRecord:
    """What the provider last said to one credential. ``refused``: so many times in a row; 0: it was let in.

    ``at``, seconds: when a call that was let in was sent, for it was let in then; when a refusal came back.
    """

    credential: str
    at: float
    refused: int


AuthHistory = tuple[AuthRecord, ...]


def refused(logins: AuthHistory, credential: str, at: float) -> AuthHistory:
    """Note that a credential was refused."""
    before = next((each.refused for each in _young(logins, at) if each.credential == credential), 0)
    return (*_without(_young(logins, at), credential), AuthRecord(credential, at, before + 1))


def accepted(logins: AuthHistory, credential: str, at: float, sent: float) -> AuthHistory:
    """Note that a call of a credential, sent at ``sent`` and answered at ``at``, was let in.

    Returns the same object when that is no news: while nobody is refused, or for a call that was sent before the first
    refusal, as long ones come back well into an outage.
    """
    if not logins:
        return logins
    young = _young(logins, at)
    began = min((each.at for each in young if each.refused), default=None)
    if began is None:
        return ()
    known = next((each for each in young if each.credential == credential), None)
    late = sent < (known.at if known and known.refused else began)
    if late or (known and not known.refused and sent - known.at < AT_MOST_EVERY):
        return logins
    noted = (*_without(young, credential), AuthRecord(credential, sent, 0))
    return noted if any(each.refused for each in noted) else ()


def is_auth_outage(logins: AuthHistory) -> bool:
    """Whether enough credentials are refused, and none is let in: then it is the provider, not the keys."""
    return sum(each.refused >= IN_A_ROW for each in logins) >= TOGETHER and all(each.refused for each in logins)


def _young(logins: AuthHistory, at: float) -> AuthHistory:
    return tuple(each for each in logins if each.at > at - REMEMBERED)


def _without(logins: AuthHistory, credential: str) -> AuthHistory:
    return tuple(each for each in logins if each.credential != credential)
