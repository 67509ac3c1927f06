"""The calls after the first of a kind leave under the head that the SDK wrote for that one, and fail just like it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from holdfast.model.call_result import CallResult
from holdfast.model.reply import Reply
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.providers import request_heads
from holdfast.providers.connect import connect
from holdfast.providers.request_heads import OWN, RequestHeads
from holdfast.wire.written import read_written
from providers.conftest import ask, fault
from providers.loopback import Act, Loopback, Seen, answers, base_url, closes, error, hangs, http, resets, says, success

OWN_APIS = [Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES]
Complete = Callable[..., Any]


@pytest.fixture(params=OWN_APIS, ids=lambda api: api.value)
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


@pytest.fixture
async def calls():
    """Make calls one after another through one adapter; each has its own act of the server."""
    async with AsyncExitStack() as stack:

        async def make(
            api: Api, *acts: Act, requests: list[Request] | None = None, deadline: float = 5.0, **how: Any
        ) -> tuple[list[CallResult], list[Seen]]:
            left = list(acts)

            async def act(seen, writer):
                await left.pop(0)(seen, writer)

            server = await stack.enter_async_context(Loopback(act))
            provider = connect(api, base_url(api, server.url), "sk-secret-of-the-test", concurrency=10)
            stack.push_async_callback(provider.close)
            asked = requests or [ask() for _ in acts]
            results = [
                await provider.complete("m", each, deadline=deadline, tag=f"job_{place}/0/1", **how)
                for place, each in enumerate(asked)
            ]
            return results, server.seen

        yield make


def common(seen: Seen) -> dict[str, str]:
    return {name: value for name, value in seen.headers.items() if name not in OWN}


async def test_a_later_call_has_the_head_that_the_sdk_would_have_written(api, calls):
    good = answers(200, success(api))
    results, (first, later) = await calls(api, good, good, requests=[ask("short"), ask("rather longer")])
    _, (by_sdk,) = await calls(api, good, requests=[ask("rather longer")])
    assert all(isinstance(result.outcome, Reply) for result in results)
    assert (later.path, later.body) == (by_sdk.path, by_sdk.body)
    assert common(later) | {"host": ""} == common(by_sdk) | {"host": ""}  # each server has a port of its own
    assert [each.headers["x-holdfast-attempt"] for each in (first, later)] == ["job_0/0/1", "job_1/0/1"]
    assert int(later.headers["content-length"]) == len(later.body)


async def test_headers_that_belong_to_a_request_stay_with_it(calls):
    def written(**headers: str) -> Request:
        body = b'{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}'
        return read_written(WrittenRequest(Api.ANTHROPIC, "/v1/messages", body, headers))

    beta, plain = {"anthropic-beta": "one-2026"}, {}
    asked = [written(**headers) for headers in (beta, plain, beta, plain)]
    good = answers(200, success(Api.ANTHROPIC))
    _, seen = await calls(Api.ANTHROPIC, *[good] * 4, requests=asked)
    assert [each.headers.get("anthropic-beta") for each in seen] == ["one-2026", None, "one-2026", None]


async def test_the_deadline_that_a_head_tells_is_the_calls_own(api, calls):
    good = answers(200, success(api))
    _, (first, later) = await calls(api, good, good, deadline=7.0)
    assert first.headers["x-stainless-read-timeout"] == later.headers["x-stainless-read-timeout"] == "7.0"


FAILURES = {
    "an error": lambda api: answers(429, error(api, "rate_limit_error"), retry_after="3"),
    "an error of a kind that SDKs retry": lambda api: answers(503, error(api, "overloaded_error")),
    "a redirect": lambda _: says(http(307, b"", location="http://127.0.0.1:9/elsewhere")),
    "no JSON": lambda _: answers(200, b"<html>"),
    "a cut answer": lambda _: says(b"HTTP/1.1 200 Said\r\ncontent-length: 10\r\n\r\n{"),
    "a reset": lambda _: resets,
    "a close": lambda _: closes,
    "silence": lambda _: hangs,
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_later_call_fails_as_the_first_one_does(failure, api, calls):
    act, good = FAILURES[failure](api), answers(200, success(api))
    (by_sdk,), _ = await calls(api, act, deadline=0.5)
    (_, later), _ = await calls(api, good, act, deadline=0.5)
    first, second = fault(by_sdk), fault(later)
    assert (first.kind, first.status, first.code) == (second.kind, second.status, second.code)
    assert (first.ambiguous, first.retry_after) == (second.ambiguous, second.retry_after)
    assert by_sdk.response == later.response


async def test_a_later_call_may_be_refused_before_a_byte_of_it_leaves(api, calls):
    good, said = answers(200, success(api)), [None, "its permit is gone"]

    async def refusal() -> str | None:
        return said.pop(0)

    (_, later), seen = await calls(api, good, good, refusal=refusal)
    assert (fault(later).message, fault(later).ambiguous) == ("its permit is gone", False)
    assert len(seen) == 1


async def test_a_call_that_got_no_answer_leaves_no_head_behind(api, calls):
    good = answers(200, success(api))
    (first, later), seen = await calls(api, resets, good)
    assert fault(first)
    assert isinstance(later.outcome, Reply)
    assert common(seen[0]) == common(seen[1])


async def test_producers_cannot_make_a_worker_keep_ever_more_heads(monkeypatch, calls):
    monkeypatch.setattr(request_heads, "MOST", 3)
    kept = []
    keep = RequestHeads.keep

    def kept_now(self, kind, request) -> None:
        keep(self, kind, request)
        kept.append(len(self._kept))

    monkeypatch.setattr(RequestHeads, "keep", kept_now)
    body = b'{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}'
    asked = [
        read_written(WrittenRequest(Api.ANTHROPIC, "/v1/messages", body, {"x-title": str(number)}))
        for number in range(5)
    ]
    await calls(Api.ANTHROPIC, *[answers(200, success(Api.ANTHROPIC))] * 5, requests=asked)
    assert kept == [1, 2, 3, 1, 2]
