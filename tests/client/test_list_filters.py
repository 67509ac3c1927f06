"""A filter has one name and one meaning in every list: in HTTP, on the command line, in Python and in the docs."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from typer.main import get_command

from holdfast.api import create_app
from holdfast.cli.main import app
from holdfast.client import Holdfast
from holdfast.client.list_filters import (
    BATCHES,
    DEAD_LETTERS,
    DELIVERIES,
    EVENTS,
    JOBS,
    batch_filter,
    delivery_filter,
    event_filter,
    job_filter,
    read_time,
    write_filters,
)
from holdfast.client.listing import BatchFilters, EventFilters, JobFilters
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest
from producing import StandInWorker

PAGES = {"limit", "cursor", "after"}
COMMANDS = {
    "job list": JOBS,
    "dlq list": DEAD_LETTERS,
    "dlq groups": DEAD_LETTERS,
    "dlq replay": DEAD_LETTERS,
    "dlq drain": DEAD_LETTERS,
    "dlq drop": DEAD_LETTERS,
    "batch list": BATCHES,
    "events": EVENTS,
    "webhook deliveries": DELIVERIES,
}
PATHS = {
    "jobs": JOBS,
    "dlq": DEAD_LETTERS,
    "dlq/groups": DEAD_LETTERS,
    "batches": BATCHES,
    "events": EVENTS,
    "webhooks/deliveries": DELIVERIES,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_an_option_for_each_filter_of_its_list(command: str) -> None:
    found = get_command(app)
    for name in command.split():
        found = found.commands[name]
    shown = {option for each in found.params for option in each.opts if not getattr(each, "hidden", False)}
    assert {each.option for each in COMMANDS[command]} <= shown
    assert not shown & {"--after", "--before", "--job"} - ({"--after", "--job"} if command == "events" else set())


@pytest.mark.parametrize("path", PATHS)
def test_a_query_has_a_parameter_for_each_filter_of_its_list_and_says_what_it_means(
    path: str, settings: Settings
) -> None:
    about = create_app(settings).openapi()["paths"][f"/api/v1/{path}"]["get"]["parameters"]
    queried = {each["name"]: each.get("description") for each in about if each["in"] == "query"}
    assert {each.name: each.about for each in PATHS[path]} == {
        name: told for name, told in queried.items() if name not in PAGES
    }


def test_the_filters_of_python_are_those_of_the_lists() -> None:
    for options, filters in ((JobFilters, JOBS), (BatchFilters, BATCHES), (EventFilters, EVENTS)):
        assert options.__annotations__.keys() == {each.name for each in filters}


def test_what_is_written_for_a_server_is_read_as_the_same() -> None:
    ids, text = ["job_" + "1" * 32], "batch_" + "2" * 32
    given = {
        "id": ids,
        "state": ["dead", "expired"],
        "batch": text,
        "fault": "auth",
        "created_after": 5.0,
        "model": "m",
    }
    for filters, read, some in (
        (JOBS, job_filter, given),
        (BATCHES, batch_filter, {"tenant": "a", "created_before": 9.0}),
        (EVENTS, event_filter, {"kind": ["job.dead"], "job": ids[0], "batch": text, "custom_id": "a", "fault": "auth"}),
        (DELIVERIES, delivery_filter, {"state": "dead", "webhook": "wh_" + "3" * 32, "tenant": "a"}),
    ):
        assert write_filters(filters, read(some)) == some


def test_a_moment_is_said_in_the_same_ways_everywhere() -> None:
    assert read_time("2h", "x", now=10_000.0) == read_time(timedelta(hours=2), "x", now=10_000.0) == 2_800.0
    dates = ["20261130", "2026-11-30", "2026-11-30T01:00+01:00", datetime(2026, 11, 30, tzinfo=UTC), 1_795_996_800]
    assert all(one == other for one, other in pairwise(read_time(date, "x") for date in dates))
    assert read_time("1960-01-01", "x") == 0.0
    assert read_time("1.5e9", "x") == 1.5e9
    for text in ("nan", "inf", "", "2 h ago", "-1", -1, float("nan")):
        with pytest.raises(InvalidRequest):
            read_time(text, "x")
    with pytest.raises(InvalidRequest, match="created_after: expected 90m"):
        job_filter({"created_after": "yesterday"})


def test_lists_of_python_are_narrowed_and_read_page_by_page(hf: Holdfast, worker: StandInWorker, monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.sync.PAGE", 2)
    batches = [hf.submit(["a", "b", "c"], model="smart") for _ in range(3)]
    worker.bury(jobs=2)
    assert [job["id"] for job in hf.jobs(batch=batches[1].id)] == [job.id for job in reversed(batches[1].jobs)]
    assert [job["status"] for job in hf.jobs(state="dead", fault="invalid_request")] == ["dead"] * 2
    assert len(list(hf.jobs(state=["dead", "queued"], created_after=timedelta(hours=1)))) == 9
    assert list(hf.jobs(finished_before="1h")) == []
    assert [batch["id"] for batch in hf.batches()] == [batch.id for batch in reversed(batches)]
    assert list(hf.batches(created_before="1h")) == []
    with pytest.raises(TypeError, match="Did you mean state"):
        hf.jobs(states="dead")
