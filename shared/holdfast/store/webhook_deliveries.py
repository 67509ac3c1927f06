"""Deliveries of webhooks: written beside the cursor of the events they tell, claimed under a lease, settled, retried.

A receiver that is away rests as a whole: while it does, and until it takes something again, one delivery at a time
asks it. So a dead receiver costs little, and what waits for it needs no dates of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from holdfast.model.audit_action import AuditAction
from holdfast.model.errors import NotFound
from holdfast.model.ids import new_id
from holdfast.model.webhook import ClaimedDelivery, DeliveryState, WebhookDelivery, WebhookEvent
from holdfast.policy.webhook_retry import NextStep, ReceiverAnswer, Step
from holdfast.store.audit import audit
from holdfast.store.micros import MICROS, micros_range, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

LEASE = 25.0  # seconds: more than an attempt may take; then another process makes the next one
WIDTH = 16  # deliveries to one receiver that one process makes at a time
LONGEST_ANSWER = 300  # characters that are kept
KEEP_DELIVERED, KEEP_DEAD = 3 * 86_400 * MICROS, 30 * 86_400 * MICROS
PAGE = 500  # rows in one transaction
COLUMNS = """d.id, d.endpoint, e.url, d.tenant, d.event, d.kind, d.state, d.attempts, d.answer, d.next_at, d.created_at,
    d.ended_at"""

WRITE = Statement("""
    with v as ($rows(id text, endpoint text, event text, kind text, body text))
    insert into webhook_delivery (
        id, endpoint, tenant, event, kind, body, state, attempts, next_at, since, created_at, answer, ended_at
    )
    select v.id, e.id, e.tenant, v.event, v.kind, v.body, case when e.gone_at is null then 'pending' else 'dead' end, 0,
        :now, :now, :now, case when e.gone_at is null then null else 'the receiver is gone' end,
        case when e.gone_at is null then null else :now end
    from v join webhook_endpoint e on e.id = v.endpoint where true
    on conflict (endpoint, event) do nothing returning id
""")
# Receivers for which something waits are found one after the other by the index, however much waits for each.
AWAKE = Statement("""
    with recursive waited_for(id) as (
        select min(endpoint) from webhook_delivery where state = 'pending'
        union all
        select (select min(d.endpoint) from webhook_delivery d where d.state = 'pending' and d.endpoint > waited_for.id)
        from waited_for where waited_for.id is not null
    )
    select e.id, e.failures, e.succeeded_at from waited_for join webhook_endpoint e on e.id = waited_for.id
    where e.resting_until <= :now and not (e.id in ($ids)) and exists (
        select 1 from webhook_delivery d where d.endpoint = e.id and d.state = 'pending' and d.next_at <= :now
    )
    order by case when e.failures > 0 then 1 else 0 end, e.succeeded_at limit :limit
""")
DUE = Statement("""
    select id from webhook_delivery where endpoint = :endpoint and state = 'pending' and next_at <= :now
    order by next_at limit :limit
""")
CLAIM = Statement("""
    update webhook_delivery set attempts = attempts + 1, next_at = :lease
    where id in ($ids) and state = 'pending' and next_at <= :now
    returning id, endpoint, tenant, event, body, attempts
""")
RECEIVERS = Statement("select id, url, failures from webhook_endpoint where id in ($ids)")
DELIVERED = Statement("""
    with v as ($rows(id text, answer text))
    update webhook_delivery set state = 'delivered', ended_at = :now, answer = v.answer
    from v where webhook_delivery.id = v.id and state <> 'delivered'
""")
AGAIN = Statement("""
    with v as ($rows(id text, attempt bigint, next_at bigint, answer text))
    update webhook_delivery set next_at = v.next_at, answer = v.answer
    from v where webhook_delivery.id = v.id and state = 'pending' and attempts = v.attempt
""")
WELL = Statement("""
    update webhook_endpoint set failures = 0, resting_until = 0, succeeded_at = :now where id in ($ids)
""")
REST = Statement("""
    with v as ($rows(id text, until bigint, answer text))
    update webhook_endpoint set failures = failures + 1, resting_until = v.until, answer = v.answer
    from v where webhook_endpoint.id = v.id and resting_until <= :now
""")
ILL = Statement("""
    with v as ($rows(id text, answer text))
    update webhook_endpoint set answer = v.answer from v where webhook_endpoint.id = v.id
""")
GONE = Statement("update webhook_endpoint set gone_at = :now, answer = 'HTTP 410' where id in ($ids)")
BURY_GONE = Statement("""
    update webhook_delivery set state = 'dead', ended_at = :now, answer = 'HTTP 410: the receiver is gone'
    where endpoint in ($ids) and state = 'pending'
""")
OLD = Statement("select id from webhook_delivery where state = 'pending' and since < :before limit :limit")
BURY = Statement("""
    update webhook_delivery set state = 'dead', ended_at = :now where id in ($ids) and state = 'pending' returning id
""")
ONE = Statement(f"""
    select {COLUMNS} from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint
    where d.id = :id and (cast(:tenant as text) is null or d.tenant = :tenant)
