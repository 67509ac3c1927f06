"""What people should be told of, from one look at everything: the same facts and sentences as the dashboard's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from holdfast.client.overview import Overview
from holdfast.model.alert import AlertCondition, AlertKind
from holdfast.policy.outage_sentence import Outage
from holdfast.policy.verdict import Situation, is_ours, verdict

NEAR = 0.8  # of a budget


def conditions(overview: Overview) -> list[AlertCondition]:
    """List the troubles of one moment, each with whom and since when."""
    return [*_outages(overview), *_credentials(overview), *_deadlines(overview), *_ledger(overview)]


def _outages(overview: Overview) -> Iterator[AlertCondition]:
    """Yield providers that are down. What our keys or an operator keep shut is told in other words, or known."""
    by_provider: dict[str, list[Outage]] = {}
    for route in overview.routes:
        if route.outage is not None and route.outage.faults and not is_ours(route.outage, overview.login_outages):
            by_provider.setdefault(route.state.route.provider, []).append(route.outage)
    for provider, outages in by_provider.items():
        told = verdict(Situation(outages=outages, auth_outages=overview.login_outages))
        yield AlertCondition(AlertKind.OUTAGE, provider, told.sentence, told.since)


def _credentials(overview: Overview) -> Iterator[AlertCondition]:
    for alert in overview.alerts:
        if alert.kind == "credential_down":
            text = f"It is {'us' if alert.ours else 'a provider, not us'}: {alert.text}"
            yield AlertCondition(AlertKind.CREDENTIAL_PARKED, alert.about, text, overview.at - alert.down_for)


def _deadlines(overview: Overview) -> Iterator[AlertCondition]:
    for lane in overview.lanes:
        if lane.at_risk:
            jobs = "1 job" if lane.at_risk == 1 else f"{lane.at_risk:,} jobs"
            text = f"{jobs} of lane {lane.name} will be too late at the pace of now. {overview.verdict.sentence}"
            yield AlertCondition(AlertKind.DEADLINE_AT_RISK, lane.name, text)


def _ledger(overview: Overview) -> Iterator[AlertCondition]:
    """Yield a ledger that does not balance now, or that did not hold when everything was last counted."""
    books = overview.books
    if not overview.ledger_holds:
        what = (
            f"of the ledger this does not hold: {overview.broken[0]}"
            if books.balance
            else f"accepted {books.accepted:,} jobs, accounted for {books.accounted:,}"
        )
        yield AlertCondition(AlertKind.LEDGER_BROKEN, "ledger", f"It is us: {what}. `holdfast ledger` names the jobs.")


def budget_conditions(spent: float, budget: float | None, now: float) -> Sequence[AlertCondition]:
    """Tell that most of a month's budget is spent. ``spent`` in USD since the month began.

    >>> [each.sentence for each in budget_conditions(81.0, 100.0, 1_790_000_000.0)]
    ['$81.00 of the $100.00 for 2026-09 are spent.']
    """
    if not budget or spent < budget * NEAR:
        return ()
    month = month_of(now)
    text = f"${spent:,.2f} of the ${budget:,.2f} for {month} are spent."
    return (AlertCondition(AlertKind.BUDGET_NEAR, month, text),)


def month_of(now: float) -> str:
    """Name the calendar month (UTC) of a moment in seconds since the epoch."""
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m}"
