"""Errors are problem documents; caps hold while a body is read; strangers are kept out."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from api.keys import add_key, bearer, opened
from holdfast.api import create_app, serve
from holdfast.api.auth.host_guard import check_binding
from holdfast.api.body_limits import MOST_BYTES, MOST_LEVELS, check_depth
from holdfast.client import submission
from holdfast.config import Settings, load
from holdfast.model.errors import ConfigError, InvalidRequest, StorageUnavailable
from holdfast.store.api_keys import revoke_key
from producing import configured

MEMBERS = {"type", "title", "status", "detail", "code", "hint", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs?limit=0", 422),
        ("POST", "/api/v1/jobs", 422),
        ("GET", "/api/v1/batches/batch_zz", 404),
    ],
)
def test_every_error_is_a_problem_document(api, method, path, status) -> None:
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= MEMBERS
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]


def test_a_database_that_is_away_is_503_with_the_time_to_come_back(api, monkeypatch) -> None:
    def away(_store, _jobs):
        raise StorageUnavailable("sqlite:///x", "disk full")

    monkeypatch.setattr(submission, "submit_jobs", away)
    answer = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "storage_unavailable"


def away(settings: Settings) -> Settings:
    """The same with a Postgres that nobody runs."""
    return replace(settings, storage=replace(settings.storage, database_url="postgresql://nobody@127.0.0.1:1/none"))


def test_a_database_that_cannot_be_opened_is_503_and_not_ready(settings: Settings) -> None:
    settings = away(settings)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", raise_server_exceptions=False) as api:
        assert api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"}).status_code == 503
        assert api.get("/readyz").status_code == 503
        assert api.get("/livez").status_code == 200
        assert api.get("/metrics").status_code == 503  # whether it wants a key cannot be told


def test_a_bug_tells_the_client_nothing_but_the_request_id(api, monkeypatch) -> None:
    def broken(_store, _jobs):
        raise RuntimeError("secret prompt text")

    monkeypatch.setattr(submission, "submit_jobs", broken)
    answer = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text


def test_a_body_is_refused_while_it_is_read(api) -> None:
    chunks = iter([b"x" * 1024 * 1024] * (MOST_BYTES // (1024 * 1024) + 1))
    answer = api.post("/api/v1/jobs", content=chunks)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_json_that_nests_too_deep_is_refused() -> None:
    def nested(levels: int):
        value = 1
        for _ in range(levels):
            value = [value]
        return value

    check_depth(nested(MOST_LEVELS))
    with pytest.raises(InvalidRequest, match="nests deeper than 64 levels"):
        check_depth(nested(MOST_LEVELS + 1))


def test_broken_json_is_named(api) -> None:
    answer = api.post("/api/v1/jobs", content=b'{"model": ')
    assert answer.status_code == 422
    assert "no JSON" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_is_refused(api, headers) -> None:
    answer = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_our_own_pages_are_welcome(api) -> None:
    headers = {"Origin": "http://127.0.0.1:8700", "Sec-Fetch-Site": "same-origin"}
    assert api.get("/api/v1/jobs", headers=headers).status_code == 200


def test_without_keys_the_server_listens_on_loopback_only(tmp_path) -> None:
    file = tmp_path / "holdfast.toml"
    configured(tmp_path)
    file.write_text(file.read_text() + '\n[server]\nhost = "0.0.0.0"\n')
    with pytest.raises(ConfigError, match=r"server.host: expected a loopback address .* `holdfast key create`"):
        serve(load(file, {}))


def test_with_a_good_key_it_may_listen_elsewhere_and_no_revoked_or_expired_one_will_do(settings, store) -> None:
    public = replace(settings, server=settings.server.model_copy(update={"host": "0.0.0.0"}))
    revoked = add_key(store)
    store.write(revoke_key, revoked[3:19], "test")
    add_key(store, expires_in=0.0)
    with pytest.raises(ConfigError, match="there is no API key yet"):
        check_binding(public)
    add_key(store)
    check_binding(public)


def test_a_database_that_is_away_does_not_keep_a_server_from_starting_and_refusing(settings) -> None:
    settings = away(settings)
    public = replace(settings, server=settings.server.model_copy(update={"host": "0.0.0.0"}))
    check_binding(public)
    with opened(public) as api:
        answer = api.get("/api/v1/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_with_a_key_a_request_may_name_any_host_but_no_other_sites_page_makes_one(settings, store) -> None:
    key = bearer(add_key(store))
    headers = key | {"Host": "holdfast.internal"}
    with opened(settings) as api:
        assert api.get("/api/v1/jobs", headers=key).status_code == 200
        assert api.get("/api/v1/jobs", headers=headers).status_code == 200
        for more in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert api.get("/api/v1/jobs", headers=headers | more).status_code == 403


@pytest.mark.parametrize("host", ["[", "[::1", "a" * 300, "127.0.0.1:x", "@127.0.0.1@evil.example", ""])
def test_an_odd_host_is_no_error_of_ours(api, host) -> None:
    assert api.get("/livez", headers={"Host": host}).status_code in {200, 403}


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/api/v1/jobs", "/openapi.json", "/docs"])
def test_every_answer_has_the_headers_that_make_it_safe(api, path) -> None:
    headers = api.get(path, headers={"Origin": "http://127.0.0.1:8700"}).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert [name for name in headers if name.startswith("access-control-")] == []


def test_the_description_of_the_api_can_be_made(api) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert {"/api/v1/jobs", "/api/v1/jobs/{job}", "/api/v1/dlq/replay", "/metrics"} <= set(paths)


def test_problems_name_calls_and_no_commands(api) -> None:
    job = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"}).json()
    nobody = f"job_{'0' * 32}"
    assert "`GET /api/v1/jobs` shows what is" in api.get(f"/api/v1/jobs/{nobody}").json()["detail"]
    assert f"`GET /api/v1/jobs/{job['id']}` says why" in api.get(f"{job['status_url']}/response").json()["detail"]
    paths = (f"/api/v1/batches/batch_{'0' * 32}", "/api/v1/lanes/x/pause", f"/api/v1/dlq/exports/op_{'0' * 32}")
    for path in paths:
        answer = api.post(path) if path.endswith("pause") else api.get(path)
        assert answer.status_code == 404
        assert "`holdfast" not in answer.text


def test_why_a_job_waits_names_calls_and_no_commands(api) -> None:
    job = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"}).json()
    assert api.post("/api/v1/lanes/smart.batch/pause").status_code == 200
    said = api.get(f"/api/v1/jobs/{job['id']}").json()["why_waiting"]
    assert "`POST /api/v1/lanes/smart.batch/resume` lets it go on" in said
    (lane,) = (each for each in api.get("/api/v1/lanes").json()["lanes"] if each["name"] == "smart.batch")
    assert "`POST /api/v1/lanes/smart.batch/resume`" in lane["paused_by"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/api/v1/jobs", "GET, POST"), ("/api/v1/webhooks/secret", "POST"), ("/api/v1/webhooks/wh_1", "DELETE, GET")],
)
def test_a_wrong_method_is_answered_with_the_right_ones(api, path, methods) -> None:
    answer = api.put(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
