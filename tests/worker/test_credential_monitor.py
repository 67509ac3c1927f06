"""Credentials are watched: what is parked, what is out, and what a person should hear of."""

import fakeredis
import pytest
from structlog.testing import capture_logs

from holdfast.lanes.keys import Keys
from holdfast.model.fault import FaultKind
from holdfast.policy.breaker_codec import dump
from holdfast.policy.breaker_state import Breaker, Closed, Open
from holdfast.worker.credential_monitor import CredentialMonitor
from lanes_twin import FakeConnection

NAMES = ["first/a", "first/b", "second/a"]


class House:
    """Two worker processes on one Redis, with a clock to crank."""

    def __init__(self) -> None:
        self.connection, self.now = FakeConnection(fakeredis.FakeServer(), Keys("t")), 0.0
        self.monitors = [CredentialMonitor(self.connection, NAMES, lambda: self.now) for _ in range(2)]

    def down(self, name: str, age: float = 0.0, kind: FaultKind = FaultKind.AUTH) -> None:
        now = self.connection.sync().time()[0]
        breaker = Breaker(Open(now + 60.0, 60.0), epoch=1, since=now - age)
        self.put(name, breaker)
        self.monitors[0].record(name, kind)

    def up(self, name: str) -> None:
        self.put(name, Breaker(Closed(), epoch=2))

    def put(self, name: str, breaker: Breaker) -> None:
        self.connection.sync().hset(self.connection.keys.breaker(f"credential:{name}"), mapping=dump(breaker))

    def look(self, seconds: float = 1.0) -> list[str]:
        """Let both processes look, then crank the clock; the events they logged."""
        with capture_logs() as logs:
            for monitor in self.monitors:
                monitor.look()
        self.now += seconds
        return [each["event"] for each in logs]


@pytest.fixture
def house() -> House:
    return House()


def test_a_parked_credential_is_said_once_in_the_fleet(house):
    house.down("first/a")
    assert house.look() == ["credential_parked"]
    assert house.look() == []


def test_two_refused_keys_of_one_provider_are_its_auth_outage(house):
    house.down("first/a")
    house.down("first/b")
    assert house.look() == ["credential_parked", "credential_parked", "auth_outage"]


def test_a_refused_key_and_one_without_money_are_not(house):
    house.down("first/a")
    house.down("first/b", kind=FaultKind.SPEND_LIMIT)
    assert "auth_outage" not in house.look()


def test_a_minute_of_it_is_an_alert_and_its_end_is_told_after_some_quiet(house):
    house.down("second/a", age=61.0)
    assert house.look() == ["credential_parked", "alert"]
    house.up("second/a")
    assert house.look(seconds=11.0) == []
    assert sorted(house.look()) == ["alert_over", "credential_back"]
    assert house.look() == []
