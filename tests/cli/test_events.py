"""``holdfast events``: what ended, as a page or as it happens; it goes on behind the last event that was shown."""

import json

from holdfast.model.event import EventFilter


def test_events_are_listed_and_narrowed_and_go_on_behind_the_last_one(cli, prompts, worker) -> None:
    batch = cli("submit", prompts("one", "two", "three"), "--json").json["batch"]
    worker.answer(jobs=2)
    worker.bury()
    page = cli("events", "--limit", "2", "--json").json
    assert [event["custom_id"] for event in page["events"]] == ["c0", "c1"]
    rest = cli("events", "--after", page["next"], "--batch", batch, "--kind", "job.dead", "--json").json
    assert [event["custom_id"] for event in rest["events"]] == ["c2"]
    drawn = cli("events", "--fault", "invalid_request").out
    assert "job.dead" in drawn
    assert f"more: --after {rest['next']}" in drawn
    assert cli("events", "--after", rest["next"]).out == "nothing ended that is kept\n"
    assert cli("events", "--job", "0" * 32).status == 4


class Pages:
    """A backend with two pages of events, at the second of which somebody presses Ctrl-C."""

    def __init__(self) -> None:
        told = {
            "kind": "job.dead",
            "created_at": "2026-11-30T17:00:00Z",
            "job": "job_1",
            "batch": None,
            "fault": "auth",
        }
        self._pages = iter([{"events": [told | {"id": "evt_1"}, told | {"id": "evt_2"}], "next": "evt_2"}])

    def events(self, _where: EventFilter, _after: str, _limit: int, _wait: float = 0.0) -> dict:
        page = next(self._pages, None)
        if page is None:
            raise KeyboardInterrupt
        return page


def test_following_writes_a_line_for_each_and_says_how_to_go_on(cli, monkeypatch) -> None:
    monkeypatch.setattr("holdfast.cli.events.backend", Pages)
    ended = cli("events", "--follow")
    assert ended.status == 130
    assert ended.out.splitlines() == ["2026-11-30T17:00:00Z job.dead job_1 key refused"] * 2
    assert "--after evt_2" in ended.err
    ended = cli("events", "--follow", "--json")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["evt_1", "evt_2"]
