"""Alerts: troubles of the installation that people are told of, when they begin and when they end."""

from dataclasses import dataclass
from enum import StrEnum


class AlertKind(StrEnum):
    """What is wrong."""

    OUTAGE = "outage"  # a provider is down, and it is not one of our keys
    CREDENTIAL_PARKED = "credential_parked"  # a provider refuses a key
    DEADLINE_AT_RISK = "deadline_at_risk"  # jobs of a lane will be too late at the pace of now
    LEDGER_BROKEN = "ledger_broken"  # an equation over everything stored does not hold
    BUDGET_NEAR = "budget_near"  # most of a month's money is spent


@dataclass(frozen=True, slots=True)
class AlertCondition:
    """One trouble as one look sees it."""

    kind: AlertKind
    """What is wrong."""
    about: str
    """With whom: a provider, a credential, a lane, the ledger, a month."""
    sentence: str
    """What there is to know, for people."""
    since: float | None = None
    """When it began, in seconds since the epoch; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One trouble from its beginning to its end. Times are seconds since the epoch on SQL's clock."""

    id: str
    """Drawn when it is first seen; both of its events name it."""
    kind: str
    """What is wrong, as an AlertKind."""
    about: str
    """With whom."""
    sentence: str
    """What there is to know, of the last look that saw it."""
    since: float
    """When it began."""
    told_at: float | None
    """When people were told that it began. None: it is too young."""
    ended_at: float | None
    """When it was found to be over. None: it lasts."""
