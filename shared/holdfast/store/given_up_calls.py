"""Waiting calls whose client went away before it had the answer: a repeat takes the job over, and pays nothing."""

from collections.abc import Sequence

from holdfast.store.micros import to_micros
from holdfast.store.retention import first_id
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

KEY = "call"  # begins the idempotency keys of waiting calls; then their fingerprint and an id, hex digits all of them
LAST = "g"  # sorts behind every hex digit

GIVE_UP = Statement("""
    insert into given_up_call (job, fingerprint, given_up_at) values (:job, :fingerprint, :now)
    on conflict (job) do update set given_up_at = excluded.given_up_at
""")
GIVEN_UP = Statement("""
    select job from given_up_call where fingerprint = :fingerprint and given_up_at >= :since
    and exists (select 1 from job where job.id = given_up_call.job) order by job
""")
TAKE = Statement("delete from given_up_call where job = :job returning job")
SENT = Statement("""
    select id from job
    where tenant = :tenant and idempotency_key is not null and idempotency_key > :first and idempotency_key < :last
    order by idempotency_key limit :limit
""")
LATE = Statement("select job from given_up_call where given_up_at < :before order by given_up_at limit :limit")
DROP = Statement("delete from given_up_call where job in ($ids)")
MOST_SENT = 1_000  # equal calls that are looked at
MOST_LATE = 500  # jobs that are told of at once


def call_key(fingerprint: str, id_: str) -> str:
    """Return the idempotency key of one waiting call among all with the same fingerprint."""
    return f"{KEY}{fingerprint}{id_}"


def give_up(tx: Transaction, job: str, fingerprint: str) -> None:
    """Note that nobody waits for a job of a waiting call any more."""
    tx.run(GIVE_UP, job=job, fingerprint=fingerprint, now=tx.now)


def find_given_up(tx: Transaction, fingerprint: str, within: float) -> list[str]:
    """Return the jobs of calls that were given up in the last ``within`` seconds, oldest first."""
    return [row.job for row in tx.run(GIVEN_UP, fingerprint=fingerprint, since=tx.now - to_micros(within))]


def take(tx: Transaction, job: str) -> bool:
    """Take a given-up job over; False: another repeat was first."""
    return bool(tx.run(TAKE, job=job))


def find_sent(tx: Transaction, tenant: str, fingerprint: str, within: float) -> list[str]:
    """Return the jobs of all calls with a fingerprint in the last ``within`` seconds, oldest first."""
    first = call_key(fingerprint, first_id(tx.now - to_micros(within)))
    last = call_key(fingerprint, LAST)
    return [row.id for row in tx.run(SENT, tenant=tenant, first=first, last=last, limit=MOST_SENT)]


def find_late(tx: Transaction, after: float) -> list[str]:
    """Return jobs that nobody has taken over for ``after`` seconds, longest first."""
    return [row.job for row in tx.run(LATE, before=tx.now - to_micros(after), limit=MOST_LATE)]


def drop(tx: Transaction, jobs: Sequence[str]) -> None:
    """Forget that jobs were given up."""
    tx.run(DROP, ids=list(jobs))
