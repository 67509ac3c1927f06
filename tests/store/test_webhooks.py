"""Events of jobs and batches become deliveries, once each, and stay until they are taken or given up."""

import json

import pytest
from sqlalchemy import text

from holdfast.model.errors import NotFound
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.model.webhook import DeliveryState, endpoint_id
from holdfast.policy.webhook_event import KINDS
from holdfast.policy.webhook_retry import ReceiverAnswer, next_step
from holdfast.store import Store
from holdfast.store.batches import open_batch
from holdfast.store.cancel import cancel_job
from holdfast.store.webhook_deliveries import (
    WIDTH,
    Settlement,
    bury_old_deliveries,
    claim_deliveries,
    delete_old_deliveries,
    find_delivery,
    find_due,
    list_deliveries,
    redeliver,
    redeliver_dead,
    settle_deliveries,
)
from holdfast.store.webhook_endpoints import (
    find_endpoint,
    list_endpoints,
    make_secret,
    read_signing_secrets,
    register_endpoint,
    remove_endpoint,
    resume_endpoint,
)
from holdfast.store.webhook_events import announce_events
from store.scene import Scene, bury, failure, success

URL, OTHER = "https://one.example/hook", "https://two.example/hook"
OK, DOWN, REFUSED, GONE = ReceiverAnswer(204), ReceiverAnswer(503), ReceiverAnswer(400), ReceiverAnswer(410)


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def run(scene: Scene, count: int = 1, **fields):
    """Jobs that succeed."""
    jobs = scene.submit(count, **fields)
    for job in jobs:
        scene.finish(success(scene.claim(job)[0]))
    return jobs


def told(scene: Scene, **where):
    announce_events(scene.store)
    return list(reversed(scene.store.read(list_deliveries, **where)))


def bodies(scene: Scene) -> list[dict]:
    rows = scene.store.read(
        lambda tx: tx.connection.execute(text("select body from webhook_delivery order by id")).all()
    )
    return [json.loads(row.body) for row in rows]


def attempt(scene: Scene, answer: ReceiverAnswer, busy=()) -> list:
    """Try what is due, once, with the same answer to all."""
    claimed = scene.store.write(claim_deliveries, scene.store.read(find_due, busy, 100, 100))
    steps = [next_step(answer, each.attempt, each.failures, lambda _low, high: high) for each in claimed]
    scene.store.write(
        settle_deliveries, [Settlement(*pair[:1], answer, pair[1]) for pair in zip(claimed, steps, strict=True)]
    )
    return claimed


def pass_time(scene: Scene, seconds: float) -> None:
    back = round(seconds * 1_000_000)
    for table, dates in {
        "webhook_endpoint": ("resting_until", "created_at", "gone_at"),
        "webhook_delivery": ("next_at", "since", "created_at", "ended_at"),
        "webhook_secret": ("created_at", "expires_at"),
    }.items():
        for date in dates:
            scene.store.write(
                lambda tx, t=table, d=date: tx.connection.execute(text(f"update {t} set {d} = {d} - {back}"))
            )


def test_the_url_that_a_job_names_is_told_of_its_end_once(scene: Scene) -> None:
    job = run(scene, webhook=URL, custom_id="a")[0]
    run(scene)
    [delivery] = told(scene)
    assert (delivery.url, delivery.kind, delivery.state) == (URL, "job.succeeded", DeliveryState.PENDING)
    assert announce_events(scene.store) == 0
    [body] = bodies(scene)
    assert body["id"] == delivery.event
    assert (body["object"], body["type"], body["data"]["id"], body["data"]["custom_id"]) == (
        "event", "job.succeeded", f"job_{job}", "a",
    )  # fmt: skip


def test_every_way_to_end_is_told_and_so_is_the_end_after_a_replay(scene: Scene) -> None:
    scene.finish(failure(scene.start(webhook=URL), bury()))
    [cancelled] = scene.submit(webhook=URL)
    scene.store.write(cancel_job, cancelled, None)
    [dead, _] = told(scene)
    assert dead.kind == "job.dead"
    scene.replay(JobFilter(states=frozenset({State.DEAD})), 10, None, "eva")
    [again] = [body for body in bodies(scene) if body["type"] == "job.dead"]
    job = again["data"]["id"].removeprefix("job_")
    scene.store.write(
        lambda tx: tx.connection.execute(
            text("update job set state = 'queued', available_at = null where state = 'delayed'")
        )
    )
    scene.finish(success(scene.claim(job)[0]))
    assert [each.kind for each in told(scene)] == ["job.dead", "job.cancelled", "job.succeeded"]


