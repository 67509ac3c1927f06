"""The verdict says whose fault it is, and what is broken here comes before what is broken elsewhere."""

import pytest

from holdfast.policy.deadlines import at_risk
from holdfast.policy.outage_sentence import FaultCount, Outage
from holdfast.policy.verdict import HealthState, Situation, verdict

DOWN = Outage("a/m", 1_790_000_000.0, 3.0, [FaultCount("server_error", 503, 21)], waiting=7)
LATER = Outage("b/n", 1_790_000_060.0, 5.0, [FaultCount("overloaded", 529, 3)], ("a/m",))


def outage(kind: str, status: int | None = None) -> Outage:
    return Outage("a/m", 1_790_000_000.0, 3.0, [FaultCount(kind, status, 5)])


def test_where_nothing_is_wrong_it_says_so_and_how_much_waits() -> None:
    assert verdict(Situation()).sentence == "All is well: every route takes calls; nothing waits."
    found = verdict(Situation(waiting=1_234))
    assert (found.state, found.since) == (HealthState.HEALTHY, None)
    assert "1,234 jobs wait" in found.sentence


def test_an_outage_is_the_providers_since_it_began() -> None:
    found = verdict(Situation(outages=[LATER, DOWN], waiting=7))
    assert (found.state, found.cause, found.since) == (HealthState.PROVIDER, "outage", 1_790_000_000.0)
    assert found.sentence.startswith("It is a provider, not us: a/m is down since 14:13 UTC (HTTP 503, 21 calls)")
    assert "; b/n is down too; " in found.sentence


@pytest.mark.parametrize(
    ("kind", "status"), [("auth", 401), ("spend_limit", 402), ("no_token", None), ("clock_skew", 403)]
)
def test_a_key_our_money_and_our_clock_are_ours(kind: str, status: int | None) -> None:
    assert verdict(Situation(outages=[outage(kind, status)])).state is HealthState.US


def test_keys_that_a_provider_refuses_all_at_once_are_its_fault() -> None:
    found = verdict(Situation(outages=[outage("auth", 401)], auth_outages={"a"}))
    assert found.state is HealthState.PROVIDER


def test_a_route_that_an_operator_stopped_is_ours() -> None:
    found = verdict(Situation(outages=[Outage("a/m", 1_790_000_000.0, None)]))
    assert (found.state, found.cause) == (HealthState.US, "stopped")


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ({"storage": "it is full"}, "storage"),
        ({"ledger_broken": True}, "ledger"),
        ({"redis": "Redis does not answer."}, "redis"),
        ({"has_workers": False}, "no_worker"),
        ({"unusable": ["no key for smart."]}, "no_key"),
    ],
)
def test_what_is_broken_here_comes_first(broken: dict[str, object], cause: str) -> None:
    found = verdict(Situation(outages=[DOWN], waiting=7, **broken))  # type: ignore[arg-type] # one field each
    assert (found.state, found.cause) == (HealthState.US, cause)
    assert not found.sentence.endswith("..")


def test_no_worker_is_no_trouble_while_nothing_waits() -> None:
    assert verdict(Situation(has_workers=False)).state is HealthState.HEALTHY


def test_without_workers_it_is_us_since_the_last_one_ended() -> None:
    found = verdict(Situation(has_workers=False, waiting=7, workers_gone_at=1_790_000_000.0))
    assert (found.cause, found.since) == ("no_worker", 1_790_000_000.0)


def test_two_routes_that_come_back_are_told_in_one_sentence() -> None:
    found = verdict(Situation(recovering=["a/m", "b/m"]))
    assert found.sentence == "a/m and b/m answer again and get calls step by step; nothing waits. Nothing to do."


def test_a_route_that_comes_back_is_told_until_it_takes_all() -> None:
    found = verdict(Situation(recovering=["a/m"], waiting=7))
    assert (found.state, found.cause) == (HealthState.RECOVERING, "ramp")
    assert found.sentence == "a/m answers again and gets calls step by step; 7 jobs wait. Nothing to do."


def test_a_paused_lane_is_ours_unless_something_is_down() -> None:
    assert verdict(Situation(paused=["lane x was paused by eva"])).cause == "paused"
    assert verdict(Situation(paused=["lane x was paused by eva"], outages=[DOWN])).state is HealthState.PROVIDER


def test_deadlines_are_at_risk_when_their_turn_comes_too_late() -> None:
    assert at_risk([10.0] * 30, 2.0) == 10
    assert at_risk([10.0] * 30, 3.0) == 0
    assert at_risk([10.0, 7_200.0], None) == 1
    assert at_risk([], 1.0) == 0


def test_of_two_outages_the_one_that_somebody_here_can_end_is_told_first() -> None:
    refused = Outage("b/m", 1_790_000_500.0, 3.0, [FaultCount("auth", 401, 9)], waiting=7)
    found = verdict(Situation(outages=[DOWN, refused], waiting=7))
    assert (found.state, found.cause, found.since) == (HealthState.US, "key", DOWN.since)
    assert found.sentence.startswith("It is us: b/m is down")
    assert "a/m is down too" in found.sentence
