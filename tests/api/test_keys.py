"""A request is let in with a good key, and with nothing else."""

import asyncio
import threading
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import text

from api.keys import add_key, bearer, cranked, opened
from holdfast.api.auth import key_cache, middleware
from holdfast.api.auth.failed_auth import FEW, MOST_PEERS, WINDOW, WRITTEN, FailedAuthLimiter
from holdfast.api.auth.key_cache import KeyRefresh
from holdfast.model.access import KeyScope
from holdfast.model.errors import StorageUnavailable
from holdfast.store import Store
from holdfast.store.api_keys import read_keys, revoke_key

JOBS = "/api/v1/jobs"


@pytest.fixture
def key(store: Store) -> str:
    return add_key(store)


@pytest.fixture
def keyed(settings, key):
    with opened(settings) as client:
        yield client


def audited(store: Store, action: str) -> list[tuple[str, dict]]:
    rows = store.read(
        lambda tx: tx.connection.execute(
            text("select actor, what from audit where action = :action order by id"), {"action": action}
        ).all()
    )
    return [(row.actor, orjson.loads(row.what)) for row in rows]


def test_both_headers_that_sdks_use_are_read(keyed, key) -> None:
    assert keyed.get(JOBS, headers=bearer(key)).status_code == 200
    assert keyed.get(JOBS, headers={"x-api-key": key}).status_code == 200
    assert keyed.get(JOBS, headers={"authorization": f"bearer  {key} "}).status_code == 200
    assert keyed.get(JOBS, headers={"Authorization": "Basic dTpw", "x-api-key": key}).status_code == 200


def test_where_there_is_a_key_nobody_comes_in_without_one(keyed) -> None:
    answer = keyed.get(JOBS)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="holdfast"'
    assert "holdfast key create" in body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/redoc", "/docs/x", "/nowhere", "/metrics", "/api/v1/status"])
def test_no_page_is_open_but_the_probes_and_the_documentation(keyed, path) -> None:
    assert keyed.get(path).status_code == 401


def test_probes_and_documentation_need_no_key(keyed) -> None:
    assert keyed.get("/livez").status_code == 200
    assert keyed.get("/readyz").status_code == 200
    assert keyed.get("/docs").status_code == keyed.get("/openapi.json").status_code == 200


def test_the_names_of_models_are_told_to_those_who_show_a_key(keyed, key) -> None:
    told = [keyed.get("/openapi.json", headers=headers).text for headers in ({}, bearer("wrong"), bearer(key))]
    assert ["claude-opus-4-8" in each for each in told] == [False, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x",
        "hf_",
        "hf_0123456789abcdef_" + "0" * 48,
        "Bearer Bearer",
        "é" * 10,
        "hf_" + "0" * 10_000,
    ],
)
def test_a_wrong_key_is_refused_and_not_repeated(keyed, wrong) -> None:
    answer = keyed.get(JOBS, headers={"Authorization": f"Bearer {wrong}".encode()})
    assert answer.status_code == 401
    assert len(wrong) < 5 or wrong not in answer.text


def test_the_name_of_a_key_is_no_key(keyed, key) -> None:
    swapped = key[:20] + ("1" if key[20] == "0" else "0") + key[21:]
    for text_ in (key[:-1], key + "0", key.upper(), swapped):
        assert keyed.get(JOBS, headers=bearer(text_)).status_code == 401


def test_two_different_keys_in_one_request_are_no_key(keyed, key, store) -> None:
    other = add_key(store, "other")
    assert keyed.get(JOBS, headers=bearer(key) | {"x-api-key": other}).status_code == 401
    assert keyed.get(JOBS, headers=bearer(key) | {"x-api-key": key}).status_code == 200


