"""Alerts in SQL: one process looks at a time, and what each change tells is written in the transaction that makes it.

So people are told once of each change, by however many workers. A trouble has to last before they are told, and has to
be gone for a while before it is over.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.alert import AlertCondition, AlertRecord
from holdfast.model.ids import new_id
from holdfast.model.webhook import OPERATOR, WebhookEvent, endpoint_id
from holdfast.policy.webhook_event import alert_event
from holdfast.store.micros import MICROS, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction
from holdfast.store.webhook_deliveries import write_deliveries
from holdfast.store.webhook_endpoints import name_endpoints

KEPT = 30 * 86_400.0  # seconds for which an alert that ended stays listed
MOST_RECENT = 200  # alerts of a page
COLUMNS = "id, kind, about, sentence, since, told_at, ended_at"

FIRST_LOOK = Statement("insert into alert_watch (id, looked_at) values (1, 0) on conflict (id) do nothing")
LOOK = Statement("update alert_watch set looked_at = :now where id = 1 and looked_at <= :before returning id")
NEW_MONTH = Statement("""
    update alert_watch set month = :month, baseline = :baseline where id = 1 and (month is null or month <> :month)
""")
BASELINE = Statement("select baseline from alert_watch where id = 1")
OPEN = Statement("select id, kind, about, since, seen_at, told_at from alert where ended_at is null")
BEGIN = Statement("""
    insert into alert (id, kind, about, sentence, since, seen_at) values (:id, :kind, :about, :sentence, :since, :now)
    on conflict do nothing
""")
SEE = Statement("update alert set seen_at = :now, sentence = :sentence where id = :id and ended_at is null")
TELL = Statement(f"""
    update alert set told_at = :now where told_at is null and ended_at is null and seen_at - since >= :after
    returning {COLUMNS}
""")  # noqa: S608 - the columns stand above
END = Statement(f"""
    update alert set ended_at = :now where ended_at is null and seen_at <= :before returning {COLUMNS}
""")  # noqa: S608 - the columns stand above
FORGET = Statement("delete from alert where ended_at is not null and (told_at is null or ended_at < :date)")
LIST = Statement(f"""
    select {COLUMNS} from alert where told_at is not null and (cast(:before as text) is null or id < :before)
    order by id desc limit :limit
""")  # noqa: S608 - the columns stand above
# Two parts, each in an index of its own.
RECENT = Statement(f"""
    select {COLUMNS} from alert where told_at is not null and ended_at is null
    union all
    select {COLUMNS} from alert where told_at is not null and ended_at is not null and ended_at >= :since
    order by id desc limit :limit
""")  # noqa: S608 - the columns stand above


def claim_look(tx: Transaction, every: float) -> bool:
    """Whether it is this process's turn to look: nobody did in the last ``every`` seconds."""
    if tx.run(LOOK, now=tx.now, before=tx.now - to_micros(every)):
        return True
    tx.run(FIRST_LOOK)
    return False


def note_month(tx: Transaction, month: str, cost_usd: float) -> float:
    """Return what was spent since the month's first look, in USD. ``cost_usd``: what all calls have cost."""
    now = round(cost_usd * MICROS)
    tx.run(NEW_MONTH, month=month, baseline=now)
    return (now - int(tx.run(BASELINE)[0].baseline)) / MICROS


def record_conditions(
    tx: Transaction, seen: Sequence[AlertCondition], receivers: Sequence[str], *, after: float, quiet: float
) -> list[AlertRecord]:
    """Write what a look saw, and tell ``receivers`` (URLs) of what began and of what ended. Answers those alerts."""
    open_ = {(row.kind, row.about): row for row in tx.run(OPEN)}
    for each in seen:
        row = open_.get((each.kind.value, each.about))
        if row is None:
            _begin(tx, each)
        else:
            tx.run(SEE, id=row.id, sentence=each.sentence, now=tx.now)
    began = [_read(row) for row in tx.run(TELL, now=tx.now, after=to_micros(after))]
    ended = [_read(row) for row in tx.run(END, now=tx.now, before=tx.now - to_micros(quiet))]
    changed = [*began, *(each for each in ended if each.told_at is not None)]
    _tell(tx, [alert_event(each) for each in changed], receivers)
    tx.run(FORGET, date=tx.now - to_micros(KEPT))
    return changed


def _begin(tx: Transaction, seen: AlertCondition) -> None:
    since = tx.now if seen.since is None else min(tx.now, to_micros(seen.since))
    words: Mapping[str, Any] = {"kind": seen.kind.value, "about": seen.about, "sentence": seen.sentence}
    tx.run(BEGIN, id=new_id(), since=since, now=tx.now, **words)


def _tell(tx: Transaction, events: Sequence[WebhookEvent], receivers: Sequence[str]) -> None:
    if events and receivers:
        name_endpoints(tx, [(OPERATOR, url) for url in receivers])
        write_deliveries(tx, [(endpoint_id(OPERATOR, url), event) for event in events for url in receivers])


def list_alerts(tx: Transaction, limit: int, before: str | None = None) -> list[AlertRecord]:
    """Return alerts that people were told of, newest first; ``before`` is the id that the last page ended with."""
    return [_read(row) for row in tx.run(LIST, limit=limit, before=before)]


def recent_alerts(tx: Transaction, seconds: float) -> list[AlertRecord]:
    """Return alerts that people were told of, and that last or ended in the last ``seconds``, newest first."""
    return [_read(row) for row in tx.run(RECENT, since=tx.now - to_micros(seconds), limit=MOST_RECENT)]


def _read(row: Any) -> AlertRecord:
    return AlertRecord(
        id=row.id,
        kind=row.kind,
        about=row.about,
        sentence=row.sentence,
        since=to_seconds(row.since),
        told_at=to_seconds_or_none(row.told_at),
        ended_at=to_seconds_or_none(row.ended_at),
    )
