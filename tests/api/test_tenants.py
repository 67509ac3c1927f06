"""A key of one tenant sees and touches nothing of another's: every endpoint of the description is tried.

An endpoint that is added without a check fails here, or the application does not even start.
"""

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import select

from api.keys import add_key, bearer, hears, opened
from holdfast.api import endpoints as endpoint_parts
from holdfast.api.auth.middleware import PUBLIC_PATHS
from holdfast.api.auth.request_context import endpoints
from holdfast.model.access import KeyScope
from holdfast.store.tables import METADATA
from producing import ROUTE, StandInWorker

THEIRS = "theirs-4711"  # stands in everything that the other tenant wrote
DOCUMENTATION = {"/docs", "/openapi.json"}
ACT = {"all": True, "dry_run": False}
OF_THE_HOUSE = re.compile(
    r"/api/v1/(lanes|routes|ledger|status|diagnose|alerts|audit)|/metrics"
)  # all tenants' at once: no tenant's key
NO_FILE = f"file-{'0' * 32}"  # tests/api/openai/test_isolation.py looks for files
MOVING = {"audit", "api_key"}  # tables that hold no tenant's things


class Other:
    """Another tenant, with jobs in every state that there is something to be seen or done about."""

    def __init__(self, api, store, worker: StandInWorker) -> None:
        self.key = add_key(store, THEIRS)
        self.batch, self.jobs = self.submit(api, 4)
        worker.respond(b'{"said": "%s"}' % THEIRS.encode(), jobs=1)
        worker.bury(jobs=2)
        drained = {"id": [self.jobs[2]], "dry_run": False}
        self.operation = api.post("/api/v1/dlq/drain", json=drained, headers=bearer(self.key)).json()["operation"]
        self.webhook, self.delivery = self.listen(api)

    def listen(self, api) -> tuple[str, str]:
        headers = bearer(self.key)
        api.post("/api/v1/webhooks/secret", json={}, headers=headers)
        url = f"https://example.com/{THEIRS}"
        webhook = api.post("/api/v1/webhooks", json={"url": url}, headers=headers).json()["id"]
        return webhook, api.post(f"/api/v1/webhooks/{webhook}/test", headers=headers).json()["id"]

    def submit(self, api, count: int) -> tuple[str, list[str]]:
        jobs = [{"prompt": f"{THEIRS} {n}", "custom_id": f"{THEIRS}{n}"} for n in range(count)]
        body = {"model": "smart", "name": THEIRS, "jobs": jobs}
        headers = bearer(self.key) | {"Idempotency-Key": "the same for both"}
        answer = api.post("/api/v1/jobs", json=body, headers=headers).json()
        return answer["batch"], [job["id"] for job in answer["jobs"]]

    def requests(self, api) -> Iterator[tuple[str, str, dict]]:
        """Make a request of every operation that names what is theirs, in each way in which it can be named."""
        paths = hidden(api.app) | api.get("/openapi.json", headers=bearer(self.key)).json()["paths"]
        for path, operations in paths.items():
            for method in operations:
                for job in self.jobs:
                    named = {"job": job, "batch": self.batch, "operation": self.operation, "file": NO_FILE}
                    named |= {"webhook": self.webhook, "delivery": self.delivery}
                    url = path.format(**named, name="smart.batch", model="smart", provider="anthropic")
                    for body in ({}, ACT, {"id": [job], "dry_run": False}, {"batch": self.batch, "dry_run": False}):
                        yield method.upper(), url, {"json": body} if method == "post" else {}
                        if method != "post":
                            break
                    for name, value in (("tenant", THEIRS), ("batch", self.batch), ("id", job), ("state", "dead")):
                        if any(name == each["name"] for each in operations[method].get("parameters", ())):
                            yield method.upper(), url, {"params": {name: value}}
        yield "POST", "/api/v1/jobs", {"json": {"model": "smart", "jobs": [{"prompt": "mine"}], "batch": self.batch}}
        yield "POST", "/api/v1/dlq/drop", {"json": ACT | {"tenant": THEIRS}}


