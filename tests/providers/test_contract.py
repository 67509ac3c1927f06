"""What every adapter does, whichever wire format it speaks."""

import asyncio
import gzip
import os
import socket
import subprocess
import sys
import time

import orjson
import pytest

from holdfast.model.call_result import Dimension
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import Image, Output, Role, Tool, Turn
from holdfast.model.route import Api
from holdfast.policy.rate_limit import LATE_AFTER
from holdfast.providers.connect import connect
from providers.conftest import PROMPT, ask, fault
from providers.loopback import (
    SAID,
    SITE,
    USED,
    Loopback,
    answers,
    base_url,
    closes,
    cuts,
    error,
    hangs,
    http,
    resets,
    says,
    success,
    trickles,
)

PATHS = {
    Api.ANTHROPIC: "/v1/messages",
    Api.OPENAI_CHAT: "/v1/chat/completions",
    Api.OPENAI_RESPONSES: "/v1/responses",
    Api.ANTHROPIC_BEDROCK: "/model/m/invoke",
    Api.ANTHROPIC_BEDROCK_MANTLE: "/anthropic/v1/messages",
    Api.ANTHROPIC_AWS: "/v1/messages",
    Api.ANTHROPIC_VERTEX: "/v1/projects/p-1/locations/eu-west-1/publishers/anthropic/models/m:rawPredict",
    Api.ANTHROPIC_GOOGLE_CLOUD: "/v1/projects/p-1/locations/eu-west-1/workspaces/wrkspc_1/invoke/v1/messages",
    Api.ANTHROPIC_FOUNDRY: "/anthropic/v1/messages",
    Api.AZURE_OPENAI: "/openai/deployments/m/chat/completions?api-version=2024-10-21",
    Api.AZURE_OPENAI_RESPONSES: "/openai/responses?api-version=2024-10-21",
    Api.OPENAI_BEDROCK: "/openai/v1/chat/completions",
    Api.OPENAI_BEDROCK_RESPONSES: "/openai/v1/responses",
}
KEY_HEADERS = {
    Api.ANTHROPIC_FOUNDRY: "x-api-key",
    Api.AZURE_OPENAI: "api-key",
    Api.AZURE_OPENAI_RESPONSES: "api-key",
}


async def test_a_call_sends_the_prompt_the_key_and_the_attempt_and_reads_the_reply(api, call):
    answer, server = await call(api, answers(200, success(api), request_id="req_7"))
    (seen,) = server.seen
    assert seen.path == PATHS[api]
    said = seen.headers.get(KEY_HEADERS[api]) if api in KEY_HEADERS else seen.headers["authorization"]
    assert said == ("" if api in KEY_HEADERS else "Bearer ") + "sk-secret-of-the-test"
    assert seen.headers["x-holdfast-attempt"] == "job_1/0/1"
    assert PROMPT in seen.body.decode()
    reply = answer.outcome
    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, reply.provider_request_id) == (SAID, Finish.STOP, "req_7")
    assert (reply.usage.input, reply.usage.output, reply.usage.estimated) == (USED["input"], USED["output"], False)
    assert answer.seconds > 0
    assert answer.mapping.notes == ()


