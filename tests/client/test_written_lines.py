"""Lines of the batch APIs through the Python client: kept as they were written, pinned where they have to be."""

import json

import msgspec
import orjson
import pytest

from holdfast.client import Holdfast
from holdfast.client.errors import InvalidJobs
from holdfast.client.installation import Installation
from holdfast.client.submit_request import SubmitRequest
from holdfast.config import load
from holdfast.model.route import Api
from holdfast.store.jobs import find_detail
from holdfast.wire.dead_letter_line import dead_letter_line
from producing import configured

BODY = {"model": "smart", "z": 10**20, "messages": [{"role": "user", "content": "hello"}], "a": {"y": 1, "b": 2}}
LINE = {"custom_id": "a", "url": "/v1/chat/completions", "body": BODY}
COMPACT = json.dumps(BODY, separators=(",", ":")).encode()
EMBEDDING = {"custom_id": "e", "url": "/v1/embeddings", "body": {"model": "smart", "input": ["a", "b"]}}


def detail(installation: Installation, job):
    found = installation.store.read(find_detail, job.inner)
    assert found is not None
    return found


def test_a_dict_keeps_its_order_and_its_integers(hf: Holdfast, installation: Installation) -> None:
    request = detail(installation, hf.submit(LINE)).request
    assert (request.written.api, request.written.path) == (Api.OPENAI_CHAT, "/chat/completions")
    assert request.written.body == COMPACT


@pytest.mark.parametrize("form", [bytes, msgspec.Raw])
def test_json_is_kept_as_it_was_written(hf: Holdfast, installation: Installation, form) -> None:
    body = b'{ "model":"smart","z":100000000000000000001, "messages":[{"role":"user","content":"\\u00e9"}] }'
    job = hf.submit(form(b'{"url":"/v1/chat/completions","body":%s}' % body))
    assert detail(installation, job).request.written.body == body


def test_an_embedding_goes_to_the_first_route_that_has_embeddings_and_to_no_other(hf, installation) -> None:
    written = detail(installation, hf.submit(EMBEDDING)).request.written
    assert (written.api, written.path) == (Api.OPENAI_CHAT, "/embeddings")


def test_routes_that_a_request_must_not_take_are_left_out_from_the_start(hf: Holdfast, worker) -> None:
    hf.submit([EMBEDDING])
    (claimed,) = worker.claim()
    assert claimed.need.avoid == {"anthropic/claude-opus-4-8": None}


def test_an_endpoint_that_no_route_has_is_refused_at_the_door(hf: Holdfast) -> None:
    with pytest.raises(InvalidJobs, match=r"url: no route of 'smart' has /audio/speech\. A provider's `endpoints`"):
        hf.submit([{"url": "/v1/audio/speech", "body": {"model": "smart"}}])


def test_an_endpoint_that_the_configuration_allows_is_taken(tmp_path) -> None:
    file = tmp_path / "holdfast.toml"
    configured(tmp_path)
    file.write_text(file.read_text().replace('api = "openai-chat"', 'api = "openai-chat"\nendpoints = ["/v1/fim"]'))
    with Holdfast(load(file, {})) as hf:
        assert hf.submit({"url": "/v1/fim", "body": {"model": "smart"}})


@pytest.mark.parametrize("most", [2**53 + 1, 2**63, 10**30])
def test_a_maximum_that_nothing_can_satisfy_is_refused_with_the_limit(hf: Holdfast, most) -> None:
    with pytest.raises(InvalidJobs, match="max_tokens: expected at most 10,000,000 tokens"):
        hf.submit({"model": "smart", "prompt": "x", "max_tokens": most})
    with pytest.raises(InvalidJobs, match="max_tokens: expected at most 10,000,000 tokens"):
        hf.submit({"body": BODY | {"max_tokens": most}})


def test_a_maximum_beyond_every_routes_limit_is_refused_with_those(tmp_path) -> None:
    file = tmp_path / "holdfast.toml"
    configured(tmp_path)
    limits = 'api = "openai-chat"\nlimits = { output_tokens_per_minute = 1000 }'
    file.write_text(file.read_text().replace('api = "openai-chat"', limits))
    with Holdfast(load(file, {})) as hf:
        assert hf.submit("x", model="smart")
        assert hf.submit({"model": "smart", "prompt": "x", "max_tokens": 2000}), "Anthropic counts output afterwards"
        with pytest.raises(InvalidJobs, match=r"2,000 tokens are more than any route .* \(openai/gpt-5.4 1,000\)"):
            hf.submit({"model": "openai/gpt-5.4", "prompt": "x", "max_tokens": 2000})


@pytest.mark.parametrize(
    "line",
    [
        LINE | {"headers": {"x-title": "t"}, "mapping": "exact", "on_refusal": "reroute"},
        LINE | {"must": [{"one_of": ["yes"]}, {"json_path": "$.a"}], "repair": True},
        EMBEDDING,
        {"params": BODY | {"max_tokens": 5}, "headers": {"anthropic-beta": "b-1"}},
        {"url": "/v1/responses", "body": {"model": "smart", "input": "hello"}, "mapping": "never"},
    ],
)
def test_a_drained_letter_of_a_written_line_makes_the_same_job_again(hf: Holdfast, installation, line) -> None:
    before = detail(installation, hf.submit(line, model="smart"))
    letter = dead_letter_line(before)
    assert letter.count(b"\n") == 1
    after = detail(installation, hf.submit(letter))
    assert (after.request.written, after.request) == (before.request.written, before.request)
    assert (after.job.custom_id, after.job.model, after.job.lane) == (before.job.custom_id, "smart", before.job.lane)


def test_line_ends_inside_a_body_do_not_break_a_drained_letter(hf: Holdfast, installation: Installation) -> None:
    body = b'{"model": "smart",\r\n "messages": [{"role": "user", "content": "a\\nb"}]}'
    before = detail(installation, hf.submit(b'{"url": "/v1/chat/completions", "body": %s}' % body))
    letter = dead_letter_line(before)
    assert letter.count(b"\n") == 1
    assert detail(installation, hf.submit(orjson.loads(letter))).request.turns == before.request.turns


def test_bad_json_is_told_for_its_item_alone(hf: Holdfast) -> None:
    with pytest.raises(InvalidJobs) as caught:
        hf.backend.submit(SubmitRequest([b'{"prompt": "x", "model": "smart"}', b"{oops}", b"[1]"], many=True))
    assert [(each.index, each.where) for each in caught.value.problems] == [(1, "the request"), (2, "the request")]
