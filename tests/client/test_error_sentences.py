"""Errors are put together from the words of others, which may end in a full stop: no sentence has two."""

import pytest

from holdfast.client.errors import InvalidJobs, JobProblem, ServerUnavailable
from holdfast.client.job_items import check_routes
from holdfast.config.secrets import SecretUnavailable
from holdfast.model import errors
from holdfast.model.errors import HoldfastError, InvalidRequest
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api, Plan, Route

WORDS = "it says so."
MADE: list[HoldfastError] = [
    errors.StorageUnavailable("here", WORDS),
    errors.QueueUnavailable("here", WORDS),
    errors.Unauthorized(WORDS),
    errors.Forbidden(WORDS),
    errors.EventsGone("1", WORDS),
    errors.NoUsableKey("smart", {"a/main": WORDS}),
    SecretUnavailable("env:KEY", WORDS),
    ServerUnavailable("http://here", WORDS),
    InvalidJobs((JobProblem(0, "model", WORDS), JobProblem(1, "model", WORDS))),
    InvalidJobs(tuple(JobProblem(n, "model", WORDS) for n in range(50))),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_error_with_the_words_of_others_has_single_full_stops(error) -> None:
    assert ".." not in str(error)
    assert ".;" not in str(error)


def test_a_request_that_no_route_can_carry_is_told_in_one_sentence() -> None:
    asked = Request(
        turns=(Turn(role=Role.USER, parts=(Text(text="Hi"),)),), native={Api.OPENAI_CHAT: {"prompt": {"id": "x"}}}
    )
    plan = Plan("smart", tuple(Route(name, "m", Api.ANTHROPIC, "m", ()) for name in "ab"))
    with pytest.raises(InvalidRequest) as refused:
        check_routes(asked, plan)
    assert str(refused.value).endswith(
        "a/m: prompt exists only in openai-chat; b/m: prompt exists only in openai-chat."
    )
