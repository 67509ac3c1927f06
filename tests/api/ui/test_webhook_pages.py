"""Receivers, what is on its way to them and what nobody took; who may has it sent once more, on record."""

import pytest
from sqlalchemy import text

from api.keys import add_key, hears, opened
from api.test_keys import audited
from api.ui.browser import Browser, Marked
from api.ui.test_job_pages import PAYLOADS, TEMPLATES, scripts_and_styles
from holdfast.model.access import KeyScope
from holdfast.store.webhook_deliveries import bury_old_deliveries

HOOKS, PAGE, URL = "/api/v1/webhooks", "/ui/webhooks", "https://one.example/hook"


def execute(store, statement: str, **values: object) -> None:
    store.write(lambda tx: tx.connection.execute(text(statement), values))


@pytest.fixture
def webhook(browser) -> str:
    """A receiver, with a delivery that waits."""
    browser.client.post(f"{HOOKS}/secret", json={})
    made = browser.client.post(HOOKS, json={"url": URL}).json()["id"]
    browser.client.post(f"{HOOKS}/{made}/test")
    return str(made)


def deliveries(browser) -> list[dict[str, str]]:
    return browser.client.get(f"{HOOKS}/deliveries").json()["deliveries"]


def test_a_receiver_stands_there_with_its_health_and_what_is_on_its_way(browser, webhook) -> None:
    page = browser.read(PAGE)
    assert (page.value("webhook-receivers"), page.value("webhook-deliveries")) == ("1", "1")
    assert all(word in page.text("webhook-receivers") for word in (URL, "good", "never"))
    assert all(word in page.text("webhook-deliveries") for word in ("webhook.test", "pending", "none yet"))
    assert browser.read(f"{PAGE}?state=dead").value("webhook-deliveries") == "0"
    assert browser.read(f"{PAGE}?webhook={webhook}&state=pending").value("webhook-deliveries") == "1"


def test_a_dead_delivery_is_sent_once_more_on_record(browser, webhook, store) -> None:
    store.write(bury_old_deliveries, -1.0)
    [dead] = deliveries(browser)
    assert dead["state"] == "dead"
    assert "Redeliver 1" in browser.open(PAGE).text
    sent = browser.press(f"{PAGE}/deliveries/{dead['id']}/redeliver")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{PAGE}?webhook={webhook}")
    assert deliveries(browser)[0]["state"] == "pending"
    assert audited(store, "webhook.redeliver")[-1][0] == "api"


def test_all_dead_deliveries_of_a_receiver_are_sent_once_more(browser, webhook, store) -> None:
    store.write(bury_old_deliveries, -1.0)
    assert browser.press(f"{PAGE}/{webhook}/redeliver").status_code == 303
    assert [each["state"] for each in deliveries(browser)] == ["pending"]


def test_a_receiver_that_is_gone_is_resumed_and_tested(browser, webhook, store) -> None:
    execute(store, "update webhook_endpoint set gone_at = 1, answer = 'HTTP 410'")
    assert "last failure: HTTP 410" in browser.read(PAGE).text("webhook-receivers")
    assert browser.press(f"{PAGE}/{webhook}/resume").status_code == 303
    assert browser.client.get(f"{HOOKS}/{webhook}").json()["state"] == "good"
    assert browser.press(f"{PAGE}/{webhook}/test").status_code == 303
    assert len(deliveries(browser)) == 2
    assert audited(store, "webhook.resume")


def test_a_form_from_elsewhere_sends_nothing(browser, webhook, store) -> None:
    store.write(bury_old_deliveries, -1.0)
    refused = browser.client.post(f"{PAGE}/{webhook}/redeliver", data={"token": browser.token()})
    assert refused.status_code == 403
    assert deliveries(browser)[0]["state"] == "dead"


def test_who_may_only_read_sees_its_tenants_and_has_no_button(browser, webhook, settings, store) -> None:
    store.write(bury_old_deliveries, -1.0)
    for tenant, seen in (("acme", "0"), ("default", "1")):
        with opened(settings) as client:
            reader = Browser(hears(client))
            assert reader.log_in(add_key(store, tenant, KeyScope.READ)).status_code == 303
            page = reader.open(PAGE)
            assert Marked(page.text).value("webhook-receivers") == seen
            assert "Redeliver" not in page.text
            assert reader.press(f"{PAGE}/{webhook}/redeliver").status_code == 403
            assert reader.open("/ui/alerts").status_code == 403


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_a_receiver_said_becomes_markup(browser, webhook, store, payload) -> None:
    execute(store, "update webhook_delivery set answer = :it, kind = :it, event = :it", it=payload)
    execute(store, "update webhook_endpoint set answer = :it, url = :it", it=payload)
    execute(
        store,
        "insert into alert (id, kind, about, sentence, since, seen_at, told_at, ended_at)"
        " values ('1', :it, :it, :it, 1, 1, 1, null), ('2', :it, :it, :it, 1, 1, 1, 9000000000000000)",
        it=payload,
    )
    for path in (PAGE, "/ui/alerts", "/ui"):
        page = browser.open(path).text
        assert payload not in page or payload in TEMPLATES
        assert scripts_and_styles(page) == []
    assert browser.read("/ui/alerts").value("alerts") == "1"
    assert browser.read().value("alerts") == "1"
