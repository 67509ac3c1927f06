"""Answers as they came: written with the ends of their attempts, and read by whoever wants the provider's words."""

from collections.abc import Iterable, Sequence
from typing import Any

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import ProviderResponse
from holdfast.model.storable import storable
from holdfast.store.codec import encode_body, inflate
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

INSERT_RESPONSES = Statement("""
    with v as ($rows(job text, generation bigint, number bigint, status bigint, request_id text, body bytes))
    insert into response (job, generation, number, status, request_id, body)
    select job, generation, number, status, request_id, body from v where true
    on conflict do nothing
""")
# Of each job the answer that its result was made of; else that of the last call that brought one.
RESPONSES = Statement("""
    select job, status, request_id, body from (
        select response.job, response.status, response.request_id, response.body, row_number() over (
            partition by response.job
            order by response.generation desc, case when attempt.outcome = 'succeeded' then 0 else 1 end,
                response.number desc
        ) as place
        from response
        join job on job.id = response.job
        left join attempt on attempt.job = response.job and attempt.generation = response.generation
            and attempt.number = response.number
        where response.job in ($ids) and (cast(:tenant as text) is null or job.tenant = :tenant)
    ) as ordered
    where place = 1
""")
# Left behind by code from before this table, which deletes jobs without it.
ORPHANS = Statement("""
    delete from response where job < :before and not exists (select 1 from job where job.id = response.job)
""")


def write_responses(tx: Transaction, attempts: Iterable[Attempt]) -> None:
    """Keep the answers of calls that have ended now."""
    if rows := [_row(attempt) for attempt in attempts if attempt.response is not None]:
        tx.run(INSERT_RESPONSES, rows=rows)


def _row(attempt: Attempt) -> list[Any]:
    response = attempt.response
    assert response
    place = [attempt.job.id, attempt.job.generation, attempt.number]
    return [*place, response.status, storable(response.request_id), encode_body(response.body)]


def find_response(tx: Transaction, job: str, tenant: str | None = None) -> ProviderResponse | None:
    """The answer that a job's result was made of, or the last one that came; None: none came, or it is another's."""
    return find_responses(tx, [job], tenant).get(job)


def find_responses(tx: Transaction, jobs: Sequence[str], tenant: str | None = None) -> dict[str, ProviderResponse]:
    """Those of a page of jobs, by job. Each may be megabytes long."""
    rows = tx.run(RESPONSES, ids=list(jobs), tenant=tenant) if jobs else ()
    return {row.job: ProviderResponse(row.status, inflate(row.body), row.request_id) for row in rows}


def delete_orphans(tx: Transaction, before: str) -> None:
    """Delete answers to jobs that are gone, of those with an id below ``before``."""
    tx.run(ORPHANS, before=before)
