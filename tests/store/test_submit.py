"""A submitted job is accepted once, however often it is sent."""

from dataclasses import replace

import pytest

from holdfast.model.errors import Conflict, InvalidRequest
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer, Priority, State
from holdfast.model.records import JobFilter
from holdfast.model.start_time import StartTime
from holdfast.store import Store
from holdfast.store.backlog import lane_heads
from holdfast.store.batches import open_batch
from holdfast.store.jobs import count_jobs, find_detail
from holdfast.store.new_job import NewJob
from holdfast.store.submit import submit_jobs
from store.scene import Scene, new_job, prompt


def test_a_job_comes_back_as_it_was_handed_in(store: Store) -> None:
    request = prompt("Grüße, \x00 und 🚢")
    job = new_job(
        request=request,
        custom_id="line-1",
        tenant="acme",
        priority=Priority.INTERACTIVE,
        expires_in=60.0,
        metadata={"team": "search"},
        need=Need(10, 20, {"a/b": None, "c/d": 1_900_000_000.5}),
    )
    [answer] = submit_jobs(store, [job])
    detail = store.read(find_detail, job.id)
    assert (answer.id, answer.created) == (job.id, True)
    assert detail is not None
    assert detail.request == request
    assert (detail.job.custom_id, detail.job.tenant, detail.job.metadata) == ("line-1", "acme", {"team": "search"})
    assert detail.job.expires_at == pytest.approx(detail.job.created_at + 60)
    offer = Offer(job.id, "smart.interactive", replace(job.need, expires_at=detail.job.expires_at))
    assert store.read(lane_heads, "smart.interactive", 1) == [answer.offer] == [offer]


def test_a_job_among_jobs_of_another_kind_is_stored_as_it_is_alone(scene: Scene) -> None:
    """What all jobs of a submit have in common is given to the database once; of jobs of two kinds, with each."""
    kinds = [
        {},
        {
            "custom_id": "line-1",
            "tenant": "acme",
            "model": "other",
            "priority": Priority.INTERACTIVE,
            "batch": new_id(),
            "position": 7,
            "metadata": {"team": "search"},
            "need": Need(10, 20, {"a/b": None, "c/d": 1_900_000_000.5}),
            "expires_in": 60.0,
            "not_before": StartTime(3600.0, is_date=False),
            "webhook": "https://example.org/told",
        },
    ]
    alone = [new_job(idempotency_key=f"alone-{number}", **kind) for number, kind in enumerate(kinds)]
    together = [new_job(idempotency_key=f"together-{number}", **kind) for number, kind in enumerate(kinds)]
    for job in alone:
        submit_jobs(scene.store, [job])
    submit_jobs(scene.store, together)
    for one, other in zip(alone, together, strict=True):
        assert told(scene, one) == told(scene, other)


def told(scene: Scene, job: NewJob) -> dict[str, object]:
    """Return the row of a job, its dates counted from when it was accepted."""
    [row] = scene.rows("select * from job where id = :id", id=job.id)
    found = row._asdict()
    assert found.pop("id") == job.id
    assert found.pop("idempotency_key") == job.idempotency_key
    accepted = found.pop("created_at")
    dated = {name: found[name] for name in ("available_at", "not_before", "expires_at")}
    far = {name: date is not None and date - accepted > 1 << 60 for name, date in dated.items()}
    return found | {name: "never" if far[name] else date and date - accepted for name, date in dated.items()}


def test_of_equal_keys_among_jobs_of_two_kinds_the_first_is_the_job(store: Store) -> None:
    first, between, last = (
        new_job(idempotency_key="once"),
        new_job(priority=Priority.INTERACTIVE),
        new_job(idempotency_key="once"),
    )
    answers = submit_jobs(store, [first, between, last])
    assert [(answer.id, answer.created) for answer in answers] == [
        (first.id, True),
        (between.id, True),
        (first.id, False),
    ]


def test_a_long_prompt_is_stored_compressed_and_read_whole(scene: Scene) -> None:
    request = prompt("All work and no play. " * 1000)
    job = scene.start(request=request)
    assert job.request == request
    [(size,)] = scene.rows("select length(body) from request")
    assert size < 1000


