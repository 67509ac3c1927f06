"""A route of a request's own format is sent what was written, but for what has to change, which is told."""

import orjson
import pytest

from holdfast.model.errors import Unmappable
from holdfast.model.route import Api, Dialect
from holdfast.model.written import WrittenRequest
from holdfast.wire.chat.server_profile import OPENAI, SERVER_PROFILES
from passing import pass_through

MESSAGES = '[ {"role": "user", "content": "x"} ]'


def chat_of(body: str) -> WrittenRequest:
    return WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body.encode())


def sent(written, model="route-model", profile=None, **options):
    body, report = pass_through(written, model, profile, **options)
    return body.decode(), {note.field: note.note for note in report.notes}


def test_everything_but_the_models_name_is_sent_byte_for_byte():
    odd = '"b": {"z" :1,"a":100000000000000000001},\n "launched_next_month": [1.50, null, "\\u00e9"], "a": "é"'
    body, notes = sent(chat_of(f'{{"model":"smart", "messages":{MESSAGES}, {odd} }}'), profile=OPENAI)
    for slice_ in (MESSAGES, '{"z" :1,"a":100000000000000000001}', '[1.50, null, "\\u00e9"]', '"é"'):
        assert slice_ in body
    assert list(orjson.loads(body)) == ["model", "messages", "b", "launched_next_month", "a"]
    assert orjson.loads(body)["model"] == "route-model"
    assert notes == {}


def test_a_body_without_a_model_gets_the_routes():
    assert orjson.loads(sent(chat_of(f'{{"messages":{MESSAGES}}}'))[0])["model"] == "route-model"


@pytest.mark.parametrize("key", ["stream", "stream_options", "background"])
def test_what_asks_for_an_answer_in_parts_or_later_is_left_out_and_told(key):
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES},"{key}":{"true" if key != "stream_options" else "{}"}}}'))
    assert list(orjson.loads(body)) == ["messages", "model"]
    assert list(notes) == [key]


def test_no_stream_is_sent_as_it_was_written():
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES},"stream":false}}'))
    assert (orjson.loads(body)["stream"], notes) == (False, {})


def test_anthropic_gets_the_maximum_that_it_demands_and_it_is_told():
    written = WrittenRequest(Api.ANTHROPIC, "/v1/messages", f'{{"messages":{MESSAGES}}}'.encode())
    body, notes = sent(written)
    assert orjson.loads(body)["max_tokens"] == 8192
    assert list(notes) == ["max_tokens"]


@pytest.mark.parametrize(
    ("api", "path", "key"),
    [
        (Api.ANTHROPIC, "/v1/messages", "max_tokens"),
        (Api.OPENAI_CHAT, "/chat/completions", "max_completion_tokens"),
        (Api.OPENAI_CHAT, "/chat/completions", "max_tokens"),
        (Api.OPENAI_RESPONSES, "/responses", "max_output_tokens"),
    ],
)
def test_a_maximum_above_the_ceiling_that_a_route_told_is_lowered_to_it_and_told(api, path, key):
    written = WrittenRequest(api, path, orjson.dumps({"model": "m", key: 64_000}))
    body, notes = sent(written, ceiling=8192)
    assert orjson.loads(body)[key] == 8192
    assert notes == {key: "lowered from 64000 to 8192, the most that this route takes"}
    assert sent(written, ceiling=64_000)[1] == {}


def test_the_maximum_of_a_model_that_reasons_takes_its_newer_name_in_its_old_place():
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES},"max_tokens":5,"seed":7}}'), "gpt-5.4", OPENAI)
    assert list(orjson.loads(body).items())[1:3] == [("max_completion_tokens", 5), ("seed", 7)]
    assert list(notes) == ["max_tokens"]


def test_what_a_servers_profile_says_that_it_refuses_is_left_out_and_told():
    mistral = SERVER_PROFILES[Dialect.MISTRAL]
    body, notes = sent(
        chat_of(f'{{"messages":{MESSAGES},"seed":7,"max_completion_tokens":5,"new":1}}'), profile=mistral
    )
    assert orjson.loads(body) == {
        "messages": [{"role": "user", "content": "x"}], "max_tokens": 5, "new": 1, "model": "route-model"
    }  # fmt: skip
    assert set(notes) == {"seed", "max_completion_tokens"}


def test_messages_that_a_server_takes_as_they_are_stay_the_bytes_that_were_written():
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES}}}'), profile=SERVER_PROFILES[Dialect.MISTRAL])
    assert (MESSAGES in body, notes) == (True, {})


def test_of_two_names_of_the_maximum_the_one_that_is_taken_stays_and_the_other_is_told():
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES},"max_tokens":5,"max_completion_tokens":6}}'), "o3", OPENAI)
    assert {key for key in orjson.loads(body) if key.startswith("max")} == {"max_completion_tokens"}
    assert notes == {"max_tokens": "dropped: OpenAI takes max_completion_tokens, which is there too"}


@pytest.mark.parametrize(
    ("more", "kept", "told"),
    [
        ('"temperature":0.5,"top_p":1,"stop":["a"]', {"top_p"}, {"temperature", "stop"}),
        (
            '"temperature":0.5,"stop":["a"],"reasoning_effort":"none"',
            {"temperature", "stop", "reasoning_effort"},
            set(),
        ),
    ],
)
def test_what_models_that_reason_refuse_is_left_out_unless_they_are_asked_not_to(more, kept, told):
    body, notes = sent(chat_of(f'{{"messages":{MESSAGES},{more}}}'), "gpt-5.4", OPENAI)
    assert (orjson.loads(body).keys() - {"messages", "model"}, notes.keys()) == (kept, told)
    assert sent(chat_of(f'{{"messages":{MESSAGES},{more}}}'), "gpt-5.4")[1] == {}


def test_an_endpoint_without_a_reading_passes_with_its_routes_model_alone():
    written = WrittenRequest(Api.OPENAI_CHAT, "/embeddings", b'{"model":"smart","input":["b","a"],"stream":1}')
    assert sent(written, profile=OPENAI) == ('{"model":"route-model","input":["b","a"],"stream":1}', {})


@pytest.mark.parametrize(
    ("written", "sent_as", "told"),
    [
        (r'"messages":"\ud83d"', r'"messages":"\ufffd"', "messages"),
        (r'"messages":[{"a": "\ud83d\ud83d"}]', r'"messages":[{"a": "\ufffd\ufffd"}]', "messages"),
        (r'"\udc00x":1', '"\ufffdx":1', "\ufffdx"),
    ],
)
def test_half_a_character_is_sent_as_the_mark_that_stands_for_it_and_told(written, sent_as, told):
    others = r'"user":"\ud83d\ude42","n":1.0'
    body, notes = sent(chat_of(f"{{{written},{others}}}"))
    assert body == f'{{{sent_as},{others},"model":"route-model"}}'
    assert list(notes) == [told]


@pytest.mark.parametrize("body", [b"[1]", b"{broken", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(Unmappable, match="no JSON object"):
        pass_through(WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body), "m")
