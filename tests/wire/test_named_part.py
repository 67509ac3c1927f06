"""An error that names the part of the request that is wrong is told from one that only says that it is."""

import json

import pytest

from holdfast.model.route import Api
from holdfast.wire.faults import read_fault

CHAT, CLAUDE = Api.OPENAI_CHAT, Api.ANTHROPIC


def openai(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | more}


def claude(message: str) -> dict[str, object]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def names_part(api: Api, status: int, body: object) -> bool:
    return read_fault(api, status, {}, json.dumps(body).encode()).names_part


@pytest.mark.parametrize(
    ("api", "status", "body"),
    [
        (CHAT, 400, openai("not with this model", param="max_tokens", code="unsupported_parameter")),
        (CHAT, 400, openai("Unrecognized request argument supplied: foo")),
        (CHAT, 422, {"detail": [{"loc": ["body", "foo"], "msg": "extra fields not permitted"}]}),
        (CHAT, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": 'Unknown name "foo": no field'}}),
        (CLAUDE, 400, claude("foo: Extra inputs are not permitted")),
        (CLAUDE, 400, claude("messages: roles must alternate")),
        (CLAUDE, 400, claude("max_tokens: Field required")),
    ],
)
def test_a_parameter_a_place_or_a_field_in_words_is_named(api: Api, status: int, body: object) -> None:
    assert names_part(api, status, body)


@pytest.mark.parametrize(
    ("api", "status", "body"),
    [
        (CHAT, 400, openai("Bad request")),
        (CHAT, 400, openai("We could not parse the JSON body of your request.")),
        (CHAT, 400, {}),
        (CHAT, 422, {"message": "Unprocessable Entity"}),
        (CLAUDE, 400, claude("Error")),
        (CLAUDE, 400, claude("upstream: it failed")),
        (CHAT, 500, openai("broken", param="max_tokens")),
    ],
)
def test_what_an_outage_says_to_everybody_names_nothing(api: Api, status: int, body: object) -> None:
    assert not names_part(api, status, body)
