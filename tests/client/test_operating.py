"""Operators' acts are written to SQL, whether Redis hears of them or not."""

from pathlib import Path

import orjson
import pytest

from holdfast.client import Holdfast
from holdfast.client.local import LocalBackend
from holdfast.client.operating import Operator, Overview
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
def operator(storage: LocalBackend) -> Operator:
    return Operator(storage, "someone")


def test_a_pause_is_kept_while_redis_is_away(operator: Operator, hf: Holdfast) -> None:
    hf.submit("a", model="smart")
    assert operator.pause("smart.batch", paused=True) is False
    assert [(lane.lane.lane, lane.lane.paused, lane.window) for lane in operator.lanes()] == [
        ("smart.batch", True, None)
    ]
    operator.pause("smart.batch", paused=False)
    assert not operator.lanes()[0].lane.paused


def test_a_lane_that_cannot_be_is_not_found(operator: Operator) -> None:
    for name in ("smrt.batch", "smart.urgent", "smart"):
        with pytest.raises(NotFound):
            operator.pause(name, paused=True)


def test_a_forced_route_shows_until_it_is_reset(operator: Operator) -> None:
    operator.force(ROUTE, "open")
    assert {route.route.name: route.state for route in operator.routes()} == {
        ROUTE: "forced_open",
        "openai/gpt-5.4": "closed",
    }
    operator.reset(ROUTE)
    assert {route.state for route in operator.routes()} == {"closed"}
    with pytest.raises(NotFound):
        operator.force("nobody/nothing", "open")


def test_a_drain_writes_each_letter_before_it_is_removed(
    operator: Operator, hf: Holdfast, worker: StandInWorker, tmp_path: Path
) -> None:
    hf.submit([{"prompt": f"p{n}", "custom_id": f"c{n}"} for n in range(5)], model="smart")
    worker.bury()
    assert operator.drain(DEAD, 3, tmp_path / "drained.jsonl") == 3
    lines = [orjson.loads(line) for line in (tmp_path / "drained.jsonl").read_bytes().splitlines()]
    assert len(lines) == 3
    assert operator.storage.store.read(count_jobs, DEAD) == 2
    again = hf.submit(lines)
    assert again.counts() == {State.QUEUED: 3}
    assert (tmp_path / "drained.jsonl").stat().st_mode & 0o777 == 0o600


def test_dropping_goes_on_over_pages(operator: Operator, hf: Holdfast, worker: StandInWorker, monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.operating.PAGE", 2)
    hf.submit([f"p{n}" for n in range(5)], model="smart")
    worker.bury()
    assert operator.drop(DEAD, limit=100) == 5


def test_the_status_tells_of_logins_that_are_down_for_a_minute(operator: Operator, monkeypatch) -> None:
    down = [Parked("anthropic/main", 61.0, "auth"), Parked("openai/main", 5.0, "auth")]
    monkeypatch.setattr(Lanes, "parked", lambda *_: down)
    assert operator.alerts(Overview(warning="Redis is away")) == []
    shown = [alert_view(alert) for alert in operator.alerts(Overview())]
    assert [(alert["kind"], alert["about"], alert["down_for"]) for alert in shown] == [
        ("credential_down", "anthropic/main", 61.0)
    ]