async def test_connections_are_used_again(api):
    async with Loopback(answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
        for _ in range(3):
            assert isinstance((await provider.complete("m", ask(), deadline=5, tag="t")).outcome, Reply)
        assert len(server._writers) == 1
        await provider.close()


async def test_a_call_that_may_not_leave_sends_nothing_and_leaves_its_connection_to_the_next(api):
    async def too_late() -> str | None:
        return "its permit is old"

    async with Loopback(answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
        answer = await provider.complete("m", ask(), deadline=5, tag="t", refusal=too_late)
        assert (fault(answer).kind, fault(answer).message) == (FaultKind.INTERNAL, "its permit is old")
        assert not fault(answer).ambiguous
        assert server.seen == []
        assert isinstance((await provider.complete("m", ask(), deadline=5, tag="t")).outcome, Reply)
        assert len(server._writers) == 1
        await provider.close()


async def test_a_call_is_asked_whether_it_may_leave_once_and_then_leaves(api):
    asked = []

    async def may() -> str | None:
        asked.append(1)

    async with Loopback(answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
        answer = await provider.complete("m", ask(), deadline=5, tag="t", refusal=may)
        assert isinstance(answer.outcome, Reply)
        assert (len(asked), len(server.seen)) == (1, 1)
        await provider.close()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there the bytes leave in the same round")
async def test_a_process_that_stood_still_before_the_bytes_left_asks_again(api):
    """It stands still in the round of the loop between the word that the call may go and the bytes."""
    said: list[str | None] = ["its permit is old", None]

    async def may() -> str | None:
        if len(said) == 2:
            asyncio.get_running_loop().call_soon(stand_still)
        return said.pop()

    async with Loopback(answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
        answer = await provider.complete("m", ask(), deadline=5, tag="t", refusal=may)
        assert (fault(answer).kind, fault(answer).message) == (FaultKind.INTERNAL, "its permit is old")
        assert not fault(answer).ambiguous
        assert server.seen == []
        assert isinstance((await provider.complete("m", ask(), deadline=5, tag="t")).outcome, Reply)
        await provider.close()


def stand_still() -> None:
    """Hold up this thread for longer than a permit is good for."""
    until = time.monotonic() + 2 * LATE_AFTER
    while time.monotonic() < until:
        pass


async def test_what_the_mapping_lost_stands_in_the_receipt(call):
    answer, _ = await call(Api.ANTHROPIC, answers(200, success(Api.ANTHROPIC)), ask(temperature=0.2))
    assert [change.field for change in answer.mapping.notes] == ["temperature"]


async def test_what_cannot_be_said_costs_no_call(api, call):
    pictures = Image(media_type="image/png", data="AAAA")
    strange = ask(tools=(Tool(name="a tool", parameters={"type": "object"}),))
    if api.wire is Api.ANTHROPIC:
        strange = ask().model_copy(update={"turns": (Turn(role=Role.ASSISTANT, parts=(pictures,)),)})
    answer, server = await call(api, answers(200, success(api)), strange)
    assert fault(answer).kind is FaultKind.UNMAPPABLE
    assert server.seen == []


async def test_limits_are_read_from_the_headers_of_good_and_bad_answers(call):
    told = {"anthropic_ratelimit_requests_limit": "50", "anthropic_ratelimit_requests_remaining": "49"}
    for act in (answers(200, success(Api.ANTHROPIC), **told), answers(429, error(Api.ANTHROPIC, "x"), **told)):
        answer, _ = await call(Api.ANTHROPIC, act)
        assert answer.limits[Dimension.REQUESTS].per_minute == 50


async def test_a_provider_that_sends_no_usage_has_it_estimated(api, call):
    answer, _ = await call(api, answers(200, success(api, usage=None)))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.usage.estimated
    assert answer.outcome.usage.input > 0
    assert answer.outcome.usage.output > 0


async def test_a_compressed_answer_is_read(api, call):
    packed = gzip.compress(orjson.dumps(success(api)))
    answer, _ = await call(api, says(http(200, packed, content_encoding="gzip")))
    assert isinstance(answer.outcome, Reply)


# ---- nothing came back: was a byte sent?


def closed_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


async def outcome_at(api: Api, url: str, deadline: float = 5.0):
    provider = connect(api, base_url(api, url), "k", concurrency=10, site=SITE)
    answer = await provider.complete("m", ask(), deadline=deadline, tag="t")
    await provider.close()
    return fault(answer)


async def test_nobody_listens_unreachable_and_certainly_not_billed(api):
    found = await outcome_at(api, f"http://127.0.0.1:{closed_port()}")
    assert (found.kind, found.ambiguous) == (FaultKind.UNREACHABLE, False)


async def test_a_name_that_does_not_resolve_is_unreachable(api):
    found = await outcome_at(api, "http://provider.invalid")
    assert (found.kind, found.ambiguous) == (FaultKind.UNREACHABLE, False)


async def test_a_failed_tls_handshake_is_unreachable(api):
    async with Loopback(hangs) as server:
        found = await outcome_at(api, server.url.replace("http://", "https://"), deadline=0.3)
    assert (found.kind, found.ambiguous) == (FaultKind.UNREACHABLE, False)


@pytest.mark.parametrize("act", [resets, closes], ids=["reset", "closed"])
async def test_a_connection_that_ends_after_the_request_is_cut_and_ambiguous(api, call, act):
    answer, _ = await call(api, act)
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.CONNECTION_LOST, True)


async def test_a_body_cut_in_the_middle_is_cut_and_ambiguous(api, call):
    whole = http(200, orjson.dumps(success(api)))
    answer, _ = await call(api, cuts(whole[:-10]))
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.CONNECTION_LOST, True)


async def test_a_cut_body_does_not_hide_the_status_of_an_error(api, call):
    whole = http(503, orjson.dumps(error(api, "x")))
    answer, _ = await call(api, cuts(whole[:-10]))
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.SERVER_ERROR, False)


@pytest.mark.parametrize("silence", ["at once", "after the head", "byte by byte"])
async def test_the_deadline_is_total(api, call, silence):
    whole = http(200, orjson.dumps(success(api)))
    act = {"at once": hangs, "after the head": says(whole[:60]), "byte by byte": trickles(whole)}[silence]
    await call(api, says(whole))  # what a first call imports takes longer than the deadline below on a busy machine
    began = asyncio.get_running_loop().time()
    answer, _ = await call(api, act, deadline=0.3)
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.TIMED_OUT, True)
    assert asyncio.get_running_loop().time() - began < 5


