"""A token and the times that matter in its life. Pure: the caller passes ``now`` and chance."""

from dataclasses import dataclass, field

from holdfast.policy.backoff import Uniform

EARLY = (0.6, 0.8)  # share of its life after which a token is replaced; each process draws its own
RETRY_BASE, RETRY_CAP = 1.0, 15.0  # seconds between questions to an issuer that fails


@dataclass(frozen=True, slots=True)
class Token:
    """Good from ``born`` until ``expires``: seconds on the process's own clock, which never goes back."""

    value: str = field(repr=False)
    born: float
    expires: float

    @property
    def life(self) -> float:
        return self.expires - self.born

    def is_good(self, now: float) -> bool:
        return now < self.expires


def refresh_at(token: Token, uniform: Uniform) -> float:
    """When to look for the next token: well before the end, so that an outage of the issuer goes unnoticed.

    >>> refresh_at(Token("t", born=0.0, expires=3600.0), lambda low, high: high)
    2880.0
    """
    return token.born + token.life * uniform(*EARLY)


def ask_again_in(failures: int, uniform: Uniform) -> float:
    """Seconds until an issuer that failed ``failures`` >= 1 times in a row is asked again.

    Half of the wait is fixed, for one process asks for the whole fleet: there is no herd to spread.

    >>> [ask_again_in(n, lambda low, high: high) for n in (1, 2, 99)]
    [1.0, 2.0, 15.0]
    """
    return min(RETRY_CAP, RETRY_BASE * 2.0 ** min(failures - 1, 9)) * uniform(0.5, 1.0)