""")  # noqa: S608 - the columns stand above
NARROWINGS: Mapping[str, str] = {
    "tenant": "d.tenant = :tenant",
    "endpoint": "d.endpoint = :endpoint",
    "before": "d.id < :before",
}
REDELIVER = Statement("""
    update webhook_delivery set state = 'pending', ended_at = null, next_at = :now, since = :now
    where id in ($ids) returning endpoint
""")
REVIVE = Statement("""
    update webhook_endpoint set gone_at = null, failures = 0, resting_until = 0 where id in ($ids)
""")
DEAD = Statement("""
    select id from webhook_delivery where endpoint = :endpoint and state = 'dead' order by id limit :limit
""")
SPENT = Statement("""
    delete from webhook_delivery where id in (
        select id from webhook_delivery where ended_at is not null and ended_at < :delivered
        and (state = 'delivered' or ended_at < :dead) limit :limit
    )
""")
# Receivers that were only named, by jobs that are all gone.
UNUSED = Statement("""
    delete from webhook_endpoint where kinds is null and created_at < :before and tenant <> ''
    and not exists (select 1 from job where job.webhook = webhook_endpoint.id and job.webhook is not null)
    and not exists (select 1 from batch where batch.webhook = webhook_endpoint.id and batch.webhook is not null)
    and not exists (select 1 from webhook_delivery d where d.endpoint = webhook_endpoint.id)
""")


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an attempt came to, and what is done next."""

    delivery: ClaimedDelivery
    answer: ReceiverAnswer
    step: NextStep


def write_deliveries(tx: Transaction, told: Iterable[tuple[str, WebhookEvent]]) -> int:
    """Put events on their way to receivers, by id; to one that is gone they are dead at once. Answers how many.

    An event that is on its way to a receiver already stays as it is.
    """
    each = list(told)
    ids = sorted(new_id() for _ in each)  # lists are in the order of ids
    rows = [[id_, where, event.id, event.kind, event.body] for id_, (where, event) in zip(ids, each, strict=True)]
    return len(tx.run(WRITE, rows=rows, now=tx.now)) if rows else 0


def find_due(tx: Transaction, busy: Collection[str], limit: int, away: int = 1) -> list[str]:
    """Choose at most ``limit`` deliveries that may be tried now. ``busy``: receivers to leave out.

    Of each receiver a few; of one that is not known to be there, one, and ``away`` of those at most. Those that answer
    come first.
    """
    due: list[str] = []
    for receiver in tx.run(AWAKE, now=tx.now, ids=sorted(busy), limit=limit):
        is_there = not receiver.failures and receiver.succeeded_at is not None
        room = min(WIDTH if is_there else min(away, 1), limit - len(due))
        away -= not is_there
        due += [row.id for row in tx.run(DUE, endpoint=receiver.id, now=tx.now, limit=room)] if room > 0 else []
    return due


def claim_deliveries(tx: Transaction, due: Sequence[str]) -> list[ClaimedDelivery]:
    """Begin the next attempts of those that are still due."""
    rows = tx.run(CLAIM, ids=list(due), now=tx.now, lease=tx.now + to_micros(LEASE))
    receivers = {row.id: row for row in tx.run(RECEIVERS, ids=sorted({row.endpoint for row in rows}))} if rows else {}
    return [
        ClaimedDelivery(
            row.id, row.endpoint, receivers[row.endpoint].url, row.tenant, row.event, row.body, row.attempts,
            receivers[row.endpoint].failures,
        )
        for row in rows
        if row.endpoint in receivers
    ]  # fmt: skip


def settle_deliveries(tx: Transaction, settled: Sequence[Settlement]) -> None:
    """Write what attempts came to. What an attempt that lost its lease brings counts only as a success."""
    by_step: dict[Step, list[Settlement]] = {step: [] for step in Step}
    for each in settled:
        by_step[each.step.step].append(each)
    _delivered(tx, by_step[Step.DELIVERED])
    _again(tx, [*by_step[Step.RETRY], *by_step[Step.REST]])
    _rest(tx, by_step[Step.REST])
    if gone := sorted({each.delivery.endpoint for each in by_step[Step.GONE]}):
        tx.run(GONE, ids=gone, now=tx.now)
        tx.run(BURY_GONE, ids=gone, now=tx.now)


def _delivered(tx: Transaction, settled: Sequence[Settlement]) -> None:
    if settled:
        tx.run(DELIVERED, rows=sorted([each.delivery.id, _words(each)] for each in settled), now=tx.now)
        tx.run(WELL, ids=sorted({each.delivery.endpoint for each in settled}), now=tx.now)


def _again(tx: Transaction, settled: Sequence[Settlement]) -> None:
    """Let deliveries be tried again: by their own date, or as soon as their receiver has rested."""
    if settled:
        rows = [[each.delivery.id, each.delivery.attempt, _next_at(tx, each), _words(each)] for each in settled]
        tx.run(AGAIN, rows=sorted(rows))
        tx.run(ILL, rows=sorted([key, words] for key, words in _last_words(settled).items()))


