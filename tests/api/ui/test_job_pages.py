"""A job's page tells all that happened to it; what was asked and answered is hidden until somebody asks, on record."""

import pytest

from api.keys import add_key, opened
from api.test_keys import audited
from api.ui.browser import Browser, Marked
from holdfast.model.access import KeyScope

TEMPLATES = ("{{7*7}}", "${7*7}")  # stand on the page as they were written
PAYLOADS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "'-alert(1)-'", *TEMPLATES,
)  # fmt: skip
PAGES = ("/ui", "/ui/jobs", "/ui/batches", "/ui/dead-letters", "/ui/webhooks", "/ui/alerts")


def scripts_and_styles(page: str) -> list[tuple[str, dict[str, str]]]:
    """Elements that would run or style something from within a page."""
    return [
        (tag, values)
        for tag, values in Marked(page).elements
        if (tag == "script" and values.get("src") != "/ui/script.js")
        or tag in {"style", "iframe", "object", "embed", "base"}
        or any(name.startswith("on") or name == "style" for name in values)
        or values.get("href", "").lower().startswith("javascript:")
    ]


def submit(browser, **line) -> str:
    answer = browser.client.post("/api/v1/jobs", json={"model": "smart", "prompt": "tell me", **line})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_prompt_and_its_answer_are_hidden_until_asked_for_and_the_asking_is_audited(browser, worker, store) -> None:
    job = submit(browser, prompt="the secret prompt")
    worker.answer()
    page = browser.open(f"/ui/jobs/{job}").text
    assert "secret prompt" not in page.lower()
    assert "the secret prompt" in browser.press(f"/ui/jobs/{job}/reveal/request").text
    assert "THE SECRET PROMPT" in browser.press(f"/ui/jobs/{job}/reveal/response").text
    assert "curl http" in browser.press(f"/ui/jobs/{job}/reveal/line").text
    assert [what["part"] for _, what in audited(store, "reveal")] == ["request", "response", "line"]
    assert "secret" not in str(audited(store, "reveal"))


def test_the_timeline_tells_every_call(browser, worker) -> None:
    job = submit(browser)
    worker.bury()
    page = browser.open(f"/ui/jobs/{job}").text
    assert "no such parameter" in page
    assert "HTTP 400" in page
    assert "bad_parameter" in page
    assert "anthropic/claude-opus-4-8" in page


def test_a_job_is_cancelled(browser) -> None:
    job = submit(browser)
    assert browser.press(f"/ui/jobs/{job}/cancel").status_code == 303
    assert browser.client.get(f"/api/v1/jobs/{job}").json()["state"] == "cancelled"


def test_jobs_are_found_by_id_by_name_and_by_tenant(browser) -> None:
    job, _other = submit(browser, custom_id="mine"), submit(browser, custom_id="other")
    assert browser.client.get("/ui/jobs", params={"q": job}, follow_redirects=False).headers["location"].endswith(job)
    found = browser.open("/ui/jobs?q=mine").text
    assert (job in found, "other" in found) == (True, False)
    assert job in browser.open("/ui/jobs?q=default").text
    assert "No such jobs" in browser.open("/ui/jobs?q=nobody").text
    assert browser.open("/ui/jobs/job_" + "0" * 32).status_code == 404
    assert browser.open("/ui/jobs/nonsense").status_code == 404


def test_a_batch_tells_how_far_it_is(browser, worker) -> None:
    lines = [{"prompt": f"p{n}", "custom_id": f"line-{n}"} for n in range(3)]
    batch = browser.client.post("/api/v1/jobs", json={"model": "smart", "jobs": lines, "name": "mine"}).json()["batch"]
    worker.answer(jobs=1)
    page = browser.open(f"/ui/batches/{batch}").text
    assert "1 of 3 jobs have ended" in page
    assert batch in browser.open("/ui/batches").text
    only = browser.open(f"/ui/batches/{batch}?state=succeeded").text
    assert ("line-0" in only, "line-1" in only) == (True, False)
    assert browser.press(f"/ui/batches/{batch}/cancel").status_code == 303
    assert "3 of 3 jobs have ended" in browser.open(f"/ui/batches/{batch}").text


def test_another_tenants_job_is_not_there(settings, store, browser) -> None:
    job = submit(browser)
    key = add_key(store, "acme", KeyScope.READ, KeyScope.OPERATE)
    with opened(settings) as client:
        acme = Browser(client)
        acme.log_in(key)
        assert acme.open(f"/ui/jobs/{job}").status_code == 404
        assert acme.press(f"/ui/jobs/{job}/reveal/request").status_code == 404
        assert "No such jobs" in acme.open("/ui/jobs?q=default").text
    assert audited(store, "reveal") == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_others_wrote_becomes_markup(browser, worker, payload) -> None:
    job = submit(browser, prompt=payload, custom_id=payload, metadata={payload: payload})
    worker.bury(body=payload.encode())
    pages = [browser.open(path).text for path in (*PAGES, f"/ui/jobs/{job}", f"/ui/jobs?q={job[:5]}")]
    pages += [browser.press(f"/ui/jobs/{job}/reveal/{part}").text for part in ("request", "response", "line")]
    for page in pages:
        assert payload not in page or payload in TEMPLATES
        assert scripts_and_styles(page) == []


@pytest.mark.parametrize("path", [*PAGES, "/ui/login"])
def test_a_page_may_run_our_script_and_load_our_style_and_nothing_else(browser, path) -> None:
    answer = browser.open(path)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert scripts_and_styles(answer.text) == []


def test_every_field_has_a_label_and_every_page_its_landmarks(browser) -> None:
    job = submit(browser)
    for path in (*PAGES, f"/ui/jobs/{job}"):
        elements = browser.read(path).elements
        tags = [tag for tag, _ in elements]
        assert {"header", "nav", "main", "h1"} <= set(tags), path
        labelled = {values.get("for") for tag, values in elements if tag == "label"}
        fields = [values for tag, values in elements if tag in {"input", "select"} and values.get("type") != "hidden"]
        assert [values for values in fields if values.get("id") not in labelled] == [], path
