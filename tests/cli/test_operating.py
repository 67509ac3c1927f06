"""What operators see and do: jobs, batches, lanes, routes, the ledger, the status page."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from holdfast.cli.job import draw_attempts
from holdfast.cli.route import draw_routes
from holdfast.client.batch_progress import obstacles


@pytest.fixture
def batch(cli, prompts) -> str:
    return cli("submit", prompts("one", "two", "three"), "--json").json["batch"]


def test_jobs_are_listed_newest_first_page_by_page(cli, batch) -> None:
    first = cli("job", "list", "--limit", "2", "--json").json
    second = cli("job", "list", "--limit", "2", "--cursor", first["next"], "--json").json
    assert [job["custom_id"] for job in first["jobs"] + second["jobs"]] == ["c2", "c1", "c0"]
    assert second["next"] is None


def test_jobs_are_chosen_by_state_batch_and_age(cli, batch, worker) -> None:
    worker.answer(jobs=1)
    assert len(cli("job", "list", "--state", "succeeded", "--json").json["jobs"]) == 1
    assert len(cli("job", "list", "--batch", batch, "--state", "queued", "--json").json["jobs"]) == 2
    assert cli("job", "list", "--before", "1h", "--json").json["jobs"] == []
    assert len(cli("job", "list", "--after", "1h", "--json").json["jobs"]) == 3


def test_an_unknown_state_names_those_there_are(cli) -> None:
    ended = cli("job", "list", "--state", "done")
    assert ended.status == 2
    assert "succeeded" in ended.err


def test_a_job_is_shown_with_its_attempts_and_reply(cli, batch, worker) -> None:
    worker.answer()
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    shown = cli("job", "show", job)
    assert "anthropic/claude-opus-4-8" in shown.out
    assert "THREE" in shown.out


def test_waiting_for_a_job_that_has_ended_prints_its_answer(cli, batch, worker) -> None:
    worker.answer()
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    assert cli("job", "wait", job).out == "THREE\n"


def test_waiting_for_a_dead_job_ends_with_status_3(cli, batch, worker) -> None:
    worker.bury()
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    ended = cli("job", "wait", job)
    assert ended.status == 3
    assert "invalid request" in ended.err


def test_patience_that_ends_before_the_job_is_status_75(cli, batch, worker) -> None:
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    assert cli("job", "wait", job, "--timeout", "0.1").status == 75


def test_cancelling_ends_a_job_and_the_rest_of_its_batch(cli, batch) -> None:
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    assert cli("job", "cancel", job, "--json").json["status"] == "cancelled"
    assert cli("batch", "cancel", batch, "--json").json["cancelled"] == 2
    assert cli("batch", "show", batch, "--json").json["counts"]["cancelled"] == 3


def test_what_is_not_there_ends_with_status_4(cli) -> None:
    nobody = "0" * 32
    assert cli("job", "show", f"job_{nobody}").status == 4
    assert cli("batch", "show", nobody).status == 4
    assert cli("lane", "pause", "nothing.batch").status == 4
    assert cli("route", "open", "no/route").status == 4


def test_an_id_that_is_none_ends_with_status_2(cli) -> None:
    assert cli("job", "show", "nonsense").status == 2


def test_a_paused_lane_shows_until_it_is_resumed(cli, batch) -> None:
    cli("lane", "pause", "smart.batch")
    assert cli("lane", "list", "--json").json["lanes"][0]["paused"] is True
    assert "paused" in cli("lane", "list").out
    cli("lane", "resume", "smart.batch")
    assert cli("lane", "list", "--json").json["lanes"][0]["paused"] is False


def test_a_forced_route_shows_until_it_is_reset(cli) -> None:
    route = "anthropic/claude-opus-4-8"

    def override() -> str | None:
        routes = cli("route", "list", "--json").json["routes"]
        return next(each["override"] for each in routes if each["name"] == route)

    cli("route", "open", route)
    assert override() == "open"
    cli("route", "close", route)
    assert override() == "closed"
    cli("route", "reset", route)
    assert override() is None


def test_status_names_the_storage_the_workers_lanes_and_routes(cli, batch, worker, tmp_path: Path) -> None:
    status = cli("status", "--json").json
    assert status["database_url"] == f"sqlite:///{tmp_path}/holdfast.db"
    assert set(status["workers"][0]) >= {"id", "host", "pid", "lease_until"}
    assert status["lanes"][0]["counts"]["queued"] == 3
    assert {route["name"] for route in status["routes"]} == {"anthropic/claude-opus-4-8", "openai/gpt-5.4"}
    assert "smart.batch" in cli("status").out


def test_the_ledger_holds_and_says_so(cli, batch, worker) -> None:
    worker.answer()
    assert cli("ledger", "--json").json["holds"] is True
    drawn = cli("ledger").out
    assert "all that was accepted is accounted for" in drawn
    assert "every accepted job is accounted for (I1): 3 accepted = 3 succeeded" in drawn


def test_what_others_wrote_is_shown_and_not_obeyed(cli, tmp_path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"custom_id": "[red]x\\u001b[2J", "model": "smart", "prompt": "p"}\n')
    cli("submit", source)
    assert "[red]x\\x1b[2J" in cli("job", "list").out


def test_an_open_breaker_and_a_pause_are_said_in_words() -> None:
    route = {
        "breakers": [
            {"scope": "route:a/b", "state": "open", "words": "stopped (open)", "retry_in": 2.0},
            {"scope": "endpoint:a", "state": "open", "words": "stopped (open)", "retry_in": 0.0},
            {"scope": "credential:a/main", "state": "half_open", "words": "asking (half-open)", "retry_in": None},
        ],
        "buckets": [{"paused_for": 1.5}],
    }
    assert obstacles(route) == [
        "stopped (open), asked again in 2.0 s",
        "endpoint stopped (open), the next job asks it",
        "credential asking (half-open), being asked now",
        "rate limited for 1.5 s more",
    ]


def test_at_80_columns_a_route_is_whole_and_its_breaker_is_told_in_words() -> None:
    name, scope = "anthropic/claude-opus-4-8", "route:anthropic/claude-opus-4-8"
    shut = {"scope": scope, "state": "open", "words": "stopped (open)", "retry_in": 2.5}
    facts = {
        "override": None,
        "in_flight": 12,
        "models": ["smart", "careful-and-slow", "nightly"],
        "buckets": [],
        "outage": None,
    }
    screen = Console(file=StringIO(), width=80)
    well = facts | {"name": "openai/gpt-5.4", "state": "closed", "breakers": []}
    screen.print(draw_routes({"routes": [facts | {"name": name, "state": "open", "breakers": [shut]}, well]}))
    drawn = screen.file.getvalue()
    assert name in drawn
    assert max(map(len, drawn.splitlines())) <= 80
    assert "working" in drawn
    assert "(closed)" in drawn


def test_of_thousands_of_attempts_the_last_are_drawn() -> None:
    attempt = {"generation": 1, "route": "a/m", "started_at": "2026-11-30T12:00:00Z", "seconds": 0.1, "fault": None}
    attempts = [attempt | {"number": number, "outcome": "failed", "message": ""} for number in range(1, 2_001)]
    first, drawn = draw_attempts(attempts)
    assert first == "1,980 earlier attempts; --json has them all"
    assert drawn.row_count == 20
    assert len(list(draw_attempts(attempts[:3]))) == 1


def test_who_did_what_is_listed_by_act_actor_and_time(cli, batch) -> None:
    cli("lane", "pause", "smart.batch")
    page = cli("audit", "--action", "override", "--created-after", "1h", "--json").json
    assert [act["what"]["name"] for act in page["acts"]] == ["smart.batch"]
    assert cli("audit", "--actor", "nobody", "--json").json["acts"] == []
    drawn = cli("audit").out
    assert "override" in drawn
    assert "kind lane, name smart.batch, value paused" in " ".join(drawn.split())
