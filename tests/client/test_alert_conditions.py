"""What people are told of: providers that are down, and not what our own keys or an operator keep shut."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.client.alert_conditions import budget_conditions, conditions
from holdfast.model.alert import AlertKind
from holdfast.policy.credential_alerts import Alert
from holdfast.policy.outage_sentence import FaultCount, Outage


@dataclass
class Look:
    """As much of an overview as alerts read."""

    routes: list[Any] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    lanes: list[Any] = field(default_factory=list)
    at: float = 1_000.0
    balance: bool = True
    broken: tuple[str, ...] = ()
    login_outages: frozenset[str] = frozenset()

    @property
    def ledger_holds(self):
        return self.balance and not self.broken

    @property
    def books(self):
        return SimpleNamespace(balance=self.balance, accepted=5, accounted=4)

    @property
    def verdict(self):
        return SimpleNamespace(sentence="It is a provider, not us.")


def down(route: str, kind: str = "server_error", **fields):
    faults = [FaultCount(kind, 503 if kind == "server_error" else 401, 7)]
    outage = Outage(route, **{"since": 900.0, "again": 5.0, "faults": faults} | fields)
    return SimpleNamespace(
        state=SimpleNamespace(route=SimpleNamespace(provider=route.partition("/")[0])), outage=outage
    )


def found(look: Look) -> list[tuple[str, str]]:
    return [(each.kind.value, each.about) for each in conditions(look)]


def test_routes_of_one_provider_are_one_outage_with_the_verdicts_sentence() -> None:
    look = Look(routes=[down("a/m"), down("a/n", since=950.0), down("b/m")])
    assert found(look) == [("outage", "a"), ("outage", "b")]
    first = conditions(look)[0]
    assert first.since == 900.0
    assert first.sentence.startswith("It is a provider, not us: a/m is down")


def test_what_an_operator_or_a_key_of_ours_keeps_shut_is_no_outage() -> None:
    assert found(Look(routes=[down("a/m", faults=[], again=None), down("b/m", "auth")])) == []


def test_logins_of_a_provider_that_are_out_are_its_outage() -> None:
    look = Look(routes=[down("a/m", "auth")], login_outages=frozenset({"a"}))
    assert found(look) == [("outage", "a")]


def test_a_key_that_a_provider_refuses_without_a_fault_of_the_key_is_not_called_ours() -> None:
    parked = Alert("credential_down", "a/main", 70.0, "a refuses credential a/main.", ours=False)
    [told] = conditions(Look(alerts=[parked]))
    assert told.kind is AlertKind.CREDENTIAL_PARKED
    assert told.sentence == "It is a provider, not us: a refuses credential a/main."


def test_a_parked_credential_deadlines_and_the_ledger_are_told() -> None:
    lane = SimpleNamespace(name="smart.batch", at_risk=1_200)
    look = Look(
        alerts=[Alert("credential_down", "a/main", 70.0, "credential a/main: renew it.")], lanes=[lane], balance=False
    )
    assert found(look) == [
        ("credential_parked", "a/main"),
        ("deadline_at_risk", "smart.batch"),
        ("ledger_broken", "ledger"),
    ]
    assert conditions(look)[0].since == 930.0
    assert conditions(look)[1].sentence.startswith("1,200 jobs of lane smart.batch will be too late")


def test_a_ledger_that_balances_but_did_not_hold_when_all_was_counted_is_told() -> None:
    look = Look(broken=("one terminal record per generation that ended",))
    assert found(look) == [("ledger_broken", "ledger")]
    assert conditions(look)[0].sentence == (
        "It is us: of the ledger this does not hold: one terminal record per generation that ended. "
        "`holdfast ledger` names the jobs."
    )


@pytest.mark.parametrize(("spent", "budget", "near"), [(79.9, 100.0, 0), (80.0, 100.0, 1), (500.0, None, 0)])
def test_a_budget_is_near_from_four_fifths_on(spent, budget, near) -> None:
    told = budget_conditions(spent, budget, 1_790_000_000.0)
    assert [each.kind for each in told] == [AlertKind.BUDGET_NEAR] * near
