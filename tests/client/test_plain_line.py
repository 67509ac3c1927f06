"""An output line says how one job ended, in plain JSON values."""

from holdfast.client.plain_line import output_line
from holdfast.model.fault import FaultKind
from holdfast.model.job import MappingNote, Priority, State
from holdfast.model.records import FinishedJob, JobRecord, ResultRecord
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse

ID = "01934f2e7b7d7c3f8a1b2c3d4e5f6071"
REPLY = Reply(
    text="Sunny.",
    tool_calls=(ToolUse(id="call_1", name="weather", input={"city": "Bonn"}),),
    finish=Finish.TOOL_CALLS,
    usage=Usage(input=12, output=3),
    model="claude-opus-4-8-20260401",
)


def ended(state: State, **result) -> FinishedJob:
    job = JobRecord(
        id=ID, tenant="default", batch=None, custom_id="a", position=0, model="smart", lane="smart.batch",
        priority=Priority.BATCH, state=state, generation=1, attempts=0, calls=1, crashes=0, fence=1, worker=None,
        available_at=None, expires_at=None, why_waiting=None, fault=None, created_at=0.0, finished_at=1.0,
    )  # fmt: skip
    record = {
        "reply": None, "fault": None, "code": None, "message": None, "route": None, "usage": None, "cost_micros": 0,
        "attempts": 0, "mapping": (), "created_at": 1.0,
    }  # fmt: skip
    return FinishedJob(job, ResultRecord(job=ID, generation=1, fence=1, state=state, **(record | result)))


def test_a_reply_stands_in_the_line_with_its_route_cost_and_mapping() -> None:
    line = output_line(
        ended(
            State.SUCCEEDED,
            reply=REPLY,
            route="anthropic/claude-opus-4-8",
            attempts=2,
            cost_micros=1_500,
            mapping=(MappingNote("top_p", "dropped: this route takes temperature only"),),
        ),
        cost_usd=0.0015,
    )
    assert line == {
        "custom_id": "a",
        "id": f"job_{ID}",
        "status": "succeeded",
        "reply": {
            "text": "Sunny.",
            "tool_calls": [{"id": "call_1", "name": "weather", "input": {"city": "Bonn"}}],
            "reasoning": "",
            "finish_word": None,
            "choices": 1,
            "finish": "tool_calls",
            "usage": {
                "input": 12, "output": 3, "cached": 0, "cache_written": 0, "reasoning": 0, "estimated": False,
            },
            "model": "claude-opus-4-8-20260401",
        },
        "error": None,
        "route": "anthropic/claude-opus-4-8",
        "attempts": 2,
        "cost_usd": 0.0015,
        "mapping": [{"field": "top_p", "note": "dropped: this route takes temperature only"}],
    }  # fmt: skip


def test_a_dead_job_says_what_it_died_of() -> None:
    line = output_line(ended(State.DEAD, fault=FaultKind.TOO_LONG, code="context_length_exceeded", message="too long"))
    assert line["reply"] is None
    assert line["error"] == {"kind": "too_long", "code": "context_length_exceeded", "message": "too long"}


def test_a_cancelled_job_says_so() -> None:
    line = output_line(ended(State.CANCELLED))
    assert line["status"] == "cancelled"
    assert line["error"]["kind"] == "cancelled"
    assert line["error"]["message"] == "the job was cancelled before it had a reply"
