"""What a body says to us in its member ``holdfast``: it holds as if the line said it, and no provider is sent it."""

import json
from typing import Any

import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority
from holdfast.model.request import OnRefusal
from holdfast.wire.batch_line import ParsedLine, read_job

RULES = [{"regex": "^yes|no$"}]
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
MESSAGES = CHAT | {"max_tokens": 5}


def read(key: str, body: dict[str, Any], **outer: Any) -> ParsedLine:
    return read_job(json.dumps({key: body} | outer).encode())


@pytest.mark.parametrize(("key", "body"), [("body", CHAT), ("params", MESSAGES)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_terms_of_a_body_hold_and_are_not_sent(key: str, body: dict[str, Any], *, wrapped: bool) -> None:
    terms = {"must": RULES, "repair": True, "on_refusal": "reroute", "metadata": {"team": "a"}, "expires_in": "5m"}
    said = {"holdfast": terms}
    line = read(key, body | ({"extra_body": {"seed": 7} | said} if wrapped else said))
    assert (line.request.must[0].regex, line.request.repair) == ("^yes|no$", True)
    assert (line.request.on_refusal, line.metadata, line.expires_in) == (OnRefusal.REROUTE, {"team": "a"}, 300.0)
    assert line.request.written is not None
    assert json.loads(line.request.written.body) == body | ({"seed": 7} if wrapped else {})


def test_what_is_left_of_a_body_is_as_it_was_written() -> None:
    body = b'{"model":"m", "messages": [{"role":"user","content":"\\u0061"}], "holdfast": {"must": []}, "top_p":1.0}'
    request = read_job(b'{"body": %s}' % body).request
    assert request.written is not None
    assert request.written.body == b'{"model":"m","messages":[{"role":"user","content":"\\u0061"}],"top_p":1.0}'


def test_the_line_comes_before_its_body() -> None:
    line = read("body", CHAT | {"holdfast": {"priority": "interactive", "custom_id": "in"}}, custom_id="out")
    assert (line.custom_id, line.priority) == ("out", Priority.INTERACTIVE)


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        ({"musts": []}, "holdfast.musts"),
        ({"model": "other"}, "holdfast.model"),
        ({"must": [{"regex": "("}]}, "must"),
        ({"repair": True}, "repair"),
        ("yes", "body.holdfast"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_by_their_name(terms: Any, where: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read("body", CHAT | {"holdfast": terms})
    assert refused.value.where.startswith(where)
