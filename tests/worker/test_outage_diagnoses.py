"""An outage that lasts is diagnosed by one process of the fleet, without a call of a model."""

import fakeredis
import pytest

from holdfast.config import load
from holdfast.lanes import BreakerView, Lanes, Snapshot
from holdfast.lanes.admin import server_time
from holdfast.lanes.diagnoses import read_diagnoses
from holdfast.lanes.keys import Keys
from holdfast.lanes.recent_faults import note_faults
from holdfast.model.fault import FaultKind
from holdfast.worker.outage_diagnoses import AFTER, OutageDiagnoses, lasts
from lanes_twin import FakeConnection

CONFIG = """
[providers.a]
api = "anthropic"
base_url = "http://127.0.0.1:9"
credentials = [{ name = "main", secret = "command:echo key-of-this-test" }]
[models.smart]
routes = [{ provider = "a", model = "opus" }, { provider = "a", model = "haiku" }]
"""


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(fakeredis.FakeServer(), Keys("t"))


@pytest.fixture
def diagnoses(connection, tmp_path, monkeypatch) -> OutageDiagnoses:
    """Of an installation whose route to opus has been down for long."""
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    now = connection.ask(server_time)
    open_ = BreakerView("route:a/opus", "open", 1, 3.0, since=now - AFTER - 1)
    monkeypatch.setattr(Lanes, "snapshot", lambda _: Snapshot([open_], [], {}))
    return OutageDiagnoses(load(tmp_path / "holdfast.toml"), connection)


async def test_a_lasting_outage_is_diagnosed_from_what_the_fleets_calls_came_to(diagnoses, connection) -> None:
    note_faults(connection, {("a/opus", "overloaded", 529): 3, ("a/haiku", "server_error", 500): 1})
    await diagnoses.look()
    found = read_diagnoses(connection, 0.0)["a"]
    assert found["verdict"] == "local_network"  # nobody listens there, and no other host was tried
    assert found["provider"] == "a"


def test_what_this_side_broke_off_is_no_evidence_against_a_provider(diagnoses, connection) -> None:
    note_faults(connection, {("a/opus", "ours", None): 9, ("a/opus", "overloaded", 529): 3})
    faults, _ = diagnoses.evidence({"route:a/opus"})
    assert {route: fault.kind for route, fault in faults.items()} == {"a/opus": FaultKind.OVERLOADED}


async def test_no_process_diagnoses_a_provider_again_right_away(diagnoses, connection) -> None:
    await diagnoses.look()
    first = read_diagnoses(connection, 0.0)["a"]["at"]
    await OutageDiagnoses(diagnoses.settings, connection).look()
    assert read_diagnoses(connection, 0.0)["a"]["at"] == first


def test_only_an_open_breaker_with_a_lasting_outage_counts() -> None:
    assert lasts(BreakerView("route:a/m", "half_open", 1, since=100.0), 100.0 + AFTER)
    assert not lasts(BreakerView("route:a/m", "open", 1, since=100.0), 99.0 + AFTER)
    assert not lasts(BreakerView("route:a/m", "closed", 1, since=100.0), 100.0 + AFTER)
    assert not lasts(BreakerView("route:a/m", "open", 1), 1e9)