def test_answers_come_in_the_order_of_the_jobs(store: Store) -> None:
    jobs = [new_job() for _ in range(50)]
    assert [answer.id for answer in submit_jobs(store, jobs)] == [job.id for job in jobs]


def test_sending_the_same_id_again_changes_nothing(scene: Scene) -> None:
    job = new_job()
    submit_jobs(scene.store, [job])
    scene.claim(job.id)
    [again] = submit_jobs(scene.store, [job])
    assert (again.id, again.created) == (job.id, False)
    assert scene.state(job.id) is State.RUNNING
    assert scene.store.read(count_jobs, JobFilter()) == 1
    assert not scene.broken()


def test_an_idempotency_key_answers_with_the_earlier_job(store: Store) -> None:
    first, second = new_job(idempotency_key="k"), new_job(idempotency_key="k")
    submit_jobs(store, [first])
    known, fresh = submit_jobs(store, [second, new_job(idempotency_key="other")])
    assert (known.id, known.created) == (first.id, False)
    assert fresh.created


def test_a_key_with_another_request_is_a_conflict_and_nothing_is_accepted(store: Store) -> None:
    submit_jobs(store, [new_job("one", idempotency_key="k")])
    with pytest.raises(Conflict, match="idempotency key 'k'"):
        submit_jobs(store, [new_job(), new_job("two", idempotency_key="k")])
    assert store.read(count_jobs, JobFilter()) == 1


def test_a_key_with_another_model_is_a_conflict(store: Store) -> None:
    submit_jobs(store, [new_job(idempotency_key="k")])
    with pytest.raises(Conflict):
        submit_jobs(store, [new_job(idempotency_key="k", model="fast")])


def test_a_key_belongs_to_its_tenant(store: Store) -> None:
    first, second = new_job(idempotency_key="k", tenant="a"), new_job("else", idempotency_key="k", tenant="b")
    assert [answer.created for answer in submit_jobs(store, [first, second])] == [True, True]


def test_an_id_of_another_tenant_is_a_conflict(store: Store) -> None:
    job = new_job(tenant="a")
    submit_jobs(store, [job])
    with pytest.raises(Conflict):
        submit_jobs(store, [new_job(id=job.id, tenant="b")])


def test_the_same_job_twice_in_one_call_is_one_job(scene: Scene) -> None:
    job, keyed = new_job(), new_job(idempotency_key="k")
    answers = submit_jobs(scene.store, [job, job, keyed, new_job(idempotency_key="k")])
    assert [answer.id for answer in answers] == [job.id, job.id, keyed.id, keyed.id]
    assert [answer.created for answer in answers] == [True, False, True, False]
    assert not scene.broken()


def test_fields_in_another_order_are_the_same_request(store: Store) -> None:
    one = prompt().model_copy(update={"native": {"chat": {"a": 1, "b": 2}}})
    two = prompt().model_copy(update={"native": {"chat": {"b": 2, "a": 1}}})
    submit_jobs(store, [new_job(request=one, idempotency_key="k")])
    [again] = submit_jobs(store, [new_job(request=two, idempotency_key="k")])
    assert not again.created


@pytest.mark.parametrize(
    ("field", "value"),
    [("custom_id", "a\x00b"), ("model", "a\x00"), ("tenant", "\ud800"), ("metadata", {"team": "\udfff"})],
)
def test_a_name_that_cannot_be_stored_is_refused_with_the_field(store: Store, field: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=field):
        submit_jobs(store, [new_job(), new_job(**{field: value})])
    assert store.read(count_jobs, JobFilter()) == 0


def test_a_prompt_that_is_no_unicode_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="cannot be stored"):
        submit_jobs(store, [new_job(request=prompt().model_copy(update={"system": "\ud800"}))])


def test_no_jobs_are_no_work(store: Store) -> None:
    assert submit_jobs(store, []) == []


def test_jobs_of_a_batch_without_a_place_get_the_next_free_one(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_batch, batch, "mine", "default")
    jobs = scene.submit(3, batch=batch) + scene.submit(2, batch=batch)
    assert [scene.job(job).position for job in jobs] == [0, 1, 2, 3, 4]


def test_a_place_that_the_producer_gave_is_kept(scene: Scene) -> None:
    batch = new_id()
    [job] = scene.submit(batch=batch, position=41)
    assert scene.job(job).position == 41
