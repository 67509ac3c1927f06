"""The demo's verdict compares what was accepted, what SQL holds and what the providers saw."""

from dataclasses import replace

import pytest

from holdfast.lab.demo.checks import DemoEvidence, first_detour, most_failed, record
from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.report.run_record import BreakerMove, RunRecord
from holdfast.model.fault import FaultKind
from holdfast.model.job import Priority, State
from holdfast.model.records import FinishedJob, JobRecord, LedgerLine, ResultRecord
from holdfast.model.reply import Usage

BEGAN = 1000.0


def finished(job: str, *, attempts: int = 1, state: State = State.SUCCEEDED) -> FinishedJob:
    succeeded = state is State.SUCCEEDED
    result = ResultRecord(
        job=job,
        generation=1,
        fence=1,
        state=state,
        reply=None,
        fault=None if succeeded else FaultKind.INVALID_REQUEST,
        code=None,
        message=None,
        route="anthropic/claude",
        usage=Usage(input=10, output=5) if succeeded else None,
        cost_micros=0,
        attempts=attempts,
        mapping=(),
        created_at=BEGAN,
    )
    row = JobRecord(
        id=job,
        tenant="default",
        batch="b",
        custom_id=job,
        position=0,
        model="smart",
        lane="smart.batch",
        priority=Priority.BATCH,
        state=state,
        generation=1,
        attempts=0,
        calls=1,
        crashes=0,
        fence=1,
        worker=None,
        available_at=None,
        expires_at=None,
        why_waiting=None,
        fault=None,
        created_at=BEGAN,
        finished_at=BEGAN,
    )
    return FinishedJob(row, result)


def call(job: str, number: int, at: float, status: str = "200") -> SeenCall:
    served = status == "200"
    return SeenCall(
        BEGAN + at,
        "/v1/messages",
        f"job_{job}/1/{number}",
        ended=BEGAN + at + 0.5,
        status=status,
        executed=served,
        output_tokens=5 if served else 0,
    )


GOOD = DemoEvidence(
    accepted=3,
    finished=[finished("a"), finished("b", attempts=2), finished("c")],
    live=0,
    ledger=[LedgerLine("I1", "accepted = terminal + live", holds=True, figures={"accepted": 3})],
    calls={
        "Anthropic": [call("a", 1, 0), call("b", 1, 1, "503"), call("c", 1, 9)],
        "OpenAI": [call("b", 2, 2)],
    },
    samples=[],
    moves=[BreakerMove(1.6, "anthropic/claude", "open")],
    began=BEGAN,
    outage=(BEGAN + 1, BEGAN + 8),
)


def broken(run: RunRecord) -> list[str]:
    return [check.sentence for check in run.checks if not check.holds]


def test_a_run_that_kept_its_promises_passes_every_check() -> None:
    run = record(GOOD, {})
    assert broken(run) == []
    assert run.balanced
    assert run.ended["succeeded"] == 3
    assert run.lead == "3 jobs; Anthropic failed for 7 s; no jobs lost, 1 job took the detour, 1 call failed."
    assert run.seconds == pytest.approx(9.5)


def test_a_job_without_a_record_is_lost() -> None:
    run = record(
        replace(GOOD, finished=GOOD.finished[:2], calls={**GOOD.calls, "Anthropic": GOOD.calls["Anthropic"][:2]}), {}
    )
    assert "Every accepted job ended in exactly one terminal record." in broken(run)
    assert not run.balanced
    assert "1 job lost" in run.lead


def test_a_dead_job_counts_as_lost_in_the_lead() -> None:
    dead = [*GOOD.finished[:2], finished("c", state=State.DEAD)]
    assert "1 job lost" in record(replace(GOOD, finished=dead), {}).lead


def test_a_broken_line_of_the_ledger_is_told() -> None:
    line = replace(GOOD.ledger[0], holds=False)
    assert broken(record(replace(GOOD, ledger=[line]), {})) == ["accepted = terminal + live"]


def test_what_a_busy_machine_can_miss_is_told_and_breaks_no_promise() -> None:
    storm = [*GOOD.calls["Anthropic"], *(call(f"x{n}", 1, 2, "503") for n in range(13))]
    missed = [
        check
        for check in record(replace(GOOD, calls={**GOOD.calls, "Anthropic": storm}), {}).checks
        if not check.holds and not check.is_promise
    ]
    assert [check.figures for check in missed] == [{"failed_calls": 14}]


def test_the_calls_that_an_outage_may_cost_grow_with_what_was_in_flight() -> None:
    assert most_failed(GOOD) == 1 + 5 + 7
    crowd = {**GOOD.calls, "Anthropic": [*GOOD.calls["Anthropic"], *(call(f"x{n}", 1, 0.9) for n in range(20))]}
    assert most_failed(replace(GOOD, calls=crowd)) == 21 + 5 + 7


def test_the_detour_is_timed_from_the_opening_of_the_breaker() -> None:
    assert first_detour(GOOD) == pytest.approx(0.9)
    assert first_detour(replace(GOOD, moves=[])) is None
    late = {**GOOD.calls, "OpenAI": [call("b", 2, 7)]}
    assert broken(record(replace(GOOD, calls=late), {})) == ["The detour answered within 1 s of the breaker's opening."]
