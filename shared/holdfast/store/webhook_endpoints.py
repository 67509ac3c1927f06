"""Receivers of webhooks, and the secrets with which what they get is signed."""

import secrets
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from holdfast.model.audit_action import AuditAction
from holdfast.model.errors import NotFound
from holdfast.model.event import event_id
from holdfast.model.ids import new_id
from holdfast.model.webhook import WebhookEndpoint, endpoint_id
from holdfast.store.audit import audit
from holdfast.store.micros import to_micros, to_seconds, to_seconds_or_none
from holdfast.store.outbox import lock_cursor, move_cursor, read_horizon
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

READER = "webhooks"  # of the outbox
LAST_PLACE = (1 << 64) - 1  # of a row of the outbox: beyond any that has an event
SECRET_BYTES = 32  # within the 24 to 64 of Standard Webhooks
COLUMNS = "id, tenant, url, kinds, created_at, failures, resting_until, succeeded_at, answer, gone_at"

NAME = Statement("""
    with v as ($rows(id text, tenant text, url text))
    insert into webhook_endpoint (id, tenant, url, created_at, failures, resting_until)
    select id, tenant, url, cast(:now as bigint), 0, 0 from v where true
    on conflict (id) do nothing returning id
""")
REGISTER = Statement("""
    insert into webhook_endpoint (id, tenant, url, kinds, created_at, failures, resting_until)
    values (:id, :tenant, :url, :kinds, :now, 0, 0)
    on conflict (id) do update set kinds = excluded.kinds, created_at = excluded.created_at
""")
ANY = Statement("select id from webhook_endpoint limit 1")
LIST = Statement(f"""
    select {COLUMNS},
        (select count(*) from webhook_delivery d where d.endpoint = e.id and d.state = 'pending') as pending,
        (select count(*) from webhook_delivery d where d.endpoint = e.id and d.state = 'dead') as dead
    from webhook_endpoint e
    where (cast(:tenant as text) is null or tenant = :tenant) and (cast(:id as text) is null or id = :id)
    and id > :after order by id limit :limit
""")  # noqa: S608 - the columns stand above
RESUME = Statement("""
    update webhook_endpoint set gone_at = null, failures = 0, resting_until = 0 where id = :id
""")
REMOVE = Statement("delete from webhook_endpoint where id = :id")
REMOVE_DELIVERIES = Statement("delete from webhook_delivery where endpoint = :id")
SECRETS = Statement("""
    select value from webhook_secret where tenant = :tenant and (expires_at is null or expires_at > :now)
    order by created_at desc, id desc
""")
EXPIRE = Statement("""
    update webhook_secret set expires_at = :until
    where tenant = :tenant and (expires_at is null or expires_at > :until)
""")
KEEP = Statement("""
    insert into webhook_secret (id, tenant, value, created_at) values (:id, :tenant, :value, :now)
""")
FORGET = Statement("delete from webhook_secret where tenant = :tenant and expires_at <= :now")


def name_endpoints(tx: Transaction, named: Iterable[tuple[str, str]]) -> None:
    """Have a receiver for each (tenant, URL), with the health that it has where it is known."""
    rows = [[endpoint_id(tenant, url), tenant, url] for tenant, url in sorted(set(named))]
    if rows:
        begin_reading(tx)
        tx.run(NAME, rows=rows, now=tx.now)


def register_endpoint(tx: Transaction, tenant: str, url: str, kinds: Collection[str], actor: str) -> str:
    """Send a tenant's events of these kinds to a URL from now on. Answers the receiver's id."""
    id_ = endpoint_id(tenant, url)
    begin_reading(tx)
    tx.run(REGISTER, id=id_, tenant=tenant, url=url, kinds=orjson.dumps(sorted(kinds)).decode(), now=tx.now)
    audit(tx, actor, AuditAction.WEBHOOK_ADD, {"endpoint": id_, "tenant": tenant, "kinds": sorted(kinds)})
    return id_


def begin_reading(tx: Transaction) -> None:
    """Where there is no receiver yet, read events from now on: nobody reads them while there is none."""
    if has_endpoints(tx):
        return
    now = event_id(read_horizon(tx), LAST_PLACE)
    lock_cursor(tx, READER, now)  # another process may be naming the first one, too
    if not has_endpoints(tx):
        move_cursor(tx, READER, now)


def has_endpoints(tx: Transaction) -> bool:
    """Whether anybody may be told of anything."""
    return bool(tx.run(ANY))


def list_endpoints(
    tx: Transaction, tenant: str | None = None, id_: str | None = None, after: str = "", limit: int = 1_000
) -> list[WebhookEndpoint]:
    """Return receivers by id, of one tenant or of all, beyond the id ``after``."""
    return [read_endpoint(row) for row in tx.run(LIST, tenant=tenant, id=id_, after=after, limit=limit)]


def find_endpoint(tx: Transaction, id_: str, tenant: str | None = None) -> WebhookEndpoint:
    """Raises NotFound: there is none, or it is another tenant's."""
    if found := list_endpoints(tx, tenant, id_, limit=1):
        return found[0]
    raise NotFound("webhook", id_)


def resume_endpoint(tx: Transaction, id_: str, tenant: str | None, actor: str) -> WebhookEndpoint:
    """Send again to a receiver that was gone or rests, at once. Raises NotFound."""
    find_endpoint(tx, id_, tenant)
    tx.run(RESUME, id=id_)
    audit(tx, actor, AuditAction.WEBHOOK_RESUME, {"endpoint": id_})
    return find_endpoint(tx, id_, tenant)


def remove_endpoint(tx: Transaction, id_: str, tenant: str | None, actor: str) -> WebhookEndpoint:
    """Forget a receiver with all that waits for it. Jobs that name it tell nobody any more. Raises NotFound."""
    found = find_endpoint(tx, id_, tenant)
    tx.run(REMOVE, id=id_)
    tx.run(REMOVE_DELIVERIES, id=id_)
    audit(tx, actor, AuditAction.WEBHOOK_REMOVE, {"endpoint": id_}, found.pending)
    return found


def read_endpoint(row: Any) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row.id,
        tenant=row.tenant,
        url=row.url,
        kinds=None if row.kinds is None else tuple(orjson.loads(row.kinds)),
        created_at=to_seconds(row.created_at),
        failures=row.failures,
        resting_until=to_seconds(row.resting_until),
        succeeded_at=to_seconds_or_none(row.succeeded_at),
        answer=row.answer,
        gone_at=to_seconds_or_none(row.gone_at),
        pending=row.pending,
        dead=row.dead,
    )


def make_secret(tx: Transaction, tenant: str, overlap: float, actor: str) -> str:
    """Make a tenant's signing secret. The ones before it sign beside it for ``overlap`` seconds more."""
    tx.run(FORGET, tenant=tenant, now=tx.now)
    tx.run(EXPIRE, tenant=tenant, until=tx.now + to_micros(overlap))
    id_, value = new_id(), "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    tx.run(KEEP, id=id_, tenant=tenant, value=value, now=tx.now)
    audit(tx, actor, AuditAction.WEBHOOK_SECRET, {"tenant": tenant, "secret": id_, "overlap_seconds": overlap})
    return value


def read_signing_secrets(tx: Transaction, tenant: str) -> Sequence[str]:
    """Return the secrets that sign a tenant's webhooks now, the newest first; none where none was made."""
    return [row.value for row in tx.run(SECRETS, tenant=tenant, now=tx.now)]
