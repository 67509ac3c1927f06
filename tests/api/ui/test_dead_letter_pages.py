"""Dead letters are shown by cause, counted before anything is done, and what is done is an operation to be followed."""

import pytest

from api.test_keys import audited
from api.ui.browser import Marked
from holdfast.api.ui import dead_letter_pages, failure_groups

LETTERS = "/ui/dead-letters"


@pytest.fixture
def letters(browser, worker) -> int:
    jobs = [{"prompt": f"p{n}", "custom_id": f"line-{n}"} for n in range(4)]
    browser.client.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs})
    return worker.bury()


@pytest.fixture
def patient(monkeypatch) -> None:
    """Pages that wait for the end of an operation, and for groups to be read, on a machine of any speed."""
    monkeypatch.setattr(dead_letter_pages, "SOON", 60.0)
    monkeypatch.setattr(failure_groups, "PATIENCE", 60.0)
    monkeypatch.setattr(failure_groups, "SHARE", 0)


def cause_of(browser) -> str:
    return browser.client.get("/api/v1/dlq/groups").json()["groups"][0]["cause"]


def dead(browser) -> int:
    return len(browser.client.get("/api/v1/dlq").json()["jobs"])


def test_a_group_tells_its_cause_and_stands_on_the_fleets_page_too(browser, letters, patient) -> None:
    page = browser.open(LETTERS).text
    for word in ("HTTP 400", "bad_parameter", "the provider said: no such parameter", "smart.batch 4", "sample"):
        assert word in page
    assert Marked(page).value("failure-groups") == "4"
    assert "invalid request" in browser.read().text("failure-groups")


def test_a_plan_tells_how_many_where_and_at_what_cost_and_changes_nothing(browser, letters) -> None:
    plan = browser.press(f"{LETTERS}/plan", action="replay", cause=cause_of(browser))
    assert plan.status_code == 200
    assert "Replay 4 dead letters?" in plan.text
    assert "anthropic/claude-opus-4-8" in plan.text
    assert float(Marked(plan.text).value("plan-cost")) > 0
    assert dead(browser) == letters


def test_a_replay_is_followed_and_audited(browser, letters, patient, store) -> None:
    done = browser.press(f"{LETTERS}/act", action="replay", cause=cause_of(browser), max_tokens="900")
    assert (done.status_code, done.headers["location"]) == (303, LETTERS)
    assert dead(browser) == 0
    page = browser.open(LETTERS).text
    assert 'data-state="done"' in page
    assert "max_tokens 900" in page
    assert audited(store, "replay")[-1][0] == "api"
    assert "operations" in browser.client.get(f"{LETTERS}/live").json()["parts"]


def test_a_paced_replay_is_paused_and_aborted(browser, letters) -> None:
    browser.press(f"{LETTERS}/act", action="replay", all="true", per_minute="1")
    id_ = browser.client.get("/api/v1/dlq/operations").json()["operations"][0]["operation"]
    for control, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        assert browser.press(f"{LETTERS}/operations/{id_}/{control}").status_code == 303
        assert f'data-state="{state}"' in browser.open(LETTERS).text
    assert dead(browser) == letters - 1


@pytest.mark.parametrize(
    "fields", [{"action": "drop"}, {"action": "burn", "all": "true"}, {"action": "replay", "all": "true", "limit": "x"}]
)
def test_a_form_that_names_no_letters_or_no_action_does_nothing(browser, letters, fields) -> None:
    for step in ("plan", "act"):
        answer = browser.press(f"{LETTERS}/{step}", **fields)
        assert answer.status_code == 422
        assert "Nothing was done" in answer.text
    assert dead(browser) == letters


def test_drained_letters_are_fetched_as_a_file(browser, letters, patient) -> None:
    browser.press(f"{LETTERS}/act", action="drain", all="true")
    [link] = [values["href"] for tag, values in browser.read(LETTERS).elements if "download" in values]
    file = browser.client.get(link)
    assert len(file.content.splitlines()) == letters
    assert "attachment" in file.headers["content-disposition"]
    assert dead(browser) == 0
    assert browser.press(f"{link}/delete").status_code == 303
    assert browser.client.get(link).status_code == 404
    assert "download" not in browser.open(LETTERS).text


def test_one_job_is_replayed_from_its_page(browser, letters, patient) -> None:
    job = browser.client.get("/api/v1/dlq").json()["jobs"][0]["id"]
    assert "edit and replay" in browser.open(f"/ui/jobs/{job}").text
    assert browser.press(f"{LETTERS}/act", action="replay", id=job).status_code == 303
    assert dead(browser) == letters - 1


@pytest.mark.parametrize("wrong", [{"per_minute": "soon"}, {"per_minute": "true"}, {"max_tokens": "9e2x"}])
def test_what_is_no_number_is_refused_and_named(browser, letters, wrong) -> None:
    answer = browser.press(f"{LETTERS}/act", action="replay", all="true", **wrong)
    assert answer.status_code == 422
    assert "max_tokens" in answer.text or "per_minute" in answer.text
    assert dead(browser) == letters
