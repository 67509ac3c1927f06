"""One load answers what an operator has to know, right to what is stored; then only what changed is sent."""

import asyncio
import threading
import time
from typing import Never

import pytest

from api.ui.browser import Marked
from holdfast.api.ui import dashboard, rendering
from holdfast.client.fleet import GateOverview
from holdfast.client.installation import Installation
from holdfast.lanes import BreakerView, Snapshot
from holdfast.lanes.values import BucketView, RouteFault
from holdfast.model.call_result import Dimension
from holdfast.model.errors import InvalidRequest, StorageUnavailable
from holdfast.policy.outage_sentence import FaultCount
from holdfast.store.fleet import stop_worker

CONTRACT = [
    "verdict", "since", "clients", "backlog", "oldest-due", "trend", "drain-eta", "route-card", "next-probe",
    "bucket-fill", "traffic-share", "ledger", "deadlines-at-risk", "cost", "safe-actions", "audit", "flow-chart",
    "why-waiting", "failure-groups", "alerts", "as-of",
]  # fmt: skip


@pytest.fixture
def jobs(browser) -> int:
    lines = [{"prompt": f"p{n}", "expires_in": 60} for n in range(3)]
    assert browser.client.post("/api/v1/jobs", json={"model": "smart", "jobs": lines}).status_code == 202
    return 3


def test_every_answer_is_there_before_any_script_has_run(browser, jobs) -> None:
    page = browser.read()
    assert [mark for mark in CONTRACT if mark not in page.marked] == []


def test_the_figures_are_those_of_the_store(no_samples, browser, jobs, worker) -> None:
    worker.answer(jobs=1)
    browser.client.post("/api/v1/jobs", json={"model": "smart", "prompt": "one more"})
    worker.bury(jobs=1)
    page = browser.read()
    assert page.value("backlog") == "2"
    assert (page.value("ledger"), page.marked["ledger"][0][0]["data-accepted"]) == ("true", "4")
    assert page.marked["ledger"][0][0]["data-accounted"] == "4"
    assert float(page.value("cost")) > 0
    assert page.value("failure-groups") == "1"
    assert page.value("deadlines-at-risk") == "1"
    assert 0 <= float(page.value("oldest-due")) < 60
    assert page.value("clients") == "waiting"


def test_a_route_says_how_it_stands(browser) -> None:
    cards = {attributes["data-route"]: attributes for attributes, _ in browser.read().marked["route-card"]}
    assert set(cards) == {"anthropic/claude-opus-4-8", "openai/gpt-5.4"}
    assert {card["data-breaker"] for card in cards.values()} == {"closed"}


def test_without_redis_it_is_us(browser, jobs) -> None:
    page = browser.read()
    assert page.value("verdict") == "us"
    assert page.text("verdict").startswith("It is us: Redis")
    assert page.value("since") == ""