def _rest(tx: Transaction, settled: Sequence[Settlement]) -> None:
    longest: dict[str, float] = {}
    for each in settled:
        longest[each.delivery.endpoint] = max(longest.get(each.delivery.endpoint, 0.0), each.step.delay)
    if longest:
        words = _last_words(settled)
        rows = [[id_, tx.now + to_micros(delay), words[id_]] for id_, delay in longest.items()]
        tx.run(REST, rows=sorted(rows), now=tx.now)


def _next_at(tx: Transaction, each: Settlement) -> int:
    return tx.now + (to_micros(each.step.delay) if each.step.step is Step.RETRY else 0)


def _last_words(settled: Sequence[Settlement]) -> Mapping[str, str]:
    return {each.delivery.endpoint: _words(each) for each in settled}


def _words(each: Settlement) -> str:
    return each.answer.why[:LONGEST_ANSWER]


def bury_old_deliveries(tx: Transaction, give_up: float) -> int:
    """Give up what no receiver took for ``give_up`` seconds, a page at a time. Answers how many."""
    old = [row.id for row in tx.run(OLD, before=tx.now - to_micros(give_up), limit=PAGE)]
    return len(tx.run(BURY, ids=old, now=tx.now)) if old else 0


def list_deliveries(
    tx: Transaction,
    *,
    tenant: str | None = None,
    state: DeliveryState | None = None,
    endpoint: str | None = None,
    created_after: float | None = None,
    created_before: float | None = None,
    before: str | None = None,
    limit: int = 100,
) -> list[WebhookDelivery]:
    """Return deliveries, newest first, beyond the id ``before``.

    Of a tenant or a receiver each state is read in the order of its index, and what is newest of them is taken.
    """
    least, end = micros_range(created_after, created_before)
    where = {"tenant": tenant, "endpoint": endpoint, "before": before}
    given = {name: value for name, value in where.items() if value is not None}
    states = [state] if state is not None or not {"tenant", "endpoint"} & given.keys() else list(DeliveryState)
    pages = [tx.run(_page(frozenset(given), each), **given, least=least, end=end, limit=limit) for each in states]
    found = [_read(row) for page in pages for row in page]
    return sorted(found, key=lambda each: each.id, reverse=True)[:limit]


@cache
def _page(narrowed: frozenset[str], state: DeliveryState | None) -> Statement:
    """Word a list. The state stands in the text: only then does the partial index serve."""
    conditions = ["d.created_at >= :least", "d.created_at < :end"]
    conditions += [words for name, words in NARROWINGS.items() if name in narrowed]
    conditions += [] if state is None else [f"d.state = '{state}'"]
    conditions += [] if state in {None, DeliveryState.DELIVERED} else ["d.state <> 'delivered'"]
    return Statement(f"""
        select {COLUMNS} from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint
        where {" and ".join(conditions)} order by d.id desc limit :limit
    """)  # noqa: S608 - columns and conditions stand above


def find_delivery(tx: Transaction, id_: str, tenant: str | None = None) -> WebhookDelivery:
    """Raises NotFound: there is none, or it is another tenant's."""
    for row in tx.run(ONE, id=id_, tenant=tenant):
        return _read(row)
    raise NotFound("delivery", id_)


def redeliver(tx: Transaction, id_: str, tenant: str | None, actor: str) -> WebhookDelivery:
    """Send an event once more, under the same ``webhook-id``, whatever became of it. Raises NotFound."""
    find_delivery(tx, id_, tenant)
    _revive(tx, [id_])
    audit(tx, actor, AuditAction.WEBHOOK_REDELIVER, {"delivery": id_}, 1)
    return find_delivery(tx, id_, tenant)


def redeliver_dead(tx: Transaction, endpoint: str, actor: str, limit: int) -> int:
    """Send a receiver's dead letters once more, oldest first, at most ``limit``. Answers how many."""
    dead = [row.id for row in tx.run(DEAD, endpoint=endpoint, limit=limit)]
    _revive(tx, dead)
    audit(tx, actor, AuditAction.WEBHOOK_REDELIVER, {"endpoint": endpoint}, len(dead))
    return len(dead)


def _revive(tx: Transaction, ids: Sequence[str]) -> None:
    if ids:
        endpoints = {row.endpoint for row in tx.run(REDELIVER, ids=list(ids), now=tx.now)}
        tx.run(REVIVE, ids=sorted(endpoints))


def delete_old_deliveries(tx: Transaction) -> None:
    """Delete deliveries that ended long ago, and receivers that nothing names any more."""
    tx.run(SPENT, delivered=tx.now - KEEP_DELIVERED, dead=tx.now - KEEP_DEAD, limit=10 * PAGE)
    tx.run(UNUSED, before=tx.now - KEEP_DELIVERED)


def _read(row: Any) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        endpoint=row.endpoint,
        url=row.url,
        tenant=row.tenant,
        event=row.event,
        kind=row.kind,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        answer=row.answer,
        next_at=to_seconds(row.next_at),
        created_at=to_seconds(row.created_at),
        ended_at=to_seconds_or_none(row.ended_at),
    )
