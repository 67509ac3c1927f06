"""API keys are kept as digests, end once, and every act with them stands in the audit log."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from holdfast.model.access import KeyScope, matches, read_key
from holdfast.model.errors import NotFound
from holdfast.store import Store
from holdfast.store.api_keys import create_key, make_key, mark_used, read_keys, revoke_key

READ = frozenset({KeyScope.READ})


def test_what_is_kept_of_a_key_knows_it_and_does_not_hold_it(store: Store) -> None:
    key, whole = make_key("a", "t", READ)
    kept = store.write(create_key, key, "me")
    name, secret = read_key(whole)
    assert (kept.id, kept.name, kept.tenant, kept.scopes, kept.created_by) == (name, "a", "t", READ, "me")
    assert matches(kept, secret)
    assert not matches(kept, secret[::-1])
    assert not matches(None, secret)
    row = store.read(lambda tx: tx.connection.execute(text("select * from api_key")).one())
    assert secret not in str(row)
    assert secret not in repr(key) + repr(kept)
    assert kept.digest not in repr(kept)


def test_a_key_expires_by_the_clock_of_the_database(store: Store) -> None:
    kept = store.write(create_key, make_key("a", None, READ, expires_in=60.0)[0], "me")
    assert kept.expires_at == pytest.approx(kept.created_at + 60)
    assert (kept.usable(kept.created_at), kept.usable(kept.created_at + 60)) == (True, False)


def test_a_key_is_revoked_once(store: Store) -> None:
    kept = store.write(create_key, make_key("a", None, READ)[0], "me")
    first = store.write(revoke_key, kept.id, "me")
    assert store.write(revoke_key, kept.id, "me") == first
    assert not first.usable(0.0)
    with pytest.raises(NotFound):
        store.write(revoke_key, "0" * 16, "me")
    log = store.read(lambda tx: tx.connection.execute(text("select action, actor from audit order by id")))
    assert [tuple(row) for row in log] == [("key.create", "me"), ("key.revoke", "me")]


def test_use_is_noted_once_a_minute(store: Store) -> None:
    kept = store.write(create_key, make_key("a", None, READ)[0], "me")
    store.write(mark_used, [kept.id])
    first = store.read(read_keys)[0][0].used_at
    store.write(mark_used, [kept.id])
    assert store.read(read_keys)[0][0].used_at == first is not None


@pytest.mark.parametrize("change", ["scopes = ''", "tenant = ''"])
def test_a_key_without_a_scope_or_with_a_nameless_tenant_cannot_be_written(store: Store, change: str) -> None:
    store.write(create_key, make_key("a", "t", READ)[0], "me")
    with pytest.raises(IntegrityError):
        store.write(lambda tx: tx.connection.execute(text(f"update api_key set {change}")))
