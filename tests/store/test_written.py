"""A request is stored as it was written and read again by its claim; an answer is kept as it came."""

import zlib
from dataclasses import replace
from typing import Any

import pytest

from holdfast.model.call_result import ProviderResponse
from holdfast.model.errors import Conflict
from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.records import JobFilter
from holdfast.model.reply import Reply
from holdfast.model.request import Must, OnRefusal, Request, Strictness, ToolUse
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.store.codec import COMPRESS_ABOVE
from holdfast.store.jobs import find_detail
from holdfast.store.request_codec import encode_request
from holdfast.store.responses import find_response, find_responses
from holdfast.store.submit import submit_jobs
from holdfast.wire.written import read_written
from store.scene import REPLY, Scene, bury, failure, new_job, prompt, retry, success

ODD = b"""{ "model":"smart" ,\t"launched_next_month": {"z": 1, "a": [100000000000000000001, -0, 1.50, 1E3]},
  "messages": [{"content": "Gr\\u00fc\\u00dfe \xf0\x9f\x9a\xa2 \\ud83d", "role": "user"}], "tools": [{"type":
  "function", "function": {"name": "pay", "parameters": {"properties": {"reasoning": {}, "answer": {}}}}}] }"""
FORGERY = "insert into response (job, generation, number, status, body) values (:job, 1, {}, 500, :body)"
ANSWER = b'{"choices": [ {"logprobs": -Infinity, "text": "\\ud83d"} ], "wei": 100000000000000000001}\n'


def written(body: bytes = ODD, **fields: Any) -> Request:
    told = {"api": Api.OPENAI_CHAT, "path": "/chat/completions", "body": body} | fields
    return read_written(WrittenRequest(**told))


def response(body: bytes = ANSWER, status: int = 200) -> ProviderResponse:
    return ProviderResponse(status, body, "req_1")


@pytest.mark.parametrize("padding", [0, 10 * COMPRESS_ABOVE])
def test_a_request_comes_back_byte_for_byte(scene: Scene, padding: int) -> None:
    request = written(ODD + b" " * padding)
    claimed = scene.start(request=request)
    assert claimed.request.written == request.written
    assert claimed.request == request
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.request == request


def test_a_large_request_is_stored_compressed(scene: Scene) -> None:
    scene.start(request=written(ODD + b" " * 10 * COMPRESS_ABOVE))
    [(size,)] = scene.rows("select length(body) from request")
    assert size < COMPRESS_ABOVE


def test_a_job_tells_the_format_it_was_written_in(scene: Scene) -> None:
    jobs = [scene.start(request=request).id for request in (written(), prompt())]
    assert [scene.job(job).written_in for job in jobs] == [Api.OPENAI_CHAT, None]


def test_a_claim_tells_what_went_wrong_before_and_the_ceiling_that_a_route_told(scene: Scene) -> None:
    first = scene.start()
    assert (first.fault, first.output_ceiling) == (None, None)
    scene.finish(failure(first, retry(0)))
    scene.sql("update job set output_ceiling = 4096")
    [second] = scene.claim(first.id)
    assert (second.fault, second.output_ceiling) == (FaultKind.OVERLOADED, 4096)
    scene.finish(failure(second, bury()))
    scene.replay(JobFilter(), 10, None, "me")
    [third] = scene.claim(first.id)
    assert (third.fault, third.output_ceiling) == (None, None)


def test_endpoint_headers_and_terms_travel_with_the_request(scene: Scene) -> None:
    headers = {"anthropic-beta": "x-2026-01-01"}
    body = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
    read = written(body, api=Api.ANTHROPIC, path="/v1/messages", headers=headers)
    terms = {"strictness": Strictness.NEVER, "on_refusal": OnRefusal.REROUTE, "written_in": "anthropic"}
    rules = {"must": (Must(one_of=("a", 1), json_path="$.a"), Must(min_length=2)), "repair": True}
    request = read.model_copy(update=terms | rules)
    assert scene.start(request=request).request == request
    assert request.written is not None
    assert request.written.headers == headers


def test_an_endpoint_without_a_neutral_form_is_kept_too(scene: Scene) -> None:
    request = written(b'{"model": "embedder", "input": ["a", "b"]}', path="/embeddings")
    assert request.turns == ()
    assert scene.start(request=request).request == request


def test_what_the_reader_of_today_refuses_is_claimed_all_the_same(scene: Scene) -> None:
    body = b'{"model":"m","messages":"none of this is understood"}'
    accepted = written().model_copy(
        update={"written": WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body)}
    )  # by a version that read it
    claimed = scene.start(request=accepted)
    assert claimed.request.written == accepted.written
    assert claimed.request.turns == ()
    assert claimed.request.unread


OLD_ROW = (
    b'{"max_tokens":10,"system":"Be kind.","temperature":0.5,'
    b'"turns":[{"native":{},"parts":[{"native":{},"text":"Say ahoy.","type":"text"}],"role":"user"}]}'
)


