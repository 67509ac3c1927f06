"""Every answer that the SDKs declare, through the door of each other format: said there, kept beside it, never lost.

The walk reads the provider's body leaf by leaf and knows nothing of our readers: each leaf stands in the written body,
or at its place among what is opaque.
"""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from anthropic.types import Message
from anthropic.types.beta import BetaContentBlock
from anthropic.types.beta.beta_message import BetaMessage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response, ResponseOutputItem

from holdfast.model import exact_json
from holdfast.model.route import Api
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.written_answer import READERS, WrittenAnswer, write_answer
from wire.key_walk import leaves, place_of
from wire.sdk_values import SdkValues, arms
from wire.test_answers import completion, message, response
from wire.test_round_trips import DIALECTS, every_api

TYPES: dict[Api, Any] = {Api.ANTHROPIC: Message, Api.OPENAI_CHAT: ChatCompletion, Api.OPENAI_RESPONSES: Response}
SAID_BY_SHAPE = {"type", "role", "object", "index", "status", "finish_reason", "stop_reason", "reason"}


def words(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **fields}


def through(wanted: Api, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body and the holdfast member, as a caller of the format ``wanted`` gets them."""
    written = written_in(wanted, body)
    return json.loads(written.body), json.loads(exact_json.dumps(written.holdfast))


def written_in(wanted: Api, body: dict[str, Any]) -> WrittenAnswer:
    given = exact_json.dumps(body)
    return write_answer(wanted, READERS[api_of(body)](body).reply, given, "1", 1_700_000_000)


def api_of(body: dict[str, Any]) -> Api:
    return Api.OPENAI_CHAT if "choices" in body else Api.ANTHROPIC if "content" in body else Api.OPENAI_RESPONSES


LABEL = re.compile(r"tok\d+en")


# ---- every answer by every door


def labelled(value: Any, numbers: Iterator[int], key: str = "") -> Any:
    """The same with a value of its own for every free text, so that the walk can find each of them again."""
    if isinstance(value, list):
        return [labelled(each, numbers, key) for each in value]
    if isinstance(value, dict):
        return {name: labelled(each, numbers, name) for name, each in value.items()}
    if isinstance(value, str) and key in FREE:
        return f'{{"a":"tok{next(numbers)}en"}}' if key == "arguments" else f"tok{next(numbers)}en"
    return value


FREE = {
    "id", "text", "thinking", "signature", "data", "name", "arguments", "input", "refusal", "content", "url", "title",
    "cited_text", "encrypted_index", "encrypted_content", "transcript", "token", "call_id", "tool_use_id", "model",
    "system_fingerprint", "explanation", "filename", "file_id", "query", "code", "result", "output", "stop_sequence",
}  # fmt: skip


def answers() -> Iterator[dict[str, Any]]:
    """Bodies with every block and item of the SDKs, and whole ones by chance."""
    for seed in range(12):
        made = SdkValues(seed)
        for block in arms(BetaContentBlock):
            content = [made.model(block), words("between"), made.model(block)]
            yield made.model(BetaMessage) | {"type": "message", "content": content, "stop_reason": "end_turn"}
        for item in arms(ResponseOutputItem):
            whole = {"object": "response", "status": "completed", "error": None}
            yield made.model(Response) | whole | {"output": [made.model(item), made.model(item)]}
    for seed in range(300):
        body = SdkValues(seed).model(ChatCompletion)
        if body["choices"]:
            yield body | {"object": "chat.completion"}


def lost(body: dict[str, Any], written: dict[str, Any], holdfast: dict[str, Any]) -> list[str]:
    """The leaves of ``body`` that stand neither in what was written nor among what is opaque."""
    said = json.dumps([written, holdfast.get("reasoning")], ensure_ascii=False)
    values = list(said_values(written)) + sums(written["usage"])
    opaque = holdfast.get("opaque", {})
    return [
        f"{place_of(path)} = {value!r}"
        for path, value in leaves(body)
        if not (
            is_opaque(place_of(path), value, opaque)
            or path[-1] in SAID_BY_SHAPE
            or (value == 0 and path[0] == "usage")
            or (is_in(value, said) if isinstance(value, str) else value in values)
            or value == {}
        )
    ]


def said_values(written: Any) -> Iterator[Any]:
    """Every leaf, also of arguments, which OpenAI's formats have as JSON in a text."""
    for path, value in leaves(written):
        yield value
        if path[-1:] == ("arguments",):
            yield from said_values(json.loads(value))


def is_in(text: str, said: str) -> bool:
    """Whether a text stands in JSON, or its label, where it is JSON itself there."""
    return all(each in said for each in LABEL.findall(text) or [json.dumps(text, ensure_ascii=False)[1:-1]])


def sums(usage: dict[str, Any]) -> list[int]:
    """Figures that follow from others: Anthropic counts cached tokens apart, OpenAI among its input."""
    cache = [value for path, value in leaves(usage) if str(path[-1]).startswith("cache")]
    given = usage.get("prompt_tokens", usage.get("input_tokens", 0))
    total = given + sum(cache) + usage.get("output_tokens", 0)
    return [given - sum(cache), given + sum(cache), total]


def is_opaque(place: str, value: Any, opaque: dict[str, Any]) -> bool:
    """Whether a value stands at its own place among what is opaque."""
    around = [each for each in opaque if place == each or place.startswith((f"{each}.", f"{each}["))]
    return any(value in [inner for _, inner in leaves(opaque[each])] for each in around)


def test_every_answer_is_said_or_kept_beside_it_by_every_door():
    numbers, walked = count(1), 0
    for given in answers():
        body = labelled(given, numbers)
        try:
            doors = [(api, *through(api, body)) for api in TYPES if api is not api_of(body)]
        except BadAnswer:  # a call that cannot be made, which is no answer
            continue
        walked += 1
        for api, written, holdfast in doors:
            TYPES[api].model_validate(written)
            assert lost(body, written, holdfast) == [], api
    assert walked > 400


@every_api
def test_an_answer_in_the_caller_s_own_format_is_the_provider_s_bytes(api):
    own = {Api.ANTHROPIC: message(words("x")), Api.OPENAI_CHAT: completion(), Api.OPENAI_RESPONSES: response()}[api]
    body = json.dumps(own).encode()
    written = write_answer(api, DIALECTS[api].read_reply(own), body, "1")
    assert (written.body, written.holdfast) == (body, {})