def test_a_registered_receiver_gets_its_tenants_events_of_its_kinds_from_then_on(scene: Scene) -> None:
    run(scene)
    scene.store.write(register_endpoint, "default", URL, ["job.succeeded"], "eva")
    run(scene)
    run(scene, tenant="other")
    scene.finish(failure(scene.start(), bury()))
    assert [each.kind for each in told(scene)] == ["job.succeeded"]


def test_a_receiver_that_is_named_and_registered_gets_an_event_once(scene: Scene) -> None:
    scene.store.write(register_endpoint, "default", URL, KINDS, "eva")
    run(scene, webhook=URL)
    assert len(told(scene)) == 1


def test_events_from_before_the_first_receiver_are_told_to_nobody(scene: Scene) -> None:
    run(scene, 3)
    assert announce_events(scene.store) == 0
    run(scene, webhook=URL)
    assert len(told(scene)) == 1


def test_the_first_receivers_of_two_processes_lose_nothing(scene: Scene) -> None:
    """Whoever comes second finds a receiver, and leaves the cursor where it is."""
    run(scene, webhook=URL)
    scene.store.write(register_endpoint, "default", OTHER, KINDS, "eva")
    assert [each.url for each in told(scene)] == [URL]


def test_a_batch_is_told_under_openais_names(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_batch, batch, "nightly", "default", webhook=URL)
    job = run(scene, batch=batch, position=0)[0]
    assert told(scene) == []
    scene.store.write(
        lambda tx: tx.append_events([["batch.ended", "default", batch, None, 0, None, None, None, {"succeeded": 1}]])
    )
    assert job
    [delivery] = told(scene)
    assert delivery.kind == "batch.completed"
    assert bodies(scene)[0]["data"]["counts"] == {"succeeded": 1}


def test_an_attempt_that_succeeds_is_the_last(scene: Scene) -> None:
    run(scene, webhook=URL)
    [before] = told(scene)
    [claimed] = attempt(scene, OK)
    assert claimed.event == before.event
    assert attempt(scene, OK) == []
    [after] = told(scene)
    assert (after.state, after.attempts) == (DeliveryState.DELIVERED, 1)


def test_a_claim_that_nobody_settles_is_made_again_with_the_same_id(scene: Scene) -> None:
    run(scene, webhook=URL)
    told(scene)
    [first] = scene.store.write(claim_deliveries, scene.store.read(find_due, (), 10))
    assert scene.store.read(find_due, (), 10) == []
    pass_time(scene, 26)
    [second] = scene.store.write(claim_deliveries, scene.store.read(find_due, (), 10))
    assert (second.event, second.attempt) == (first.event, 2)

    def settle(each, answer):
        step = next_step(answer, 1, 0, max)
        scene.store.write(settle_deliveries, [Settlement(each, answer, step)])

    settle(first, REFUSED)  # a word from the past moves nothing
    assert told(scene)[0].answer is None
    settle(first, OK)  # but a success is one
    assert told(scene)[0].state is DeliveryState.DELIVERED


def test_a_receiver_that_is_away_rests_as_a_whole_and_is_asked_by_one(scene: Scene) -> None:
    run(scene, 20, webhook=URL)
    run(scene, 3, webhook=OTHER)
    told(scene)
    assert sorted(each.url for each in attempt(scene, DOWN)) == [URL, OTHER], "nobody knows them yet"
    assert attempt(scene, DOWN) == []
    pass_time(scene, 1.5)
    assert len(attempt(scene, DOWN)) == 2
    pass_time(scene, 3)
    assert len(attempt(scene, OK)) == 2
    assert len(attempt(scene, OK)) == WIDTH + 2


def test_receivers_that_are_away_leave_room_for_others(scene: Scene) -> None:
    for n in range(5):
        run(scene, webhook=f"{URL}/{n}")
    told(scene)
    assert len(scene.store.read(find_due, (), 100, 3)) == 3
    attempt(scene, OK)
    run(scene, 2, webhook=f"{URL}/0")
    run(scene, webhook=OTHER)
    told(scene)
    assert len(scene.store.read(find_due, (), 100, 0)) == 2


def test_a_receiver_to_which_something_is_under_way_is_left_out(scene: Scene) -> None:
    run(scene, webhook=URL)
    told(scene)
    assert scene.store.read(find_due, [endpoint_id("default", URL)], 10) == []


