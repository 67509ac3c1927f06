"""Every answer that the official SDKs declare is read; a type that a new SDK brings shows itself here."""

import re
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any, get_args

import pytest
from anthropic.types import ContentBlock
from anthropic.types.beta import BetaContentBlock
from anthropic.types.beta.beta_message import BetaMessage
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion_message_tool_call import ChatCompletionMessageToolCallUnion
from openai.types.responses import Response, ResponseOutputItem, ResponseOutputMessage, ResponseStatus

from holdfast.model import exact_json
from holdfast.model.fault import Fault
from holdfast.model.reply import Reply
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.anthropic.reply import DONE_THERE as DONE_AT_ANTHROPIC
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.chat.reply import READ
from holdfast.wire.faults import read_bad_answer
from holdfast.wire.responses.reply import ASKING, DONE_THERE, NO_ANSWER, WRITTEN
from wire.sdk_values import SdkValues, arms, types_of
from wire.test_round_trips import DIALECTS, every_api

SEEDS = range(60)
SLIP = re.compile("arguments that are no JSON|without a tool's name")  # of a model that says anything


def test_every_block_of_anthropic_is_known():
    read = {"text", "thinking", "redacted_thinking", "tool_use"}
    assert types_of(BetaContentBlock) | types_of(ContentBlock) == read | DONE_AT_ANTHROPIC


def test_every_item_of_responses_is_known():
    assert types_of(ResponseOutputItem) == WRITTEN | ASKING | DONE_THERE


def test_every_part_of_a_responses_message_is_known():
    content = get_args(ResponseOutputMessage.model_fields["content"].annotation)[0]
    assert types_of(content) == {"output_text", "refusal"}


def test_every_status_of_responses_is_known():
    assert set(get_args(ResponseStatus)) == NO_ANSWER | {"completed", "incomplete"}


def test_every_call_and_every_field_of_a_chat_message_is_known():
    assert types_of(ChatCompletionMessageToolCallUnion) == {"function", "custom"}
    assert set(ChatCompletionMessage.model_fields) - READ == {"annotations", "audio"}


def read(reader: Callable[[Any], Reply], body: dict[str, Any]) -> Reply | None:
    """The reply, which the store and the output can hold; None for a slip of the model, the one thing that is none."""
    try:
        reply = reader(body)
    except BadAnswer as error:
        if SLIP.search(str(error)):
            return None
        raise
    assert Reply.model_validate_json(reply.model_dump_json()) == reply
    exact_json.dumps(reply.model_dump(mode="json"))
    return reply


def not_read(reply: Reply | None) -> list[str]:
    return [note.note for note in reply.notes if "not read" in note.note] if reply else []


@pytest.mark.parametrize("block", arms(BetaContentBlock), ids=lambda arm: arm.__name__)
def test_a_message_with_any_block_is_a_reply(block):
    for seed in SEEDS:
        made = SdkValues(seed)
        body = made.model(BetaMessage) | {"content": [made.model(block)], "stop_reason": "end_turn"}
        assert not_read(read(anthropic.read_reply, body)) == []


@pytest.mark.parametrize("item", arms(ResponseOutputItem), ids=lambda arm: arm.__name__)
def test_a_response_with_any_item_is_a_reply(item):
    for seed in SEEDS:
        made = SdkValues(seed)
        body = made.model(Response) | {"status": "completed", "error": None, "output": [made.model(item)]}
        assert not_read(read(responses.read_reply, body)) == []


def test_a_message_of_any_content_and_any_end_is_a_reply():
    for seed in range(500):
        body = SdkValues(seed).model(BetaMessage)
        body["stop_reason"] = body.get("stop_reason") or "end_turn"
        assert not_read(read(anthropic.read_reply, body)) == []


def test_a_completion_of_any_choices_is_a_reply():
    for seed in range(500):
        body = SdkValues(seed).model(ChatCompletion)
        if body["choices"]:
            reply = read(chat.read_reply, body)
            assert not_read(reply) == []
            assert reply is None or reply.choices == len(body["choices"])


MODELS = {Api.ANTHROPIC: BetaMessage, Api.OPENAI_CHAT: ChatCompletion, Api.OPENAI_RESPONSES: Response}
NONSENSE = (None, 0, -1, 2**70, 0.5, float("nan"), True, "", "x", [], [[]], {}, {"a": {}}, [{"type": []}])


@every_api
def test_an_answer_with_nonsense_anywhere_is_a_reply_or_a_bad_answer(api):
    for seed in range(1500):
        body = SdkValues(seed).model(MODELS[api])
        for _ in range(seed % 3 + 1):
            spoil(body, Random(seed))
        outcome: object
        try:
            outcome = DIALECTS[api].read_reply(body).model_dump_json()
        except BadAnswer as error:
            outcome = read_bad_answer(api, error, {}, body=exact_json.dumps(body))
        assert isinstance(outcome, str | Fault)


def spoil(whole: Any, random: Random) -> None:
    """Put nonsense in the place of one value somewhere in ``whole``."""
    keys = list(whole) if isinstance(whole, dict) else list(range(len(whole)))
    key = random.choice(keys)
    if isinstance(whole[key], dict | list) and whole[key] and random.random() < 0.8:
        spoil(whole[key], random)
    else:
        whole[key] = deepcopy(random.choice(NONSENSE))


def test_fields_that_a_later_version_adds_change_nothing():
    for seed in range(200):
        body = SdkValues(seed).model(BetaMessage) | {"stop_reason": "end_turn"}
        later = grown(body)
        before, after = read(anthropic.read_reply, body), read(anthropic.read_reply, later)
        if before and after:
            blank = {"native": {}, "tool_calls": ()}
            assert after.model_copy(update=blank) == before.model_copy(update=blank)


def grown(value: Any) -> Any:
    """The same with one field more in every object, but in arguments, which are the model's."""
    if isinstance(value, list):
        return [grown(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: each if key == "input" else grown(each) for key, each in value.items()} | {"launched_later": {"x": 1}}
