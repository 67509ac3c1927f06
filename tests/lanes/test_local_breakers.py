"""A host that alone cannot reach a provider keeps away from it by itself, tries again with one job, and comes back."""

from dataclasses import replace

from holdfast.lanes.local_breakers import LocalBreakers
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Plan
from lanes_twin import plan, route

CUT = Fault(FaultKind.TIMED_OUT, ambiguous=True)
WELL = Reply(text="", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
PLAN: Plan = plan(route(), route("openai", "gpt"))
NEAR = Permit("w/1:1", "job", "smart.batch", "anthropic/opus", "main", {})


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def cut_off(faults: int = 3, host: str = "one") -> LocalBreakers:
    local_breakers = LocalBreakers(middle)
    local_breakers.host = host
    for _ in range(faults):
        local_breakers.record_permit(NEAR, CUT, 0.0)
    return local_breakers


def providers(narrowed: Plan) -> list[str]:
    return [route.provider for route in narrowed.routes]


def test_only_the_provider_that_cannot_be_reached_is_left_out() -> None:
    narrowed, n = cut_off().narrow(PLAN, 50, 0.5)
    assert (providers(narrowed), n) == (["openai"], 50)
    assert cut_off().shut(0.5) == {"anthropic"}


def test_the_only_host_leaves_it_to_the_breakers_that_all_share() -> None:
    assert cut_off(10, host="").narrow(PLAN, 50, 0.5) == (PLAN, 50)


def test_it_tries_again_with_one_job_at_a_time() -> None:
    local_breakers = cut_off()
    assert local_breakers.narrow(PLAN, 50, 1.5) == (PLAN, 1)
    local_breakers.lend([NEAR], 1.5)
    assert providers(local_breakers.narrow(PLAN, 50, 1.6)[0]) == ["openai"]


def test_an_empty_lane_does_not_use_up_the_trial() -> None:
    local_breakers = cut_off()
    local_breakers.narrow(PLAN, 50, 1.5)
    local_breakers.lend([], 1.5)
    assert local_breakers.narrow(PLAN, 50, 1.6) == (PLAN, 1)


def test_one_answer_brings_it_back_in_full() -> None:
    local_breakers = cut_off()
    local_breakers.lend([NEAR], 1.5)
    local_breakers.record_permit(NEAR, WELL, 1.7)
    assert local_breakers.narrow(PLAN, 50, 1.8) == (PLAN, 50)


def test_an_error_that_the_provider_itself_sent_says_that_it_can_be_reached() -> None:
    local_breakers = cut_off(2)
    local_breakers.record_permit(NEAR, Fault(FaultKind.SERVER_ERROR, status=500), 0.1)
    local_breakers.record_permit(replace(NEAR, job="next"), CUT, 0.2)
    assert local_breakers.shut(0.3) == frozenset()
