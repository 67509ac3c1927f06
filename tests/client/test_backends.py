"""What can be asked of Holdfast has one answer, whether the storage gives it or a server does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from holdfast.client.backend import Backend
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.http import HttpBackend
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.config import Settings
from holdfast.model.errors import Forbidden, NotFound
from holdfast.model.job import State
from holdfast.model.records import AuditFilter, JobFilter
from producing import ROUTE, StandInWorker, served, served_as_pool

DEAD = JobFilter(states=frozenset({State.DEAD}))
NOBODY = "0" * 32


@pytest.fixture
def local(settings: Settings) -> Iterator[LocalBackend]:
    backend = LocalBackend(Installation(settings), tenant=None, actor="test")
    yield backend
    backend.close()


@pytest.fixture
def remote(settings: Settings) -> Iterator[HttpBackend]:
    with served(settings) as url:
        backend = HttpBackend.of_server(url)
        yield backend
        backend.close()


@pytest.fixture
def pool(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpBackend]:
    """What `holdfast up` serves to commands of its folder."""
    monkeypatch.chdir(tmp_path)
    with served_as_pool(settings) as path:
        yield HttpBackend.of_pool(path)


@pytest.fixture(params=["local", "remote", "pool"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.getfixturevalue(request.param)


@pytest.fixture
def worker(local: LocalBackend) -> StandInWorker:
    return StandInWorker(local.installation.ready())


def batch_of(backend: Backend, *prompts: str) -> tuple[str, list[str]]:
    accepted = backend.submit(SubmitRequest(prompts, JobDefaults("smart"), many=True, name="mine"))
    return accepted.batch or "", [job.id for job in accepted.jobs]


def without_links(view: dict[str, Any]) -> dict[str, Any]:
    """Leave out what HTTP alone adds: where things are found."""
    return {key: value for key, value in view.items() if key not in {"status_url", "results_url"}}


def test_both_show_the_same(local: LocalBackend, remote: HttpBackend, worker: StandInWorker) -> None:
    batch, jobs = batch_of(local, "a", "b", "c")
    worker.answer(jobs=1)
    worker.bury(jobs=1)
    assert remote.jobs(JobFilter(), 2) == local.jobs(JobFilter(), 2)
    assert [remote.job(job) for job in jobs] == [local.job(job) for job in jobs]
    assert without_links(remote.batch(batch)) == local.batch(batch)
    page = remote.results(batch, -1, 10)
    assert page == local.results(batch, -1, 10)
    assert page["results"] == [{"position": n, **remote.answer(job).line} for n, job in enumerate(jobs[:2])]
    assert remote.lanes() == local.lanes()
    assert remote.routes() == local.routes()
    assert remote.ledger() == local.ledger()
    assert remote.dead_groups(DEAD) == local.dead_groups(DEAD)
    assert remote.status().keys() == local.status().keys()


def test_a_list_goes_on_where_the_last_page_ended(backend: Backend) -> None:
    _, jobs = batch_of(backend, "a", "b", "c")
    first = backend.jobs(JobFilter(), 2)
    rest = backend.jobs(JobFilter(), 2, first["next"])
    assert [job["id"] for job in first["jobs"] + rest["jobs"]] == jobs[::-1]
    assert rest["next"] is None
    batches = [batch_of(backend, "d")[0] for _ in range(2)]
    newest = backend.batches(1)
    assert [newest["batches"][0]["id"], backend.batches(1, newest["next"])["batches"][0]["id"]] == batches[::-1]


def test_states_are_those_of_the_jobs_that_are_there(backend: Backend, worker: StandInWorker) -> None:
    batch, jobs = batch_of(backend, "a", "b")
    worker.answer(jobs=1)
    assert backend.states([*jobs, f"job_{NOBODY}"]) == {jobs[0]: State.SUCCEEDED, jobs[1]: State.QUEUED}
    assert {state: count for state, count in backend.counts(batch).items() if count} == {
        State.SUCCEEDED: 1,
        State.QUEUED: 1,
    }
    assert backend.answer(jobs[0]).text == "A"
    assert backend.answer(jobs[1]) is None


def test_what_is_cancelled_stays_so_and_what_had_ended_stays_that(backend: Backend, worker: StandInWorker) -> None:
    batch, jobs = batch_of(backend, "a", "b", "c")
    worker.answer(jobs=1)
    assert [backend.cancel(job)["status"] for job in jobs[:2]] == ["succeeded", "cancelled"]
    assert backend.cancel_batch(batch) == {"id": batch, "cancelled": 1}


def test_what_is_not_there_is_named(backend: Backend) -> None:
    for question in (backend.job, backend.answer, backend.cancel):
        with pytest.raises(NotFound, match=f"there is no job job_{NOBODY}"):
            question(NOBODY)
    for question in (backend.batch, backend.counts, backend.cancel_batch):
        with pytest.raises(NotFound, match=f"there is no batch batch_{NOBODY}"):
            question(NOBODY)
    with pytest.raises(NotFound, match="lane"):
        backend.pause("nobody.batch", paused=True)
    with pytest.raises(NotFound, match="route"):
        backend.force("nobody/nothing", "open")


def test_a_tenant_reaches_nothing_of_another(local: LocalBackend, worker: StandInWorker) -> None:
    batch, jobs = batch_of(local, "a", "b")
    worker.bury(jobs=1)
    other = LocalBackend(local.installation, tenant="other")
    assert other.states(jobs) == {}
    assert (other.jobs(JobFilter(), 10)["jobs"], other.batches(10)["batches"]) == ([], [])
    assert other.dead_groups(DEAD)["groups"] == []
    for action in ("replay", "drop"):
        assert other.plan_bulk(BulkOrder(action, DEAD))["jobs"] == 0
        assert other.act(BulkOrder(action, DEAD), None)["jobs"] == 0
    for question in (other.job, other.answer, other.cancel):
        with pytest.raises(NotFound):
            question(jobs[0])
    for question in (other.batch, other.counts, other.cancel_batch, lambda name: other.results(name, -1, 10)):
        with pytest.raises(NotFound):
            question(batch)
    with pytest.raises(Forbidden, match="belongs to tenant 'other'"):
        other.jobs(JobFilter(tenant="default"), 10)
    assert local.states(jobs) == {jobs[0]: State.DEAD, jobs[1]: State.QUEUED}


def test_lanes_and_routes_obey_the_operator(backend: Backend) -> None:
    batch_of(backend, "a")
    assert backend.pause("smart.batch", paused=True)["paused"]
    assert backend.lanes()["lanes"][0]["paused"]
    assert not backend.pause("smart.batch", paused=False)["paused"]
    for want, state in (("open", "forced_open"), ("closed", "disabled")):
        assert backend.force(ROUTE, want)["override"] == want
        assert {route["state"] for route in backend.routes()["routes"] if route["name"] == ROUTE} == {state}
    assert backend.reset(ROUTE)["override"] is None


def test_who_did_what_is_listed_newest_first(backend: Backend) -> None:
    backend.pause("smart.batch", paused=True)
    backend.pause("smart.batch", paused=False)
    where = AuditFilter(actions=frozenset({"override"}), created_after=1.0)
    page = backend.audit(where, 1)
    rest = backend.audit(where, 5, page["next"])
    assert [act["what"]["value"] for act in (*page["acts"], *rest["acts"])] == [None, "paused"]
    assert rest["next"] is None
    assert backend.audit(AuditFilter(actor="nobody"), 5)["acts"] == []


def test_dead_letters_are_counted_replayed_drained_and_dropped(
    backend: Backend, worker: StandInWorker, tmp_path: Path
) -> None:
    _, jobs = batch_of(backend, *(f"p{n}" for n in range(6)))
    worker.bury()
    assert [backend.plan_bulk(BulkOrder("drop", DEAD, limit))["jobs"] for limit in (100, 4)] == [6, 4]
    assert backend.act(BulkOrder("replay", DEAD, 1), None)["jobs"] == 1
    assert backend.job(jobs[0])["state"] == "queued"
    drained = backend.act(BulkOrder("drain", DEAD, 2), None)
    assert (drained["jobs"], drained["state"]) == (2, "done")
    backend.export(drained["operation"], tmp_path / "letters.jsonl")
    backend.delete_export(drained["operation"])
    with pytest.raises(NotFound):
        backend.export(drained["operation"], tmp_path / "again.jsonl")
    assert not (tmp_path / "again.jsonl").exists()
    lines = [orjson.loads(line) for line in (tmp_path / "letters.jsonl").read_bytes().splitlines()]
    assert len({line["letter"]["id"] for line in lines} & set(jobs[1:])) == 2
    assert backend.act(BulkOrder("drop", DEAD, 2), None)["jobs"] == 2
    assert backend.plan_bulk(BulkOrder("drop", DEAD))["jobs"] == 1
    assert [each["action"] for each in backend.operations()["operations"]] == ["drop", "replay"]