def test_a_revoked_key_is_refused_by_every_process_within_five_seconds(settings, store, key) -> None:
    with opened(settings) as one, opened(settings) as two:
        clocks = [cranked(one), cranked(two)]
        assert {api.get(JOBS, headers=bearer(key)).status_code for api in (one, two)} == {200}
        store.write(revoke_key, key[3:19], "test")
        for clock in clocks:
            clock.now += 4.9
        answers = [api.get(JOBS, headers=bearer(key)) for api in (one, two)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert "is revoked" in answers[0].json()["detail"]
    assert key_cache.FRESH < key_cache.STALE < 5


def test_an_expired_key_is_refused_by_the_databases_clock(settings, store) -> None:
    key = add_key(store, expires_in=60.0)
    with opened(settings) as api:
        clock = cranked(api)
        assert api.get(JOBS, headers=bearer(key)).status_code == 200
        store.write(lambda tx: tx.connection.execute(text("update api_key set expires_at = expires_at - 60000000")))
        clock.now += key_cache.FRESH
        answer = api.get(JOBS, headers=bearer(key))
    assert (answer.status_code, "is expired" in answer.json()["detail"]) == (401, True)


def test_the_last_key_that_is_revoked_does_not_open_the_house(settings, store, key) -> None:
    store.write(revoke_key, key[3:19], "test")
    with opened(settings) as api:
        assert api.get(JOBS).status_code == 401


def test_a_key_is_good_as_soon_as_it_is_made(keyed, key, store) -> None:
    assert keyed.get(JOBS, headers=bearer(key)).status_code == 200
    assert keyed.get(JOBS, headers=bearer(add_key(store))).status_code == 200


def test_a_flood_of_invented_keys_asks_the_database_nothing(settings, store, key, monkeypatch) -> None:
    with opened(settings) as api:
        cranked(api)
        invented = [f"hf_{n:016x}_{'0' * 48}" for n in range(50)]
        looks = []
        monkeypatch.setattr(key_cache, "read_keys", lambda tx: looks.append(1) or read_keys(tx))
        assert {api.get(JOBS, headers=bearer(each)).status_code for each in invented} == {401}
    assert len(looks) <= 2


async def test_requests_that_find_the_keys_old_wait_for_one_reading() -> None:
    readings, began, may_end = list[int](), threading.Event(), threading.Event()

    class SlowCache:
        def refresh(self) -> None:
            readings.append(1)
            began.set()
            may_end.wait(20)

    refresh = KeyRefresh(SlowCache())
    waiting = [asyncio.create_task(refresh.wait()) for _ in range(100)]
    gone = waiting.pop()
    await asyncio.to_thread(began.wait, 20)
    gone.cancel()
    may_end.set()
    await asyncio.gather(*waiting)
    assert readings == [1]


def test_a_first_key_ends_the_time_without_keys(api, store) -> None:
    clock = cranked(api)
    assert api.get(JOBS).status_code == 200
    add_key(store)
    clock.now += key_cache.FRESH
    assert api.get(JOBS).status_code == 401


def test_a_key_that_is_revoked_during_a_long_wait_gets_no_answer(settings, store, key, monkeypatch) -> None:
    with opened(settings) as api:
        clock = cranked(api)
        job = api.post(JOBS, json={"model": "smart", "prompt": "a"}, headers=bearer(key)).json()

        async def wait(_job, _seconds) -> None:
            store.write(revoke_key, key[3:19], "test")
            clock.now += key_cache.FRESH

        monkeypatch.setattr(api.app.state.holdfast.watch, "ended", wait)
        answer = api.get(job["status_url"], headers=bearer(key) | {"Prefer": "wait=30"})
    assert answer.status_code == 401


def test_a_scope_that_is_missing_is_named(settings, store) -> None:
    reader, submitter = add_key(store, "default", KeyScope.READ), add_key(store, "default", KeyScope.SUBMIT)
    with opened(settings) as api:
        answer = api.post(JOBS, json={"model": "smart", "prompt": "a"}, headers=bearer(reader))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "scope submit" in answer.json()["detail"]
        assert api.get(JOBS, headers=bearer(submitter)).status_code == 403
        assert api.post("/api/v1/dlq/drop", json={"all": True}, headers=bearer(reader)).status_code == 403


def test_admin_is_every_scope(settings, store) -> None:
    admin = add_key(store, None, KeyScope.ADMIN)
    with opened(settings) as api:
        for path in (JOBS, "/api/v1/dlq", "/api/v1/ledger", "/metrics"):
            assert api.get(path, headers=bearer(admin)).status_code == 200


def test_what_is_denied_stands_in_the_audit_book_without_the_key(settings, store, key) -> None:
    reader = add_key(store, "default", KeyScope.READ)
    with opened(settings, peer="203.0.113.7") as api:
        api.get(f"{JOBS}?x=1", headers=bearer("hf_0123456789abcdef_" + "5" * 48))
        api.post(JOBS, json={}, headers=bearer(reader))
    (stranger, first), (known, second) = audited(store, "denied")
    assert (stranger, first["peer"], first["path"], first["method"]) == ("nobody", "203.0.113.7", JOBS, "GET")
    assert (known, second["why"]) == (f"key:{reader[3:19]}", "this needs an API key with scope submit")
    assert "5" * 48 not in str((first, second))
    assert [what["id"] for _, what in audited(store, "key.create")] == [key[3:19], reader[3:19]]


def test_a_page_of_another_site_stands_in_the_audit_book_too(api, store) -> None:
    api.get(JOBS, headers={"Origin": "https://evil.example"})
    ((actor, what),) = audited(store, "denied")
    assert (actor, "evil.example" in what["why"]) == ("nobody", True)


def test_a_known_key_that_asks_for_too_much_fills_no_book_either(settings, store) -> None:
    reader = add_key(store, "default", KeyScope.READ)
    with opened(settings) as api:
        answers = {api.post(JOBS, json={}, headers=bearer(reader)).status_code for _ in range(WRITTEN + 5)}
    assert answers == {403}
    assert len(audited(store, "denied")) == WRITTEN


def test_acts_name_the_key_in_the_audit_book(settings, store) -> None:
    admin = add_key(store, None, KeyScope.ADMIN)
    with opened(settings) as api:
        assert api.post("/api/v1/lanes/smart.batch/pause", headers=bearer(admin)).status_code == 200
    assert [actor for actor, _ in audited(store, "override")] == [f"key:{admin[3:19]}"]


def test_the_last_use_of_a_key_is_noted_once_a_minute(settings, store, key) -> None:
    with opened(settings) as api:
        clock = cranked(api)

        def used() -> float | None:
            clock.now += key_cache.FRESH
            assert api.get(JOBS, headers=bearer(key)).status_code == 200
            return store.read(read_keys)[0][0].used_at

        first = used()
        assert first is not None
        assert used() == first
    assert store.read(read_keys)[0][0].usable(store.now())


def test_keys_that_cannot_be_read_let_nobody_in(settings, store, key, monkeypatch) -> None:
    with opened(settings) as api:
        clock = cranked(api)
        assert api.get(JOBS, headers=bearer(key)).status_code == 200

        def away(_tx):
            raise StorageUnavailable("sqlite:///x", "disk full")

        monkeypatch.setattr(key_cache, "read_keys", away)
        clock.now += key_cache.STALE
        for headers in (bearer(key), {}):
            answer = api.get(JOBS, headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert api.get("/livez").status_code == 200


def test_an_error_of_our_own_lets_nobody_in(settings, store, key, monkeypatch) -> None:
    def broken(_self, _text):
        raise RuntimeError("a bug")

    monkeypatch.setattr(key_cache.KeyCache, "caller", broken)
    with opened(settings) as api:
        answer = api.get(JOBS, headers=bearer(key))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "a bug" not in answer.text


def test_guessing_is_slowed_down_and_shuts_nobody_out(keyed, key) -> None:
    answers = [keyed.get(JOBS, headers=bearer("x")) for _ in range(FEW + 1)]
    assert [answer.status_code for answer in answers] == [401] * FEW + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= WINDOW + 1
    assert answers[-1].json()["code"] == "too_many_denials"
    assert keyed.get(JOBS, headers=bearer(key)).status_code == 200


def test_a_flood_of_refusals_fills_no_book_and_no_memory() -> None:
    denials = FailedAuthLimiter()
    verdicts = [denials.denied(f"10.0.{n // 256}.{n % 256}", 5.0) for n in range(MOST_PEERS + 500)]
    assert sum(verdict.write for verdict in verdicts) == WRITTEN
    assert len(denials._peers) == MOST_PEERS
    later = denials.denied("10.0.0.1", 5.0 + WINDOW)
    assert (later.write, later.unwritten, later.wait) == (True, MOST_PEERS + 500 - WRITTEN, None)


@pytest.mark.parametrize("listens", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_server_that_others_reach_wants_a_key_even_if_none_was_made(tmp_path, settings, listens) -> None:
    public = replace(settings, server=settings.server.model_copy(update={"host": listens}))
    with opened(public) as api:
        assert api.get(JOBS).status_code == 401
        assert api.get("/livez").status_code == 200


def test_websockets_are_closed_at_the_door() -> None:
    sent = []

    async def run() -> None:
        async def send(message) -> None:
            sent.append(message)

        await middleware.AuthMiddleware(None, None)({"type": "websocket", "path": "/"}, None, send)

    asyncio.run(run())
    assert sent == [{"type": "websocket.close", "code": 1008}]
