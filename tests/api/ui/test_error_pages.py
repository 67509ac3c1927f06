"""Whatever goes wrong below /ui is told as a page, in words, with the way on; scripts get a problem document."""

import pytest

from api.keys import add_key, bearer, hears
from api.ui.browser import ORIGIN, Browser, Marked
from holdfast.model.access import KeyScope
from holdfast.model.errors import StorageUnavailable

NO_JOB = "job_" + "0" * 32


def read_error(answer, status: int) -> Marked:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return Marked(answer.text)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/ui/nothing-here", 404, "No such path"),
        (f"/ui/jobs/{NO_JOB}", 404, "There is no such thing here"),
        (f"/ui/batches/{NO_JOB}", 404, "That is no id"),
        ("/ui/dead-letters/exports/op_" + "0" * 32, 404, "There is no such thing here"),
        ("/ui/jobs?state=asleep", 422, "state"),
        ("/ui/live?since=often", 422, "since"),
        ("/ui/lanes/smart.batch/pause", 405, "Method not allowed"),
    ],
)
def test_what_cannot_be_shown_is_told_as_a_page(browser, path, status, words) -> None:
    page = read_error(browser.open(path), status)
    assert words in page.text("error")
    assert "To the fleet" in page.text("error")


def test_a_script_gets_a_problem_document(browser) -> None:
    answer = browser.client.get("/ui/live?since=often", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_that_may_only_read_is_told_so_as_a_page(browser, store) -> None:
    reader = add_key(store, "acme", KeyScope.READ)
    hears(browser.client)
    assert browser.log_in(reader).status_code == 303
    page = read_error(browser.open("/ui"), 403)
    assert "Not for this caller" in page.text("error")
    assert "To the jobs" in page.text("error")
    assert "token" not in {values.get("name") for tag, values in page.elements if values.get("value")}


def test_a_form_of_another_page_is_refused_as_a_page(browser) -> None:
    answer = browser.client.post("/ui/lanes/smart.batch/pause", data={}, headers={"origin": "http://evil.example"})
    assert "Not for this caller" in read_error(answer, 403).text("error")
    answer = browser.client.post("/ui/lanes/smart.batch/pause", data={"token": "x"}, headers=ORIGIN)
    assert "Open the page again" in read_error(answer, 403).text("error")


def test_a_wrong_key_is_told_as_a_page(browser, store) -> None:
    add_key(store, "acme")
    hears(browser.client)
    answer = browser.client.get("/ui/jobs", headers=bearer("hf_wrong"))
    assert "Nobody knows you here" in read_error(answer, 401).text("error")


def test_with_the_database_away_a_page_says_so_and_when_to_come_again(browser, monkeypatch) -> None:
    def away(*_given, **_more):
        raise StorageUnavailable("sqlite:///x", "it is gone")

    monkeypatch.setattr("holdfast.client.local.LocalBackend.jobs", away)
    answer = browser.open("/ui/jobs")
    assert "The database does not answer" in read_error(answer, 503).text("error")
    assert answer.headers["retry-after"]


def test_a_markup_in_a_name_is_shown_as_text(browser: Browser) -> None:
    answer = browser.open("/ui/jobs/<script>window.x=1</script>")
    assert "<script>window" not in answer.text