def hidden(app: FastAPI) -> dict[str, dict[str, dict]]:
    """The operations that the document leaves to the SDKs' own: none of them must be missed here."""
    routes = [each for each in iter_route_contexts(app.routes) if str(each.path).startswith("/v1/")]
    return {route.path_format: {method.lower(): {} for method in route.methods} for route in routes}


@pytest.fixture
def api(settings, store):
    with opened(settings) as client:
        client.headers["accept"] = "application/json"  # a stream of events has no end
        yield client


@pytest.fixture
def other(api, store, worker) -> Other:
    return Other(api, store, worker)


def rows(store, *, of: str) -> dict[str, list]:
    """Everything that SQL holds of one tenant."""

    def read(tx) -> dict[str, list]:
        jobs = select(METADATA.tables["job"].c.id).where(METADATA.tables["job"].c.tenant == of)
        found = {}
        for name, table in METADATA.tables.items():
            columns = table.c.keys()
            if "tenant" in columns and name not in MOVING:
                found[name] = tx.select(select(table).where(table.c.tenant == of).order_by(*table.primary_key))
            elif "job" in columns:
                found[name] = tx.select(select(table).where(table.c.job.in_(jobs)))
        return found

    return store.read(read)


def test_a_key_of_another_tenant_sees_and_touches_nothing(api, store, other) -> None:
    mine = add_key(store, "mine")
    hears(api)
    before = rows(store, of=THEIRS)
    assert {name: len(found) for name, found in before.items() if found} == {
        "job": 3, "batch": 1, "request": 3, "attempt": 2, "result": 2, "operation": 1, "response": 1,
        "webhook_endpoint": 1, "webhook_secret": 1, "webhook_delivery": 1,
    }  # fmt: skip
    for method, url, how in other.requests(api):
        answer = api.request(method, url, headers=bearer(mine), **how)
        shown = answer.text.replace(str(answer.url.query), "")
        assert THEIRS not in shown, (method, url, how)
        assert answer.status_code < 500, (method, url, how, answer.text)
        if OF_THE_HOUSE.match(url):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, url)
    assert rows(store, of=THEIRS) == before


