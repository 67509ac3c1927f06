"""From events to deliveries: whoever asked to be told of a job, of a batch, or of all of a tenant's, is told.

The outbox is read by a cursor that moves in the transaction that writes the deliveries, so each event is taken once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.model.event import Event
from holdfast.model.webhook import WebhookEvent
from holdfast.policy.webhook_event import BatchFacts, kind_of, write_event
from holdfast.store.micros import to_seconds
from holdfast.store.outbox import lock_cursor, move_cursor, read_cursor, read_events, read_horizon
from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction
from holdfast.store.webhook_deliveries import write_deliveries
from holdfast.store.webhook_endpoints import READER, has_endpoints

PAGE = 1_000  # events in one transaction

JOBS = Statement("select id, webhook from job where id in ($ids) and webhook is not null")
BATCHES = Statement("""
    select batch.id, batch.webhook, batch.name, batch_order.batch as ordered, batch_order.cancel_asked_at,
        batch_order.failure
    from batch left join batch_order on batch_order.batch = batch.id where batch.id in ($ids)
""")
REGISTERED = Statement("""
    select id, tenant, kinds, created_at from webhook_endpoint where kinds is not null and gone_at is null
    and tenant <> ''
""")


@dataclass(frozen=True, slots=True)
class RegisteredReceiver:
    """A receiver of all of a tenant's events of some kinds. ``since`` in seconds since the epoch."""

    id: str
    tenant: str
    since: float
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Who is told of which events of one page. ``jobs``: receivers by job; ``batches``: rows of BATCHES by batch."""

    jobs: Mapping[str, str]
    batches: Mapping[str, Any]
    registered: Sequence[RegisteredReceiver]

    def facts(self, event: Event) -> BatchFacts:
        row = self.batches.get(event.batch or "") if event.job is None else None
        if row is None:
            return BatchFacts()
        is_cancelled = row.ordered is None or row.cancel_asked_at is not None
        return BatchFacts(row.name, cancelled=is_cancelled, failed=row.failure is not None)

    def told(self, event: Event) -> Iterator[tuple[str, WebhookEvent]]:
        """Yield receivers of an event, by id, with what they are sent."""
        facts = self.facts(event)
        if receivers := set(self._receivers(event, kind_of(event, facts))):
            sent = write_event(event, facts)
            yield from ((receiver, sent) for receiver in sorted(receivers))

    def _receivers(self, event: Event, kind: str) -> Iterator[str]:
        named = self.jobs.get(event.job) if event.job else getattr(self.batches.get(event.batch or ""), "webhook", None)
        if named:
            yield named
        for each in self.registered:
            if each.tenant == event.tenant and each.since <= event.at and kind in each.kinds:
                yield each.id


def announce_events(store: Store) -> int:
    """Write the deliveries of what happened since the last time. Answers how many events were read."""
    if not store.read(has_endpoints):
        return 0
    read = 0
    while store.read(_has_news):
        read += store.write(_announce_page)
    return read


def _has_news(tx: Transaction) -> bool:
    after = read_cursor(tx, READER)
    return after is not None and bool(read_events(tx, after, read_horizon(tx), 1))


def _announce_page(tx: Transaction) -> int:
    after = lock_cursor(tx, READER, "")
    events = read_events(tx, after, read_horizon(tx), PAGE)
    if events:
        asked = _subscriptions(tx, events)
        write_deliveries(tx, [each for event in events for each in asked.told(event)])
        move_cursor(tx, READER, events[-1].id)
    return len(events)


def _subscriptions(tx: Transaction, events: Sequence[Event]) -> Subscriptions:
    jobs = sorted({event.job for event in events if event.job})
    batches = sorted({event.batch for event in events if event.batch and event.job is None})
    return Subscriptions(
        jobs={row.id: row.webhook for row in tx.run(JOBS, ids=jobs)} if jobs else {},
        batches={row.id: row for row in tx.run(BATCHES, ids=batches)} if batches else {},
        registered=[_registered(row) for row in tx.run(REGISTERED)],
    )


def _registered(row: Any) -> RegisteredReceiver:
    return RegisteredReceiver(row.id, row.tenant, to_seconds(row.created_at), orjson.loads(row.kinds))
