"""Operators' acts are written to SQL, whether Redis hears of them or not."""

from pathlib import Path

import orjson
import pytest

from holdfast.client import Holdfast
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.fleet import GateOverview, credential_alerts
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.views import alert_view
from holdfast.lanes import Lanes
from holdfast.model.errors import NotFound
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.policy.credential_alerts import Parked
from holdfast.store.jobs import count_jobs
from producing import ROUTE, StandInWorker

DEAD = JobFilter(states=frozenset({State.DEAD}))


@pytest.fixture
def operator(installation: Installation) -> LocalBackend:
    return LocalBackend(installation, tenant=None, actor="someone")


def test_a_pause_is_kept_while_redis_is_away(operator: LocalBackend, hf: Holdfast) -> None:
    hf.submit("a", model="smart")
    assert "Redis does not answer" in operator.pause("smart.batch", paused=True)["warning"]
    lanes = operator.lanes()["lanes"]
    assert [(lane["name"], lane["paused"], lane["window"]) for lane in lanes] == [("smart.batch", True, None)]
    operator.pause("smart.batch", paused=False)
    assert not operator.lanes()["lanes"][0]["paused"]


def test_a_lane_that_cannot_be_is_not_found(operator: LocalBackend) -> None:
    for name in ("smrt.batch", "smart.urgent", "smart"):
        with pytest.raises(NotFound):
            operator.pause(name, paused=True)


def test_a_forced_route_shows_until_it_is_reset(operator: LocalBackend) -> None:
    operator.force(ROUTE, "open")
    assert {route["name"]: route["state"] for route in operator.routes()["routes"]} == {
        ROUTE: "forced_open",
        "openai/gpt-5.4": "closed",
    }
    operator.reset(ROUTE)
    assert {route["state"] for route in operator.routes()["routes"]} == {"closed"}
    with pytest.raises(NotFound):
        operator.force("nobody/nothing", "open")


def test_a_drain_exports_letters_that_can_be_submitted_again(
    operator: LocalBackend, hf: Holdfast, worker: StandInWorker, tmp_path: Path
) -> None:
    hf.submit([{"prompt": f"p{n}", "custom_id": f"c{n}"} for n in range(5)], model="smart")
    worker.bury()
    drained = operator.act(BulkOrder("drain", DEAD, limit=3), None)
    assert drained["jobs"] == 3
    operator.export(drained["operation"], tmp_path / "drained.jsonl")
    lines = [orjson.loads(line) for line in (tmp_path / "drained.jsonl").read_bytes().splitlines()]
    assert len(lines) == 3
    assert operator.installation.store.read(count_jobs, DEAD) == 2
    again = hf.submit(lines)
    assert again.counts() == {State.QUEUED: 3}
    assert (tmp_path / "drained.jsonl").stat().st_mode & 0o777 == 0o600


def test_dropping_goes_on_over_pages(operator: LocalBackend, hf: Holdfast, worker: StandInWorker, monkeypatch) -> None:
    monkeypatch.setattr("holdfast.store.operations.PAGE", 2)
    hf.submit([f"p{n}" for n in range(5)], model="smart")
    worker.bury()
    assert operator.act(BulkOrder("drop", DEAD), None)["jobs"] == 5


def test_the_status_tells_of_logins_that_are_down_for_a_minute(installation: Installation, monkeypatch) -> None:
    down = [Parked("anthropic/main", 61.0, "auth"), Parked("openai/main", 5.0, "auth")]
    monkeypatch.setattr(Lanes, "parked", lambda *_: down)
    assert credential_alerts(installation, GateOverview(warning="Redis is away")) == []
    shown = [alert_view(alert) for alert in credential_alerts(installation, GateOverview())]
    assert [(alert["kind"], alert["about"], alert["down_for"]) for alert in shown] == [
        ("credential_down", "anthropic/main", 61.0)
    ]


def test_cancelling_a_batch_that_is_not_there_is_an_error(hf: Holdfast) -> None:
    with pytest.raises(NotFound, match="there is no batch"):
        hf.batch(f"batch_{'0' * 32}").cancel()
