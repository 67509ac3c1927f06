"""A second call for a running job has its row under the same fence, and both ends come with the job's one record."""

from attempts import ended
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, Outcome, Permit, State
from holdfast.model.route import Price
from holdfast.model.step import Complete
from holdfast.store.cancel import cancel_job
from holdfast.store.fleet import take_over
from holdfast.store.hedge import hedge
from holdfast.store.jobs import find_detail
from holdfast.store.ledger import read_ledger
from holdfast.store.requeue import requeue
from store.scene import PRICE, REPLY, Scene, failure, permit, retry, success

ELSEWHERE = "openai/gpt"
HEDGE_PRIMARY_LOST = Fault(FaultKind.HEDGE_PRIMARY_LOST, "the other call answered first", ambiguous=True)
CHEAP = Price(input=1 / 6, output=1.0)  # five micro-dollars for REPLY


def second(job: str) -> Permit:
    return Permit(new_id(), job, "smart.batch", ELSEWHERE, "main", {})


def hedged(scene: Scene) -> tuple[Claimed, int]:
    claimed = scene.start()
    number = scene.store.write(hedge, scene.worker, claimed, second(claimed.id))
    assert number is not None
    return claimed, number


def test_its_row_stands_beside_the_first_under_the_same_fence(scene: Scene):
    claimed, number = hedged(scene)
    first, other = scene.store.read(find_detail, claimed.id).attempts
    assert (first.number, other.number, number) == (1, 2, 2)
    assert (other.route, other.fence, other.worker, other.outcome) == (ELSEWHERE, first.fence, scene.worker, None)
    assert all(line.holds for line in scene.store.read(read_ledger))


def test_a_job_that_is_not_the_workers_any_more_gets_no_second_call(scene: Scene):
    claimed = scene.start()
    assert scene.store.write(hedge, scene.hire(), claimed, second(claimed.id)) is None
    scene.finish(failure(claimed, retry(0)))
    assert scene.store.write(hedge, scene.worker, claimed, second(claimed.id)) is None
    [again] = scene.claim(claimed.id)
    assert scene.store.write(hedge, scene.worker, claimed, second(claimed.id)) is None  # an older fence
    assert scene.store.write(hedge, scene.worker, again, second(claimed.id)) == 3


def test_both_ends_are_written_with_the_one_record(scene: Scene):
    claimed, number = hedged(scene)
    lost = ended(claimed, permit(claimed.id), HEDGE_PRIMARY_LOST, seconds=9.0)
    won = ended(claimed, second(claimed.id), REPLY, Complete(), number=number, price=PRICE)
    assert scene.finish(lost, won) == [False, True]
    detail = scene.store.read(find_detail, claimed.id)
    assert [(each.outcome, each.fault, each.cost_micros) for each in detail.attempts] == [
        (Outcome.UNKNOWN, FaultKind.HEDGE_PRIMARY_LOST, 0),
        (Outcome.SUCCEEDED, None, 7),
    ]
    assert (detail.result.route, detail.result.attempts, detail.result.cost_micros) == (ELSEWHERE, 2, 7)
    assert detail.job.calls == 2
    assert all(line.holds for line in scene.store.read(read_ledger))


def test_a_loser_that_was_paid_has_its_cost_on_record_and_in_the_jobs_sum(scene: Scene):
    claimed, number = hedged(scene)
    paid = ended(claimed, second(claimed.id), REPLY, number=number, price=CHEAP)
    assert scene.finish(paid, success(claimed)) == [False, True]
    detail = scene.store.read(find_detail, claimed.id)
    assert [each.cost_micros for each in detail.attempts] == [7, 5]
    assert (detail.result.attempts, detail.result.cost_micros) == (2, 12)


def test_a_late_end_under_an_old_fence_ends_its_calls_and_writes_no_second_record(scene: Scene):
    claimed, number = hedged(scene)
    scene.store.write(cancel_job, claimed.id)
    lost = ended(claimed, second(claimed.id), HEDGE_PRIMARY_LOST, number=number, seconds=9.0)
    assert scene.finish(lost, success(claimed)) == [False, False]
    detail = scene.store.read(find_detail, claimed.id)
    assert detail.result.state is State.CANCELLED
    assert [each.outcome for each in detail.attempts] == [Outcome.SUCCEEDED, Outcome.UNKNOWN]


def test_a_worker_that_dies_leaves_both_calls_unknown_and_both_count(scene: Scene):
    claimed, _ = hedged(scene)
    scene.pass_time(60)
    scene.hire()
    scene.store.write(take_over)
    detail = scene.store.read(find_detail, claimed.id)
    assert [each.outcome for each in detail.attempts] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert (detail.job.state, detail.job.calls, detail.job.crashes) == (State.QUEUED, 2, 1)


def test_a_worker_that_stops_hands_both_calls_back_as_unknown(scene: Scene):
    claimed, _ = hedged(scene)
    assert [offer.id for offer in scene.store.write(requeue, scene.worker, None)] == [claimed.id]
    detail = scene.store.read(find_detail, claimed.id)
    assert [each.outcome for each in detail.attempts] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert detail.job.calls == 2