async def test_a_cancelled_call_ends_as_cancelled(api):
    async with Loopback(hangs) as server:
        provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
        running = asyncio.create_task(provider.complete("m", ask(), deadline=60, tag="t"))
        await server.heard.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await provider.close()


# ---- a 200 that is none


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html>We will be back</html>", b"", b"null", b"[]", b'"hello"', b"{}", b'{"id": "x", "con',
        b'{"object": "list", "data": []}', b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000, b'{"id": NaN}',
        b'{"id": 1e999}', b'{"id": "\\ud800"}', b"[" + b"[]," * 1_000_000 + b"[]]",
    ],
    ids=["html", "empty", "null", "array", "string", "no fields", "truncated", "another shape", "no utf-8", "deep",
         "deep objects", "no number", "infinite", "half a character", "brackets"],
)  # fmt: skip
async def test_a_200_without_a_reply_is_a_bad_answer(api, call, body):
    answer, _ = await call(api, answers(200, body, content_type="text/html" if b"html" in body else "application/json"))
    assert (fault(answer).kind, fault(answer).status, fault(answer).ambiguous) == (FaultKind.BAD_ANSWER, 200, False)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"error":' * 100_000, b'{"error": NaN}', b"\x00" * 10_000])
async def test_an_error_whose_body_is_nonsense_keeps_the_meaning_of_its_status(api, call, body):
    answer, _ = await call(api, answers(500, body))
    assert (fault(answer).kind, fault(answer).status) == (FaultKind.SERVER_ERROR, 500)


async def test_a_200_with_empty_text_is_an_answer_and_nothing_is_paid_twice(api, call):
    answer, _ = await call(api, answers(200, success(api, text="")))
    assert isinstance(answer.outcome, Reply)
    assert (answer.outcome.text, answer.outcome.finish) == ("", Finish.STOP)


