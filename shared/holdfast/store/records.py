"""Rows to records: the columns each record needs, and how it is read.

The columns are named here once more, by kind, so that a look at a job need not load the schema: SQLModel and the
indexes of two databases cost a command 0.3 s. A test compares them with the tables.
"""

from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, TableClause, column, table

from holdfast.model.fault import FaultKind
from holdfast.model.job import Outcome, Priority, State
from holdfast.model.records import AttemptRecord, JobRecord, ResultRecord
from holdfast.model.route import Api
from holdfast.store.codec import decode_labels, decode_mapping, decode_reply, decode_usage
from holdfast.store.micros import to_seconds, to_seconds_or_none


def _table(name: str, *, texts: str, numbers: str, big: str = "", blobs: str = "") -> TableClause:
    kinds = ((texts, String), (numbers, Integer), (big, BigInteger), (blobs, LargeBinary))
    return table(name, *(column(each, kind) for names, kind in kinds for each in names.split()))


JOB = _table(
    "job",
    texts="id tenant batch custom_id model lane priority state worker why_waiting fault labels written_in",
    numbers="generation attempts calls crashes",
    big="position fence available_at expires_at not_before created_at finished_at",
)
REQUEST = _table("request", texts="job", numbers="", blobs="body")
ATTEMPT = _table(
    "attempt",
    texts="job route credential worker outcome fault code message provider_request_id usage mapping",
    numbers="generation number status",
    big="fence started_at ended_at cost_micros",
)
RESULT = _table(
    "result",
    texts="job state fault code message route usage mapping cause",
    numbers="generation attempts",
    big="fence cost_micros created_at",
    blobs="reply",
)


def fault_or_none(text: str | None) -> FaultKind | None:
    return None if text is None else FaultKind(text)


def read_job(row: Any) -> JobRecord:
    """A row of JOB's columns."""
    return JobRecord(
        id=row.id,
        tenant=row.tenant,
        batch=row.batch,
        custom_id=row.custom_id,
        position=row.position,
        model=row.model,
        lane=row.lane,
        priority=Priority(row.priority),
        state=State(row.state),
        generation=row.generation,
        attempts=row.attempts,
        calls=row.calls,
        crashes=row.crashes,
        fence=row.fence,
        worker=row.worker,
        available_at=to_seconds_or_none(row.available_at),
        expires_at=to_seconds_or_none(row.expires_at),
        not_before=to_seconds_or_none(row.not_before),
        why_waiting=row.why_waiting,
        fault=fault_or_none(row.fault),
        created_at=to_seconds(row.created_at),
        finished_at=to_seconds_or_none(row.finished_at),
        metadata=decode_labels(row.labels),
        written_in=None if row.written_in is None else Api(row.written_in),
    )


def read_attempt(row: Any) -> AttemptRecord:
    """A row of ATTEMPT's columns."""
    return AttemptRecord(
        job=row.job,
        generation=row.generation,
        number=row.number,
        route=row.route,
        credential=row.credential,
        fence=row.fence,
        worker=row.worker,
        started_at=to_seconds(row.started_at),
        ended_at=to_seconds_or_none(row.ended_at),
        outcome=None if row.outcome is None else Outcome(row.outcome),
        fault=fault_or_none(row.fault),
        status=row.status,
        code=row.code,
        message=row.message,
        provider_request_id=row.provider_request_id,
        usage=decode_usage(row.usage),
        cost_micros=row.cost_micros,
        mapping=decode_mapping(row.mapping),
    )


def read_result(row: Any) -> ResultRecord:
    """A row of RESULT's columns."""
    return ResultRecord(
        job=row.job,
        generation=row.generation,
        fence=row.fence,
        state=State(row.state),
        reply=decode_reply(row.reply),
        fault=fault_or_none(row.fault),
        code=row.code,
        message=row.message,
        route=row.route,
        usage=decode_usage(row.usage),
        cost_micros=row.cost_micros,
        attempts=row.attempts,
        mapping=decode_mapping(row.mapping),
        created_at=to_seconds(row.created_at),
    )
