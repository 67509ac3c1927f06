"""The body of a new batch is cut into its requests, each as it was written; what is wrong with the batch refuses it."""

import json
import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from holdfast.api.anthropic.batch_requests import MOST_REQUESTS, read_requests
from holdfast.api.anthropic.request_places import OddBody, RequestPlaces
from holdfast.model.errors import InvalidRequest

PARAMS = {"model": "smart", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def cut(tmp_path: Path):
    def cut(body: bytes, headers: dict[str, str] | None = None) -> list[bytes]:
        path = tmp_path / "body"
        path.write_bytes(body)
        with path.open("rb") as file:
            requests = read_requests(file)
        return list(requests.lines(headers or {}))

    return cut


def body_of(*requests: Any) -> bytes:
    return json.dumps({"requests": requests}).encode()


def request(name: Any = "a", **more: Any) -> dict[str, Any]:
    return {"custom_id": name, "params": PARAMS, **more}


def test_each_request_is_a_line_as_it_was_written(cut):
    written = [
        b'{"custom_id":"a", "params" : {"n":1.50, "big":100000000000000000001}}',
        b'{"params":{},"custom_id":"b"}',
    ]
    assert cut(b'{ "requests": [' + b", ".join(written) + b"]}") == written


def test_brackets_and_quotes_in_texts_end_nothing(cut):
    texts = ["]}", '"', "\\", '\\"]}', "{[", "", 'a"b\\']
    asked = [request(str(n), note=text, **{text or "none": [text, {}]}) for n, text in enumerate(texts)]
    assert [json.loads(line) for line in cut(body_of(*asked))] == asked


def test_an_odd_way_of_writing_is_parsed(cut):
    line = json.dumps(request()).encode()
    assert cut(rb'{"re\u0071uests": [%s]}' % line) == [line]
    assert cut(b'\r\n{ "requests"\t:[ %s\n] }\n' % line) == [line]


@pytest.mark.parametrize("ending", [b"]}", b""])
def test_a_large_text_is_passed_once(tmp_path: Path, ending: bytes):
    """Also where it is full of quotes, and where it never ends."""
    path, long = tmp_path / "body", json.dumps(request("a", note='\\"' * 2_000_000)).encode()
    path.write_bytes(b'{"requests": [' + (long + ending if ending else long[:-2]))
    passed = list[int]()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with suppress(OddBody):
            assert [len(each) for each in RequestPlaces(mapped, lambda: passed.append(1))] == [len(long)]
        assert len(passed) <= 1


def test_line_ends_between_values_do_not_cut_a_line(cut):
    line = json.dumps(request(), indent=2).encode()
    (only,) = cut(b'{"requests": [%s]}' % line.replace(b"\n", b"\r\n"))
    assert b"\n" not in only
    assert b"\r" not in only
    assert json.loads(only) == request()


def test_headers_of_the_batch_hold_for_every_request(cut):
    plain, own = cut(
        body_of(request("a"), request("b", headers={"anthropic-beta": "mine", "x-title": "t"})),
        {"anthropic-beta": "one,two", "anthropic-version": "2023-06-01"},
    )
    assert json.loads(plain)["headers"] == {"anthropic-beta": "one,two", "anthropic-version": "2023-06-01"}
    assert json.loads(own)["headers"] == {
        "anthropic-beta": "mine,one,two", "anthropic-version": "2023-06-01", "x-title": "t",
    }  # fmt: skip


def test_headers_that_are_none_are_left_for_their_line_to_fail(cut):
    assert json.loads(cut(body_of(request(headers=[1])), {"x-title": "t"})[0])["headers"] == [1]


@pytest.mark.parametrize(
    ("body", "where", "says"),
    [
        (b"", "body", "is empty"),
        (b'{"requests": [', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a"} {"custom_id": "b"}]}', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a"}', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a"}, ]}', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a"}]} x', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a', "body", "is no JSON"),
        (b'{"requests": [{"custom_id": "a", "params": {] }]}', "requests.0", "is no JSON"),
        (b'{"requests": ' + b"[" * 100_000, "body", "is no JSON"),
        (b"[]", "requests", "an object with an array"),
        (b"{}", "requests", "Field required"),
        (b'{"requests": {}}', "requests", "an array"),
        (b'{"requests": []}', "requests", "got 0"),
        (b'{"requests": [%s]}' % b",".join([b"{}"] * (MOST_REQUESTS + 1)), "requests", "got 100,001"),
        (b'{"requests": [{}], "betas": []}', "betas", "not permitted"),
        (body_of(request(), 7), "requests.1", "expected an object"),
        (body_of({"params": PARAMS}), "requests.0.custom_id", "Field required"),
        (body_of(request(7)), "requests.0.custom_id", "expected a text"),
        (body_of(request("a b")), "requests.0.custom_id", "1 to 64"),
        (body_of(request("x" * 65)), "requests.0.custom_id", "1 to 64"),
        (body_of(request("a"), request("b"), request("a")), "requests.2.custom_id", "a is the custom_id of an earlier"),
        (body_of({"custom_id": "a"}), "requests.0.params", "Field required"),
        (body_of({"custom_id": "a", "params": "Hi"}), "requests.0.params", "Field required"),
    ],
)
def test_what_is_wrong_with_a_batch_refuses_it_whole(cut, body, where, says):
    with pytest.raises(InvalidRequest, match=says) as refused:
        cut(body)
    assert refused.value.where == where


def test_what_is_wrong_with_parameters_is_for_later(cut):
    """It is the error of that request alone."""
    assert len(cut(body_of(request("a"), {"custom_id": "b", "params": {"nonsense": True}}))) == 2
