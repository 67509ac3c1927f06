"""Authentication outages: several credentials of a provider are refused together, and none is accepted.

What an endpoint's breaker remembers of its credentials, as a value. The fleet shares it, so that the refusals that one
process saw and those that another one saw count together. While every credential is accepted nothing is remembered.
"""

from dataclasses import dataclass

TOGETHER = 2  # credentials
IN_A_ROW = 2  # refusals of one credential; a single one may be the provider's own mistake
REMEMBERED = 60.0  # seconds; older ones did not come together
AT_MOST_EVERY = 1.0  # seconds between two notes of a credential that is accepted all the time


@dataclass(frozen=True, slots=True)
class AuthRecord:
    """The provider's last answer to one credential."""

    credential: str
    """Its name within the provider."""
    at: float
    """Seconds: when an accepted call was sent, for it was accepted then; when a refusal came back."""
    refused: int
    """Refusals in a row; 0: it was accepted."""


AuthHistory = tuple[AuthRecord, ...]


def refused(history: AuthHistory, credential: str, at: float) -> AuthHistory:
    """Note that a credential was refused."""
    before = next((each.refused for each in _young(history, at) if each.credential == credential), 0)
    return (*_without(_young(history, at), credential), AuthRecord(credential, at, before + 1))


def accepted(history: AuthHistory, credential: str, at: float, sent: float) -> AuthHistory:
    """Note that a call of a credential, sent at ``sent`` and answered at ``at``, was accepted.

    Returns the same object when that changes nothing: while none is refused, or for a call that was sent before the
    first refusal, as long ones come back well into an outage.
    """
    if not history:
        return history
    young = _young(history, at)
    began = min((each.at for each in young if each.refused), default=None)
    if began is None:
        return ()
    known = next((each for each in young if each.credential == credential), None)
    late = sent < (known.at if known and known.refused else began)
    if late or (known and not known.refused and sent - known.at < AT_MOST_EVERY):
        return history
    noted = (*_without(young, credential), AuthRecord(credential, sent, 0))
    return noted if any(each.refused for each in noted) else ()


def is_auth_outage(history: AuthHistory) -> bool:
    """Whether enough credentials are refused, and none is accepted: then it is the provider, not the keys."""
    return sum(each.refused >= IN_A_ROW for each in history) >= TOGETHER and all(each.refused for each in history)


def _young(history: AuthHistory, at: float) -> AuthHistory:
    return tuple(each for each in history if each.at > at - REMEMBERED)


def _without(history: AuthHistory, credential: str) -> AuthHistory:
    return tuple(each for each in history if each.credential != credential)
