"""The whole over a real socket: many waiters at once hold no threads, hear at once, and are forgotten when they go."""

import asyncio
import threading
from pathlib import Path

import httpx2
import pytest

from holdfast.api.app_state import AppState
from holdfast.api.serving import server_of
from holdfast.api.ui.dashboard import Dashboard
from holdfast.client import end_poller
from holdfast.client.end_poller import EndPoller
from holdfast.config import Settings
from holdfast.lanes import Lanes, connect
from holdfast.lanes.ended_jobs import EndedJobsPublisher
from holdfast.model.ids import inner_id
from holdfast.store import Store
from producing import StandInWorker, configured, running, served

UNLIMITED = httpx2.Limits(max_connections=None)


def client_of(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, timeout=60, limits=UNLIMITED, trust_env=False)


async def submit(http: httpx2.AsyncClient, count: int) -> list[str]:
    jobs = [{"prompt": f"p{n}"} for n in range(count)]
    answer = await http.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs})
    return [job["status_url"] for job in answer.json()["jobs"]]


def wait_for(http: httpx2.AsyncClient, url: str) -> asyncio.Task[httpx2.Response]:
    return asyncio.create_task(http.get(url, headers={"Prefer": "wait=60"}))


@pytest.fixture
def pollers(monkeypatch: pytest.MonkeyPatch) -> list[EndPoller]:
    """The pollers of the applications that a test starts."""
    made: list[EndPoller] = []
    build = AppState.__init__

    def noted(self: AppState, *given) -> None:
        build(self, *given)
        made.append(self.watch)

    monkeypatch.setattr(AppState, "__init__", noted)
    return made


async def until_waiting(poller: EndPoller, count: int) -> None:
    async with asyncio.timeout(30):
        while poller.waiting != count:
            await asyncio.to_thread(threading.Event().wait, 0.01)


def test_a_server_prepares_its_dashboard_before_anybody_asks(settings: Settings, monkeypatch) -> None:
    prepared = threading.Event()

    async def prepare(_: Dashboard) -> None:
        prepared.set()

    monkeypatch.setattr(Dashboard, "prepare", prepare)
    with running(server_of(settings)):
        assert prepared.wait(30)


def test_an_idle_connection_outlasts_the_patience_of_clients_and_load_balancers(settings: Settings) -> None:
    kept_by_load_balancers = 60  # seconds, as those of AWS do, and longer than httpx (5) and aiohttp (15)
    assert server_of(settings).config.timeout_keep_alive > kept_by_load_balancers


async def test_two_hundred_waiters_hear_of_their_job_while_others_are_served(settings, store, pollers) -> None:
    worker, threads = StandInWorker(store), threading.active_count()
    with served(settings) as url:
        async with client_of(url) as http:
            waits = [wait_for(http, job) for job in await submit(http, 200)]
            assert (await http.get("/readyz")).status_code == 200
            await until_waiting(pollers[0], 200)
            assert threading.active_count() < threads + 100  # pools of threads there are, but none a waiter
            await asyncio.to_thread(worker.answer)
            answers = await asyncio.gather(*waits)
    assert {answer.json()["status"] for answer in answers} == {"succeeded"}


async def test_a_waiter_whose_client_went_away_is_forgotten(settings, store, pollers) -> None:
    with served(settings) as url:
        async with client_of(url) as http:
            waits = [wait_for(http, job) for job in await submit(http, 3)]
            await until_waiting(pollers[0], 3)
            waits[0].cancel()
            await until_waiting(pollers[0], 2)
            for wait in waits[1:]:
                wait.cancel()
            await until_waiting(pollers[0], 0)


async def test_a_waiter_hears_by_a_hint_alone(tmp_path: Path, pollers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question that needs no hint would be asked long after the test has given up."""
    monkeypatch.setattr(end_poller, "FALLBACK", 3_600.0)
    settings = configured(tmp_path, redis_url="embedded")
    running = connect("embedded", tmp_path)
    Lanes(running).ping()
    store, publisher = Store(settings.storage.database_url), EndedJobsPublisher(lambda: running)
    store.ensure()
    store.tell_ended = publisher.publish
    worker = StandInWorker(store)
    with served(settings) as url:
        async with client_of(url) as http:
            for _ in range(7):
                (job,) = await submit(http, 1)
                wait = wait_for(http, job)
                await until_waiting(pollers[0], 1)
                await asyncio.to_thread(worker.answer)
                while not wait.done():  # a hint before anybody has subscribed is lost, so it is given again
                    publisher.publish([inner_id("job", job.rpartition("/")[2])])
                    await asyncio.wait([wait], timeout=0.2)
                assert (await wait).json()["status"] == "succeeded"
    publisher.close()
    store.close()
    running.close()