@pytest.mark.parametrize("stored", [OLD_ROW, zlib.compress(OLD_ROW)])
def test_requests_that_an_earlier_version_stored_are_claimed_and_shown(scene: Scene, stored: bytes) -> None:
    [job] = scene.submit()
    scene.sql("update request set body = :body", body=stored)
    [claimed] = scene.claim(job)
    assert (claimed.request.system, claimed.request.max_tokens, claimed.request.written) == ("Be kind.", 10, None)
    detail = scene.store.read(find_detail, job)
    assert detail is not None
    assert detail.request == claimed.request


def test_a_plain_request_keeps_the_order_of_its_keys(scene: Scene) -> None:
    schema = {"type": "object", "properties": {"reasoning": {}, "answer": {"const": 10**20}}}
    request = Request.model_validate(prompt().model_dump() | {"output": {"json_schema": schema}})
    read = scene.start(request=request).request
    assert read == request
    assert read.output is not None
    assert read.output.json_schema is not None
    assert list(read.output.json_schema["properties"]) == ["reasoning", "answer"]


def submit_twice(scene: Scene, first: Request, second: Request) -> bool:
    """Whether the second is the same job under the same key."""
    [job] = submit_jobs(scene.store, [new_job(request=first, idempotency_key="k")])
    [answer] = submit_jobs(scene.store, [new_job(request=second, idempotency_key="k")])
    return answer.id == job.id


def test_a_key_belongs_to_what_was_written_byte_for_byte(scene: Scene) -> None:
    assert submit_twice(scene, written(), written())
    for other in (written(ODD + b" "), written(headers={"a": "b"}), written(path="/completions")):
        with pytest.raises(Conflict):
            submit_twice(scene, written(), other)


def test_the_hash_of_a_plain_request_is_the_one_of_earlier_versions() -> None:
    assert encode_request("smart.batch", prompt())[1] == "3cc7e828d45c23dec6157b481e408373"


def test_an_answer_is_kept_byte_for_byte_with_status_and_request_id(scene: Scene) -> None:
    for body in (ANSWER, b"", b"x\x9c no compressed bytes", ANSWER * 1000):
        claimed = scene.start()
        scene.finish(success(claimed, response=response(body)))
        assert scene.store.read(find_response, claimed.id) == response(body)
        assert scene.attempts(claimed.id)[0].status == 200


def test_an_answer_is_seen_by_its_tenant_alone(scene: Scene) -> None:
    claimed = scene.start(tenant="a")
    scene.finish(success(claimed, response=response()))
    assert scene.store.read(find_response, claimed.id, "a") == response()
    assert scene.store.read(find_response, claimed.id, "b") is None
    assert scene.store.read(find_responses, [claimed.id], "b") == {}
    assert scene.store.read(find_responses, []) == {}


def test_without_an_answer_there_is_none(scene: Scene) -> None:
    claimed = scene.start()
    assert scene.store.read(find_response, claimed.id) is None
    scene.finish(failure(claimed, bury()))
    assert scene.store.read(find_response, claimed.id) is None
    assert scene.store.read(find_response, new_id()) is None


def test_the_answer_shown_is_the_last_one_that_came(scene: Scene) -> None:
    first = scene.start()
    scene.finish(failure(first, retry(0), response=response(b"first", 500)))
    [second] = scene.claim(first.id)
    scene.finish(failure(second, retry(0), response=response(b"second", 400)))
    [third] = scene.claim(first.id)
    scene.finish(failure(third, bury()))
    assert scene.store.read(find_response, first.id) == response(b"second", 400)


def test_the_answer_of_the_result_is_shown_though_another_came_after_it(scene: Scene) -> None:
    claimed = scene.start()
    won = success(claimed, response=response(b"won"))
    scene.finish(won, replace(failure(claimed, retry(0), response=response(b"lost", 500)), number=2, step=None))
    scene.sql(FORGERY.format(2), job=claimed.id, body=b"lost")
    assert scene.store.read(find_response, claimed.id) == response(b"won")


def test_a_late_end_of_a_call_brings_its_answer_once(scene: Scene) -> None:
    claimed = scene.start()
    late = success(claimed, response=response(b"late"))
    scene.finish(late)
    scene.finish(replace(late, result=late.result and replace(late.result, response=response(b"again"))))
    assert scene.store.read(find_response, claimed.id) == response(b"late")


def test_answers_go_with_their_job(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, bury(), response=response()))
    assert scene.drop(JobFilter(), 10, "me") == 1
    assert scene.rows("select job from response") == []


def test_answers_that_code_without_this_table_left_behind_go_with_the_next_round(scene: Scene) -> None:
    gone = "0" * 32
    scene.sql(FORGERY.format(1), job=gone, body=b"{}")
    kept = scene.start()
    scene.finish(success(kept, response=response()))
    scene.delete_ended(60)
    assert [row.job for row in scene.rows("select job from response")] == [kept.id]


def test_a_reply_is_kept_whatever_numbers_it_holds_and_however_deep(scene: Scene) -> None:
    deep: dict[str, Any] = {"wei": 10**20, "inf": float("inf"), "none": None}
    for _ in range(300):
        deep = {"z": deep, "a": 1}
    reply: Reply = REPLY.model_copy(update={"tool_calls": (ToolUse(id="1", name="pay", input=deep),)})
    claimed = scene.start()
    scene.finish(success(claimed, reply))
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert detail.result.reply == reply
