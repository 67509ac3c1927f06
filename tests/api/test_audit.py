"""The audit log over HTTP: what operators did, by who, when and what, for those whom all tenants concern."""

import pytest

from api.keys import add_key, bearer, opened
from api.ui.browser import Browser
from holdfast.model.access import KeyScope
from holdfast.model.alert import AlertCondition, AlertKind
from holdfast.model.audit_action import AuditAction
from holdfast.store.alerts import record_conditions
from holdfast.store.operations import BulkAction

AUDIT = "/api/v1/audit"


def act(api, times: int) -> None:
    for _ in range(times):
        assert api.post("/api/v1/lanes/smart.batch/pause").status_code == 200


def test_an_act_says_who_did_what_when_to_what(api) -> None:
    api.post("/api/v1/lanes/smart.batch/pause")
    [found] = api.get(AUDIT).json()["acts"]
    assert found["created_at"].endswith("Z")
    assert {key: found[key] for key in ("id", "actor", "action", "what", "jobs")} == {
        "id": "act_1",
        "actor": "api",
        "action": "override",
        "what": {"kind": "lane", "name": "smart.batch", "value": "paused"},
        "jobs": 0,
    }


def test_pages_tell_each_act_once_while_others_are_written(api) -> None:
    act(api, 5)
    whole = [each["id"] for each in api.get(AUDIT).json()["acts"]]
    assert len(whole) == 5
    found, cursor = [], None
    while cursor is not None or not found:
        page = api.get(AUDIT, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page["acts"]]
        cursor = page["next"]
        act(api, 1)
    assert found == whole


@pytest.mark.parametrize(
    ("query", "acts"),
    [("actor=api", 3), ("actor=nobody", 0), ("action=override", 2), ("action=override&action=webhook.secret", 3),
     ("action=replay", 0), ("created_after=1h", 3), ("created_before=1h", 0), ("created_after=2099-01-01", 0),
     ("action=override&actor=api&created_after=1h", 2)],
)  # fmt: skip
def test_filters_narrow_it(api, query: str, acts: int) -> None:
    act(api, 2)
    api.post("/api/v1/webhooks/secret", json={})
    assert len(api.get(f"{AUDIT}?{query}").json()["acts"]) == acts


@pytest.mark.parametrize(
    "query", ["cursor=act_", "cursor=job_1", f"cursor=act_{'9' * 19}", "acter=api", "action=replays"]
)
def test_nonsense_is_refused_with_its_name(api, query: str) -> None:
    answer = api.get(f"{AUDIT}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    ("scope", "tenant", "sees"),
    [(KeyScope.WATCH, None, True), (KeyScope.OPERATE, None, True), (KeyScope.ADMIN, None, True),
     (KeyScope.READ, None, False), (KeyScope.SUBMIT, None, False), (KeyScope.ADMIN, "default", False)],
)  # fmt: skip
def test_who_sees_the_fleet_sees_it_over_http_and_on_the_dashboard_alike(
    settings, store, *, scope: KeyScope, tenant: str | None, sees: bool
) -> None:
    key = add_key(store, tenant, scope)
    with opened(settings) as client:
        answer = client.get(AUDIT, headers=bearer(key))
        assert (answer.status_code, client.get("/ui", headers=bearer(key)).status_code) == ((200 if sees else 403),) * 2
        Browser(client).log_in(key)
        assert ('data-testid="audit"' in client.get("/ui").text) == sees


def test_alerts_go_on_where_the_last_page_ended(api, store) -> None:
    down = [AlertCondition(AlertKind.OUTAGE, name, f"{name} is down", None) for name in ("a", "b", "c")]
    store.write(record_conditions, down, [], after=0.0, quiet=0.0)
    first = api.get("/api/v1/alerts?limit=2").json()
    rest = api.get("/api/v1/alerts", params={"limit": 2, "cursor": first["next"]}).json()
    assert sorted(each["about"] for each in first["alerts"] + rest["alerts"]) == ["a", "b", "c"]
    assert rest["next"] is None


@pytest.mark.parametrize("act", ["asked", "pause", "resume", "abort"])
@pytest.mark.parametrize("bulk", [BulkAction.REPLAY, BulkAction.DRAIN, BulkAction.DROP])
def test_each_step_of_a_bulk_action_has_a_name(bulk: BulkAction, act: str) -> None:
    assert f"{bulk}.{act}" in {each.value for each in AuditAction}


def test_each_bulk_action_has_a_name() -> None:
    assert {each.value for each in BulkAction} <= {each.value for each in AuditAction}