async def test_an_answer_longer_than_the_cap_is_a_bad_answer_and_not_read_to_its_end(api, call):
    async def floods(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            writer.write(b" " * 2**20)
            await writer.drain()

    answer, _ = await call(api, floods, deadline=60)
    assert fault(answer).kind is FaultKind.BAD_ANSWER
    assert "longer than" in fault(answer).message


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_a_bad_answer(api, call):
    bomb = gzip.compress(b" " * (64 * 2**20))
    answer, _ = await call(api, says(http(200, bomb, content_encoding="gzip")), deadline=60)
    assert fault(answer).kind is FaultKind.BAD_ANSWER


async def test_what_does_not_unpack_is_a_bad_answer(api, call):
    answer, _ = await call(api, says(http(200, b"no gzip at all", content_encoding="gzip")))
    assert fault(answer).kind is FaultKind.BAD_ANSWER


async def test_what_is_no_http_is_a_bad_answer(api, call):
    answer, _ = await call(api, says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))
    assert fault(answer).kind is FaultKind.BAD_ANSWER


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(api, call, status):
    async with Loopback(answers(200, success(api))) as elsewhere:
        answer, _ = await call(api, answers(status, b"", location=f"{elsewhere.url}/v1/messages"))
        assert (fault(answer).kind, fault(answer).status) == (FaultKind.BAD_ANSWER, status)
        assert elsewhere.seen == []


# ---- what the SDKs would do by themselves


async def test_a_refusal_is_asked_once_however_much_the_provider_wants_a_retry(api, call):
    act = answers(429, error(api, "rate_limit_error"), retry_after="1", x_should_retry="true")
    answer, server = await call(api, act)
    assert fault(answer).retry_after == 1
    assert len(server.seen) == 1


async def test_the_environment_changes_nothing(api, call, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "sk-of-somebody-else")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "somebody-else")
    answer, server = await call(api, answers(200, success(api)))
    assert isinstance(answer.outcome, Reply)
    assert "somebody-else" not in str(server.seen[0].headers)


async def test_cookies_are_not_kept(api, call):
    async with Loopback(answers(200, success(api), set_cookie="a=b")) as server:
        named = server.url.replace("127.0.0.1", "localhost")  # no cookies are kept for bare addresses anyway
        provider = connect(api, base_url(api, named), "k", concurrency=10, site=SITE)
        for _ in range(2):
            await provider.complete("m", ask(), deadline=5, tag="t")
        assert "cookie" not in server.seen[1].headers
        await provider.close()


async def test_a_shape_that_was_asked_for_is_sent(api, call):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    asked = ask(output=Output(json_schema=schema))
    _, server = await call(api, answers(200, success(api, text='{"a": "b"}')), asked)
    sent = server.seen[0].json
    forms = {
        Api.ANTHROPIC: lambda: sent["output_config"]["format"]["schema"],
        Api.OPENAI_CHAT: lambda: sent["response_format"]["json_schema"]["schema"],
        Api.OPENAI_RESPONSES: lambda: sent["text"]["format"]["schema"],
    }
    assert forms[api.wire]()["required"] == ["a"]


def test_connecting_imports_only_the_sdk_it_needs():
    script = (
        "import sys; from holdfast.model.route import Api; from holdfast.providers.connect import connect\n"
        "assert not {'anthropic', 'openai'} & sys.modules.keys()\n"
        "connect(Api(sys.argv[1]), 'http://127.0.0.1:1', 'k', concurrency=1)\n"
        "print(*sorted({'anthropic', 'openai'} & sys.modules.keys()))"
    )
    for api, sdk in ((Api.ANTHROPIC, "anthropic"), (Api.OPENAI_CHAT, "openai")):
        ran = subprocess.run(
            [sys.executable, "-c", script, api.value], capture_output=True, text=True, check=True, env=dict(os.environ)
        )
        assert ran.stdout.split() == [sdk]


async def test_what_json_cannot_hold_costs_no_call(api, call):
    answer, server = await call(api, answers(200, success(api)), ask(user="\ud800"))
    assert fault(answer).kind is FaultKind.UNMAPPABLE
    assert server.seen == []
