"""Lists over HTTP: a page that says the same is not sent again, and pages tell each entry once."""

import pytest

from producing import StandInWorker

JSON = {"Accept": "application/json"}
LISTS = [
    "jobs", "dlq", "dlq/groups", "dlq/operations", "batches", "webhooks", "webhooks/deliveries", "alerts", "audit",
    "lanes", "routes", "events",
]  # fmt: skip


def submit(api, *prompts: str) -> dict:
    return api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": each} for each in prompts]}).json()


@pytest.mark.parametrize("path", LISTS)
def test_a_page_that_is_the_same_is_answered_with_304_and_no_body(api, path: str) -> None:
    first = api.get(f"/api/v1/{path}", headers=JSON)
    assert first.headers["etag"].startswith('W/"')
    for known in (first.headers["etag"], f'"other", {first.headers["etag"]}', first.headers["etag"][2:], "*"):
        again = api.get(f"/api/v1/{path}", headers=JSON | {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert api.get(f"/api/v1/{path}", headers=JSON | {"If-None-Match": '"other"'}).status_code == 200


def test_what_changes_a_page_changes_its_tag(api, worker: StandInWorker) -> None:
    batch = submit(api, "a", "b")["batch"]
    paths = ["jobs", "batches", "dlq", "dlq/groups", f"batches/{batch}/results", f"jobs?batch={batch}"]

    def tags() -> list[str]:
        return [api.get(f"/api/v1/{path}", headers=JSON).headers["etag"] for path in paths]

    before = tags()
    assert tags() == before
    worker.bury(jobs=1)
    after = tags()
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert tags() == after


@pytest.mark.parametrize("path", ["jobs", "batches", "dlq"])
def test_pages_tell_each_entry_once_while_more_are_made_and_end(api, worker: StandInWorker, path: str) -> None:
    for _ in range(5):
        submit(api, "a")
    if path == "dlq":
        worker.bury()
    name = "batches" if path == "batches" else "jobs"
    whole = [each["id"] for each in api.get(f"/api/v1/{path}").json()[name]]
    found, cursor = [], None
    while True:
        page = api.get(f"/api/v1/{path}", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page[name]]
        cursor = page["next"]
        if cursor is None:
            break
        submit(api, "new")
        worker.bury(jobs=1)
    assert found == whole


def test_the_same_filters_narrow_queries_and_bulk_actions(api, worker: StandInWorker) -> None:
    submit(api, "a", "b")
    worker.bury(jobs=1)
    for moment, jobs in (("1h", 1), ("2099-01-01", 0), (4_000_000_000, 0), ("0", 1)):
        assert len(api.get("/api/v1/dlq", params={"created_after": moment}).json()["jobs"]) == jobs
        assert api.post("/api/v1/dlq/drop", json={"created_after": moment}).json()["jobs"] == jobs
    assert api.get("/api/v1/batches?created_before=1h").json()["batches"] == []
    assert len(api.get("/api/v1/jobs?state=dead&state=queued&finished_after=1h").json()["jobs"]) == 1
    answer = api.get("/api/v1/jobs?created_after=soon")
    assert (answer.status_code, "expected 90m, 2h or 7d ago" in answer.json()["detail"]) == (422, True)
    assert api.get("/api/v1/webhooks/deliveries?webhok=a").json()["detail"].endswith("Did you mean webhook?")
