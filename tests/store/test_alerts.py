"""A trouble is told once when it has lasted, and once when it has been gone for a while, whoever looks."""

import json

import pytest
from sqlalchemy import text

from holdfast.model.alert import AlertCondition, AlertKind
from holdfast.model.webhook import OPERATOR
from holdfast.store import Store
from holdfast.store.alerts import claim_look, list_alerts, note_month, record_conditions
from holdfast.store.webhook_deliveries import list_deliveries

URL = "https://pager.example/"
DOWN = AlertCondition(AlertKind.OUTAGE, "anthropic", "It is a provider, not us: a/m is down.")


def look(store: Store, *seen: AlertCondition, after: float = 10.0, quiet: float = 20.0):
    return store.write(record_conditions, seen, [URL], after=after, quiet=quiet)


def pass_time(store: Store, seconds: float) -> None:
    for date in ("since", "seen_at", "told_at"):
        store.write(
            lambda tx, d=date: tx.connection.execute(text(f"update alert set {d} = {d} - {round(seconds * 1_000_000)}"))
        )
    store.write(lambda tx: tx.connection.execute(text("update alert_watch set looked_at = 0")))


def kinds(store: Store) -> list[str]:
    return [each.kind for each in reversed(store.read(list_deliveries, tenant=OPERATOR))]


def test_a_trouble_is_told_once_it_has_lasted_and_once_it_is_over(store: Store) -> None:
    assert look(store, DOWN) == []
    pass_time(store, 11)
    [began] = look(store, DOWN)
    assert (began.kind, began.about, began.ended_at) == ("outage", "anthropic", None)
    assert look(store, DOWN) == []
    assert look(store) == [], "a probe may just have let it through"
    pass_time(store, 21)
    [ended] = look(store)
    assert (ended.id, ended.sentence) == (began.id, DOWN.sentence)
    assert ended.ended_at is not None
    assert look(store) == []
    assert kinds(store) == ["alert.began", "alert.ended"]
    assert [each.id for each in store.read(list_alerts, 10)] == [began.id]


def test_one_that_does_not_last_wakes_nobody(store: Store) -> None:
    look(store, DOWN)
    pass_time(store, 21)
    assert look(store) == []
    assert kinds(store) == []
    assert store.read(list_alerts, 10) == []


def test_one_that_flaps_is_one_trouble(store: Store) -> None:
    look(store, DOWN)
    pass_time(store, 11)
    for seen in ((DOWN,), (), (DOWN,), (), (DOWN,)):
        look(store, *seen)
        pass_time(store, 9)
    assert kinds(store) == ["alert.began"]


def test_a_trouble_that_comes_again_is_another_one(store: Store) -> None:
    for _ in range(2):
        look(store, DOWN, after=0.0)
        pass_time(store, 21)
        look(store)
    assert sorted(kinds(store)) == ["alert.began"] * 2 + ["alert.ended"] * 2  # ids of one millisecond have no order


def test_whoever_looks_twice_tells_once(store: Store) -> None:
    """Two processes that saw the same at the same time."""
    assert len(look(store, DOWN, after=0.0)) == 1
    assert look(store, DOWN, after=0.0) == []
    assert kinds(store) == ["alert.began"]


def test_one_process_looks_at_a_time(store: Store) -> None:
    store.write(claim_look, 3.0)
    assert store.write(claim_look, 3.0) is True
    assert store.write(claim_look, 3.0) is False
    pass_time(store, 4)
    assert store.write(claim_look, 3.0) is True


def test_the_body_has_the_sentence_and_the_same_id_from_beginning_to_end(store: Store) -> None:
    look(store, DOWN, after=0.0)
    pass_time(store, 21)
    look(store)
    rows = store.read(lambda tx: tx.connection.execute(text("select body from webhook_delivery order by id")).all())
    began, ended = (json.loads(row.body)["data"] for row in rows)
    assert began["sentence"] == DOWN.sentence
    assert ended["sentence"].startswith("anthropic: outage is over after 21 s")
    assert began["id"] == ended["id"]


def test_a_month_is_measured_from_its_first_look(store: Store) -> None:
    store.write(claim_look, 1.0)
    assert store.write(note_month, "2026-11", 40.0) == 0.0
    assert store.write(note_month, "2026-11", 45.5) == pytest.approx(5.5)
    assert store.write(note_month, "2026-12", 46.0) == 0.0
