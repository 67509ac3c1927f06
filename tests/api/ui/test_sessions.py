"""A key is shown once for a cookie that is good as long as the key is; forms are taken from our own pages alone."""

import pytest

from api.keys import add_key, bearer, hears, opened
from api.test_keys import audited
from api.ui.browser import ORIGIN, Browser
from holdfast.api.auth.session import COOKIE
from holdfast.model.access import KeyScope
from holdfast.store.api_keys import revoke_key

PAUSE = "/ui/lanes/smart.batch/pause"


@pytest.fixture
def admin(store) -> str:
    return add_key(store, None, KeyScope.ADMIN)


@pytest.fixture
def keyed(settings, admin):
    with opened(settings) as client:
        yield Browser(client)


def test_without_a_session_every_page_leads_to_the_login(keyed) -> None:
    for path in ("/ui", "/ui/jobs", "/ui/jobs/job_x", "/ui/webhooks", "/ui/alerts", "/ui/live", "/ui/nowhere"):
        answer = keyed.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/login")


def test_a_key_lets_in_and_the_cookie_is_kept_from_scripts_and_other_sites(keyed, admin) -> None:
    answer = keyed.log_in(admin)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/ui", "max-age=43200"))
    assert admin not in answer.headers["set-cookie"]
    assert keyed.open().status_code == 200


@pytest.mark.parametrize("key", ["", "hf_x", "hf_0123456789abcdef_" + "ab" * 24])
def test_a_wrong_key_lets_nobody_in_and_is_audited(keyed, store, key) -> None:
    answer = keyed.log_in(key)
    assert answer.status_code == 401
    assert "Not let in" in answer.text
    assert audited(store, "denied")[-1][1]["path"] == "/ui/login"
    assert keyed.client.get("/ui", follow_redirects=False).status_code == 303


def test_a_session_ends_with_its_key(keyed, admin, store) -> None:
    keyed.log_in(admin)
    store.write(revoke_key, admin.split("_")[1], "test")
    hears(keyed.client)
    assert keyed.client.get("/ui", follow_redirects=False).headers["location"] == "/ui/login"


@pytest.mark.parametrize("forged", ["", "x", "gAAAAAB" + "x" * 100])
def test_a_forged_cookie_is_none(keyed, forged) -> None:
    keyed.client.cookies.set(COOKIE, forged, path="/ui")
    assert keyed.client.get("/ui", follow_redirects=False).status_code == 303


def test_a_cookie_of_another_installation_is_none(keyed, admin, tmp_path) -> None:
    keyed.log_in(admin)
    other = tmp_path / "other"
    other.mkdir()
    from producing import configured  # noqa: PLC0415 - a second storage, for this test alone

    with opened(configured(other)) as client:
        stranger = Browser(client)
        stranger.client.cookies.set(COOKIE, keyed.client.cookies[COOKIE], path="/ui")
        token = keyed.token()
        answer = client.post(PAUSE, data={"token": token}, headers=ORIGIN)
        assert answer.status_code == 403


def test_logging_out_forgets_the_session(keyed, admin) -> None:
    keyed.log_in(admin)
    assert keyed.press("/ui/logout").headers["location"] == "/ui/login"
    assert keyed.client.get("/ui", follow_redirects=False).status_code == 303


def test_where_no_key_was_ever_made_it_opens_without_login(browser) -> None:
    assert browser.open().status_code == 200
    assert browser.client.get("/ui/login", follow_redirects=False).headers["location"] == "/ui"


def test_a_form_needs_its_session_and_its_token(browser, store) -> None:
    token = browser.token()
    for data, cookies in (({}, True), ({"token": "x" * 22}, True), ({"token": token}, False)):
        kept = None if cookies else browser.client.cookies.clear()
        answer = browser.client.post(PAUSE, data=data, headers=ORIGIN, cookies=kept)
        assert answer.status_code == 403
    assert audited(store, "override") == []
    assert audited(store, "denied")[-1][1]["path"] == PAUSE


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_a_form_of_another_page_is_refused(browser, store, headers) -> None:
    answer = browser.client.post(PAUSE, data={"token": browser.token()}, headers=headers)
    assert answer.status_code == 403
    assert audited(store, "override") == []


def test_a_reading_key_sees_and_does_nothing(settings, store, admin) -> None:
    watcher = add_key(store, None, KeyScope.WATCH, KeyScope.READ)
    with opened(settings) as client:
        reader = Browser(client)
        reader.log_in(watcher)
        page = reader.open().text
        assert 'formaction="/ui/lanes' not in page
        assert 'formaction="/ui/routes' not in page
        assert "read only" in page
        assert "formaction" not in "".join(client.get("/ui/live?since=-1").json()["parts"].values())
        assert reader.press(PAUSE).status_code == 403
    assert audited(store, "override") == []


def test_a_tenants_key_sees_its_jobs_and_not_the_fleet(settings, store, admin) -> None:
    key = add_key(store, "acme", KeyScope.READ)
    with opened(settings) as client:
        tenant = Browser(client)
        assert tenant.log_in(key).headers["location"] == "/ui/jobs"
        assert tenant.open("/ui/jobs").status_code == 200
        assert tenant.open("/ui").status_code == 403
        assert client.get("/ui/live").status_code == 403
        assert 'href="/ui"' not in tenant.open("/ui/jobs").text


def test_a_program_may_show_its_key_in_a_header(keyed, admin) -> None:
    assert keyed.client.get("/ui/live?since=-1", headers=bearer(admin)).status_code == 200