def test_a_delivery_that_is_refused_waits_alone(scene: Scene) -> None:
    run(scene, 2, webhook=URL)
    told(scene)
    assert len(attempt(scene, REFUSED)) == 1
    assert len(attempt(scene, OK)) == 1
    pass_time(scene, 5.5)
    assert len(attempt(scene, OK)) == 1


def test_a_receivers_own_wish_is_a_floor(scene: Scene) -> None:
    run(scene, webhook=URL)
    told(scene)
    attempt(scene, ReceiverAnswer(429, retry_after=100.0))
    pass_time(scene, 99)
    assert attempt(scene, OK) == []
    pass_time(scene, 3)
    assert len(attempt(scene, OK)) == 1


def test_a_receiver_that_is_gone_gets_nothing_until_somebody_resumes_it(scene: Scene) -> None:
    run(scene, 3, webhook=URL)
    told(scene)
    attempt(scene, GONE)
    assert {each.state for each in told(scene)} == {DeliveryState.DEAD}
    run(scene, webhook=URL)
    assert {each.state for each in told(scene)} == {DeliveryState.DEAD}
    assert attempt(scene, OK) == []
    id_ = endpoint_id("default", URL)
    assert scene.store.write(resume_endpoint, id_, None, "eva").gone_at is None
    assert scene.store.write(redeliver_dead, id_, "eva", 100) == 4
    assert len(attempt(scene, OK)) + len(attempt(scene, OK)) == 4


def test_what_nobody_took_for_days_is_a_dead_letter_and_comes_back_when_asked(scene: Scene) -> None:
    run(scene, webhook=URL)
    [delivery] = told(scene)
    attempt(scene, DOWN)
    assert scene.store.write(bury_old_deliveries, 100.0) == 0
    pass_time(scene, 101)
    assert scene.store.write(bury_old_deliveries, 100.0) == 1
    again = scene.store.write(redeliver, delivery.id, "default", "eva")
    assert (again.state, again.event) == (DeliveryState.PENDING, delivery.event)
    assert scene.store.write(bury_old_deliveries, 100.0) == 0
    assert [each.event for each in attempt(scene, OK)] == [delivery.event]


def test_no_tenant_touches_what_is_anothers(scene: Scene) -> None:
    run(scene, webhook=URL)
    [delivery] = told(scene)
    for change in (resume_endpoint, remove_endpoint):
        with pytest.raises(NotFound):
            scene.store.write(change, delivery.endpoint, "other", "eva")
    with pytest.raises(NotFound):
        scene.store.write(redeliver, delivery.id, "other", "eva")
    with pytest.raises(NotFound):
        scene.store.read(find_delivery, delivery.id, "other")
    assert scene.store.read(list_endpoints, "other") == []
    assert told(scene, tenant="other") == []


def test_a_receiver_that_is_removed_takes_its_deliveries_with_it(scene: Scene) -> None:
    run(scene, webhook=URL)
    [delivery] = told(scene)
    assert scene.store.write(remove_endpoint, delivery.endpoint, "default", "eva").pending == 1
    assert told(scene) == []
    with pytest.raises(NotFound):
        scene.store.read(find_endpoint, delivery.endpoint)


def test_two_secrets_sign_while_both_are_good(scene: Scene) -> None:
    old = scene.store.write(make_secret, "default", 0.0, "eva")
    new = scene.store.write(make_secret, "default", 60.0, "eva")
    assert scene.store.read(read_signing_secrets, "default") == [new, old]
    pass_time(scene, 61)
    assert scene.store.read(read_signing_secrets, "default") == [new]
    assert scene.store.read(read_signing_secrets, "other") == []


def test_old_deliveries_go_and_so_do_receivers_that_nothing_names(scene: Scene) -> None:
    run(scene, webhook=URL)
    scene.store.write(register_endpoint, "default", OTHER, ["job.dead"], "eva")
    told(scene)
    attempt(scene, OK)
    pass_time(scene, 4 * 86_400)
    scene.store.write(delete_old_deliveries)
    assert told(scene) == []
    assert len(scene.store.read(list_endpoints)) == 2, "its job is still there"
    scene.delete_ended(age=-1.0)
    scene.store.write(delete_old_deliveries)
    assert [each.url for each in scene.store.read(list_endpoints)] == [OTHER]


def test_a_submit_that_is_repeated_is_told_of_once(scene: Scene) -> None:
    first, second = (scene.submit(webhook=URL, idempotency_key="k", id=new_id()) for _ in range(2))
    assert first == second
    scene.finish(success(scene.claim(*first)[0]))
    assert len(told(scene)) == 1