def test_the_same_requests_with_their_own_key_see_and_do_something(api, store, other) -> None:
    """Or the test above would prove nothing."""
    before = rows(store, of=THEIRS)
    seen = {
        (method, re.sub(r"[0-9a-f]{32}", "…", url))
        for method, url, how in other.requests(api)
        if THEIRS in api.request(method, url, headers=bearer(other.key), **how).text
    }
    assert {
        ("GET", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/job_…"),
        ("GET", "/api/v1/batches"),
        ("GET", "/api/v1/batches/batch_…"),
        ("GET", "/api/v1/batches/batch_…/results"),
        ("GET", "/api/v1/dlq"),
        ("GET", "/api/v1/dlq/exports/op_…"),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/webhooks"),
        ("GET", "/api/v1/webhooks/wh_…"),
        ("GET", "/api/v1/webhooks/deliveries"),
        ("POST", "/api/v1/webhooks/deliveries/dlv_…/redeliver"),
    } <= seen
    assert rows(store, of=THEIRS) != before


def test_the_same_idempotency_key_is_each_tenants_own(api, store, other) -> None:
    mine = bearer(add_key(store, "mine")) | {"Idempotency-Key": "the same for both"}
    hears(api)
    body = {"model": "smart", "jobs": [{"prompt": "mine"}]}
    assert api.post("/api/v1/jobs", json=body, headers=mine).json()["jobs"][0]["created"] is True


def test_a_tenant_that_is_not_mine_is_refused_by_name(api, store, other) -> None:
    mine = bearer(add_key(store, "mine"))
    hears(api)
    for path in ("/api/v1/jobs", "/api/v1/batches", "/api/v1/dlq", "/api/v1/dlq/groups", "/api/v1/events"):
        answer = api.get(path, params={"tenant": "another"}, headers=mine)
        assert (answer.status_code, "belongs to tenant 'mine'" in answer.json()["detail"]) == (403, True), path
        assert api.get(path, params={"tenant": "mine"}, headers=mine).status_code == 200


def test_an_operator_of_all_tenants_sees_everybodys_and_can_narrow(api, store, other) -> None:
    admin = bearer(add_key(store, None, KeyScope.ADMIN))
    hears(api)
    assert len(api.get("/api/v1/jobs", headers=admin).json()["jobs"]) == 3
    assert api.get("/api/v1/jobs", params={"tenant": "nobody"}, headers=admin).json()["jobs"] == []
    assert api.get(f"/api/v1/jobs/{other.jobs[0]}", headers=admin).json()["tenant"] == THEIRS
    assert api.post(f"/api/v1/routes/{ROUTE}/reset", headers=admin).status_code == 200


def test_who_only_watches_sees_figures_and_nobodys_prompts(api, store, other) -> None:
    watcher = bearer(add_key(store, None, KeyScope.WATCH))
    hears(api)
    seen = set()
    for method, url, how in other.requests(api):
        answer = api.request(method, url, headers=watcher, **how)
        assert THEIRS not in answer.text
        if answer.status_code != 403:
            seen.add((method, url))
    figures = {"/metrics", *(f"/api/v1/{name}" for name in ("lanes", "routes", "ledger", "status", "alerts", "audit"))}
    probes = {path for path in PUBLIC_PATHS if not path.startswith("/ui")}  # pages: tests/api/ui/test_sessions.py
    assert seen == {("GET", path) for path in figures | probes - DOCUMENTATION}


def test_every_operation_wants_a_key_and_a_scope(api, store, other) -> None:
    stranger = bearer(add_key(store, THEIRS, KeyScope.SUBMIT))
    hears(api)
    accepted = set()
    for method, url, how in other.requests(api):
        if url in PUBLIC_PATHS:
            continue
        for _ in range(2):
            assert api.request(method, url, **how).status_code in {401, 429}, (method, url)
        if api.request(method, url, headers=stranger, **how).status_code != 403:
            accepted.add((method, re.sub(r"[0-9a-f]{32}", "…", url)))
    assert {each for each in accepted if not each[1].startswith("/v1/")} == {
        ("POST", "/api/v1/jobs"),
        ("POST", "/api/v1/jobs/estimate"),
        ("POST", "/api/v1/jobs/job_…/cancel"),
        ("POST", "/api/v1/batches/batch_…/cancel"),
    }


def test_an_endpoint_that_needs_nothing_is_no_endpoint(monkeypatch) -> None:
    class Part:
        router = APIRouter()

    @Part.router.get("/everything", include_in_schema=False)
    def everything() -> None: ...

    monkeypatch.setattr(endpoint_parts, "PARTS", (*endpoint_parts.PARTS, Part))
    with pytest.raises(TypeError, match="no API key is needed for /api/v1/everything"):
        endpoint_parts.all_endpoints.__wrapped__()  # what the process has put together stays as it is


def test_only_the_probes_need_nothing() -> None:
    bare = {path for path, needs in endpoints(endpoint_parts.all_endpoints()) if needs is None}
    assert bare | DOCUMENTATION == PUBLIC_PATHS


def test_a_job_posted_into_another_tenants_batch_is_refused_and_changes_nothing(api, store, other) -> None:
    mine, theirs = bearer(add_key(store, "mine")), bearer(other.key)
    before = api.get(f"/api/v1/batches/{other.batch}", headers=theirs).json()["counts"]
    body = {"model": "smart", "jobs": [{"prompt": "mine"}], "batch": other.batch, "first": 4}
    answer = api.post("/api/v1/jobs", json=body, headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert api.get(f"/api/v1/batches/{other.batch}", headers=theirs).json()["counts"] == before
    assert api.get("/api/v1/jobs", headers=mine).json()["jobs"] == []