def test_without_a_worker_it_is_us_since_the_last_one_ended(browser, store, worker, jobs, monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.overview.redis_warning", lambda _: None)
    monkeypatch.setattr("holdfast.client.overview.gate_overview", lambda _: GateOverview())
    store.write(stop_worker, worker.id)
    page = browser.read()
    assert page.marked["verdict"][0][0]["data-cause"] == "no_worker"
    assert 0 <= time.time() - float(page.value("since")) < 600


def test_what_an_operator_did_stands_on_the_page(browser) -> None:
    assert browser.press("/ui/lanes/smart.batch/pause").status_code == 303
    page = browser.read()
    assert "api override lane smart.batch paused" in page.text("audit")
    assert "Resume smart.batch" in page.text("safe-actions")
    assert browser.press("/ui/lanes/smart.batch/resume").status_code == 303
    assert "Resume" not in browser.read().text("safe-actions")


@pytest.mark.parametrize(("act", "state"), [("open", "forced_open"), ("close", "disabled"), ("reset", "closed")])
def test_a_route_is_forced_and_let_go(browser, act, state) -> None:
    browser.press("/ui/routes/openai/gpt-5.4/open")
    assert browser.press(f"/ui/routes/openai/gpt-5.4/{act}").status_code == 303
    cards = {attributes["data-route"]: attributes for attributes, _ in browser.read().marked["route-card"]}
    assert cards["openai/gpt-5.4"]["data-breaker"] == state


def test_a_page_asks_for_what_changed_and_gets_no_more(browser, jobs) -> None:
    everything = browser.client.get("/ui/live?since=-1").json()
    assert set(everything["parts"]) == set(dashboard.SECTIONS)
    assert browser.client.get(f"/ui/live?since={everything['look']}").json()["parts"] == {}
    browser.press("/ui/lanes/smart.batch/pause")
    news = browser.client.get(f"/ui/live?since={everything['look']}").json()
    assert {"lanes", "audit", "actions"} <= set(news["parts"])
    assert "paused" in news["parts"]["lanes"]
    assert "failures" not in news["parts"]


@pytest.fixture
def no_samples(monkeypatch) -> None:
    """A dashboard that looks only when a page asks."""
    monkeypatch.setattr(dashboard, "SAMPLE", 3600.0)


def test_pages_that_ask_at_one_time_share_one_look(no_samples, browser, monkeypatch) -> None:
    looks = []
    monkeypatch.setattr(dashboard, "FRESH", 3600.0)
    read = dashboard.read_overview
    monkeypatch.setattr(dashboard, "read_overview", lambda *given, **more: looks.append(1) or read(*given, **more))
    for _ in range(20):
        assert browser.client.get("/ui/live?since=0").status_code == 200
    assert len(looks) == 1


def test_the_first_page_of_a_prepared_server_waits_for_no_look_and_compiles_nothing(
    no_samples, browser, jobs, monkeypatch
) -> None:
    rendering.environment.cache_clear()
    board = browser.client.app.state.holdfast.dashboard
    browser.client.portal.call(board.prepare)
    monkeypatch.setattr(dashboard, "FRESH", 3600.0)
    monkeypatch.setattr(dashboard, "read_overview", None)
    monkeypatch.setattr(rendering.environment(), "compile", None)
    assert browser.read().value("backlog") == "3"


def test_with_the_database_away_the_last_look_is_shown_and_called_old(browser, jobs, monkeypatch) -> None:
    assert browser.read().value("backlog") == "3"

    def away(*_given, **_more):
        raise StorageUnavailable("sqlite:///x", "it is gone")

    monkeypatch.setattr(dashboard, "read_overview", away)
    browser.client.app.state.holdfast.dashboard.expire()
    answer = browser.open()
    page = Marked(answer.text)
    assert (answer.status_code, page.value("backlog")) == (200, "3")
    assert (page.value("verdict"), page.marked["verdict"][0][0]["data-cause"]) == ("us", "storage")
    assert "old: " in answer.text


def test_a_page_that_never_had_a_look_says_so(browser, monkeypatch) -> None:
    def away(*_given, **_more):
        raise StorageUnavailable("sqlite:///x", "it is gone")

    monkeypatch.setattr(dashboard, "read_overview", away)
    answer = browser.open()
    assert (answer.status_code, Marked(answer.text).value("verdict")) == (200, "us")


async def test_a_page_waits_for_a_first_look_that_somebody_else_began(settings, monkeypatch) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def slow(*_: object) -> Never:
        begun.set()
        assert let_go.wait(10)
        raise InvalidRequest("the fleet", "was looked at.")

    monkeypatch.setattr(dashboard, "read_overview", slow)
    monkeypatch.setattr(dashboard, "FRESH", 1e9)
    installation = Installation(settings)
    shared = dashboard.Dashboard(installation)
    first = asyncio.create_task(shared.look())
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(shared.look())
    await asyncio.wait({second}, timeout=0.05)
    assert not second.done()
    let_go.set()
    await asyncio.gather(first, second)
    assert "was looked at" in shared.page(may_act=False)["verdict"]
    installation.close()


def test_a_route_that_is_down_tells_its_newest_answer_and_what_is_to_be_done_about_it(
    no_samples, browser, jobs, worker, monkeypatch
) -> None:
    name = "anthropic/claude-opus-4-8"
    down = Snapshot([BreakerView("endpoint:anthropic", "open", 1, 3.0, since=1_790_000_000.0)], [], {})
    counts = [FaultCount("server_error", 503, 20), FaultCount("auth", 401, 3)]
    told = [RouteFault(name, each, is_last=each.kind == "auth") for each in counts]
    monkeypatch.setattr("holdfast.client.overview.gate_overview", lambda _: GateOverview(down))
    monkeypatch.setattr("holdfast.client.outages.faults_of", lambda *_: told)
    monkeypatch.setattr("holdfast.client.overview.redis_warning", lambda _: None)
    page = browser.read()
    last = {attributes["data-last"] for attributes, _ in page.marked["next-probe"]}
    assert last == {"auth", ""}
    assert f"{name}: the provider refuses its key" in page.text("safe-actions")
    assert "(HTTP 401 in 3, before HTTP 503 in 20 calls)" in page.text("verdict")


def test_a_bucket_in_debt_has_nothing_left(no_samples, browser, monkeypatch) -> None:
    of_one = {Dimension.REQUESTS: 10.0}
    debt = BucketView("openai/main:gpt-5.4", {Dimension.REQUESTS: -167.0}, of_one, of_one, 1.0)
    monkeypatch.setattr("holdfast.client.overview.gate_overview", lambda _: GateOverview(Snapshot([], [debt], {})))
    page = browser.read()
    fills = [" ".join(words) for _, words in page.marked["bucket-fill"]]
    assert [fill for fill in fills if "0% left of 600/min" in " ".join(fill.split())]
    assert [fill for fill in fills if "-" in fill] == []
