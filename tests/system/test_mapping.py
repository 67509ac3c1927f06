"""What a mapping lost, and what a job allows it to lose, through real processes and over HTTP shapes."""

import pytest

from holdfast.client import InvalidJobs
from holdfast.client.views import detail_view
from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.job import State
from holdfast.store.jobs import find_detail

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
SHAPE = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


def details(fleet, batch):
    return [fleet.store.read(find_detail, job.id) for job in fleet.jobs(batch)]


def test_what_was_dropped_stands_at_the_attempt_in_the_output_line_and_in_the_api(build):
    fleet = build()
    batch = fleet.submit(2, temperature=0.5)
    fleet.worker()
    fleet.until_done(batch)
    for detail in details(fleet, batch):
        view = detail_view(detail, None)
        assert [change.field for change in detail.attempts[0].mapping] == ["temperature"]
        assert [change["field"] for change in view["mapping"]] == ["temperature"]
        assert view["attempts"][0]["mapping"] == view["mapping"]
    answers = list(fleet.holdfast.results(f"batch_{batch}"))
    assert [[change.field for change in answer.mapping] for answer in answers] == [["temperature"], ["temperature"]]


def test_an_exact_job_goes_where_nothing_is_lost_although_it_is_not_the_first_route(build):
    fleet = build()
    batch = fleet.submit(3, model="two", temperature=0.5, mapping="exact")
    fleet.worker()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 3
    assert [detail.result.route for detail in details(fleet, batch)] == ["second/gpt-sim"] * 3
    assert fleet.sims[0].counts()["calls"] == 0
    assert fleet.offenders() == {}


def test_an_exact_job_that_no_route_can_carry_is_refused_before_it_is_accepted(build):
    with pytest.raises(InvalidJobs, match="temperature"):
        build().submit(1, temperature=0.5, mapping="exact")


def test_a_job_that_must_not_be_mapped_waits_for_its_own_route(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="e503", seconds=2))
    batch = fleet.submit(5, model="two", mapping="never")
    fleet.worker()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 5
    assert fleet.sims[1].counts()["calls"] == 0
    assert fleet.offenders() == {}


def test_a_refused_job_asks_the_next_provider_only_where_it_wants_to(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="refusal"))
    content, wants = fleet.submit(3, model="two"), fleet.submit(3, model="two", on_refusal="reroute")
    fleet.worker()
    fleet.until_done(content), fleet.until_done(wants)
    assert {detail.result.reply.finish for detail in details(fleet, content)} == {"refused"}
    assert {detail.result.route for detail in details(fleet, wants)} == {"second/gpt-sim"}
    assert {detail.attempts[0].fault for detail in details(fleet, wants)} == {"refused"}
    assert fleet.offenders() == {}


def test_an_answer_is_held_against_the_jobs_schema_whichever_provider_gave_it(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="bad-output"))
    elsewhere = fleet.submit(3, model="two", response_format=SHAPE)
    fleet.worker()
    fleet.until_done(elsewhere)
    assert fleet.succeeded(elsewhere) == 3
    for detail in details(fleet, elsewhere):
        assert [attempt.fault for attempt in detail.attempts[:-1]] == ["bad_output"] * (len(detail.attempts) - 1)
        assert detail.result.route == "second/gpt-sim"
    fleet.sims[1].break_(InjectedFault(mode="bad-output"))
    nowhere = fleet.submit(2, model="two", response_format=SHAPE)
    fleet.until_done(nowhere)
    assert {detail.job.state for detail in details(fleet, nowhere)} == {State.DEAD}
    assert {detail.result.fault for detail in details(fleet, nowhere)} == {"bad_output"}
    assert fleet.offenders() == {}
