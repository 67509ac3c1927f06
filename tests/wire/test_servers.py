"""Servers that speak Chat Completions in their own way are sent what each takes, and the rest is told."""

import orjson
import pytest

from holdfast.model.job import MappingReport
from holdfast.model.request import Output, Role, Text, Tool, Turn
from holdfast.model.route import Api, Dialect
from holdfast.model.written import WrittenRequest
from holdfast.wire import chat
from holdfast.wire.chat.server_profile import AZURE, SERVER_PROFILES
from passing import pass_through
from wire.test_corrections import CLOSED, to_server
from wire.test_writing import ask, changes


@pytest.mark.parametrize(
    ("dialect", "native", "dropped"),
    [
        (
            Dialect.MISTRAL,
            {"seed": 7, "store": True, "metadata": {"a": "b"}, "frequency_penalty": 1},
            {"seed", "store"},
        ),
        (Dialect.GROQ, {"logprobs": True, "logit_bias": {"5": 1}, "n": 2, "seed": 7}, {"logprobs", "logit_bias", "n"}),
        (Dialect.XAI, {"presence_penalty": 1, "seed": 7}, {"presence_penalty"}),
        (Dialect.VLLM, {"logprobs": True, "guided_regex": "a"}, set()),
        (Dialect.COMPATIBLE, {"logprobs": True, "n": 2}, set()),
    ],
)
def test_what_a_server_refuses_is_left_out_and_told(dialect, native, dropped):
    written, told = to_server(dialect, ask(native={"openai-chat": native}))
    assert native.keys() - written.keys() == dropped == set(told)


def test_names_of_messages_are_left_out_and_told_to_groq():
    named = Turn(role=Role.USER, parts=(Text(text="x"),), native={"openai-chat": {"name": "n"}})
    written, told = to_server(Dialect.GROQ, ask(named))
    assert (written["messages"], list(told)) == ([{"role": "user", "content": "x"}], ["messages[0].name"])


def test_a_shape_is_asked_for_in_words_where_a_server_decodes_none():
    written, told = to_server(Dialect.DEEPSEEK, ask(output=Output(json_schema=CLOSED)))
    assert written["response_format"] == {"type": "json_object"}
    assert '"b":{"type":"string"}' in written["messages"][0]["content"]
    assert list(told) == ["output.json_schema"]


def test_any_object_is_a_schema_to_lm_studio_which_has_no_plain_json_mode():
    written, told = to_server(Dialect.LM_STUDIO, ask(output=Output()))
    assert written["response_format"]["type"] == "json_schema"
    assert list(told) == ["output"]


@pytest.mark.parametrize("dialect", [Dialect.XAI, Dialect.VLLM, Dialect.FIREWORKS, Dialect.GEMINI, Dialect.LLAMA_CPP])
def test_a_server_that_decodes_every_schema_gets_one_that_it_takes_and_it_is_told(dialect):
    ruled = {**CLOSED, "properties": {"b": {"type": "array", "uniqueItems": True}, "a": {"type": "string"}}}
    written, told = to_server(dialect, ask(output=Output(json_schema=ruled), tools=(Tool(name="f", parameters=ruled),)))
    assert "'uniqueItems'" not in str(written)
    assert "(uniqueItems: True)" in str(written)
    assert list(told) == ["tools[f]", "output.json_schema"]


def test_azures_strict_decoding_takes_less_than_openais():
    ruled = {
        **CLOSED,
        "additionalProperties": False,
        "properties": {"a": {"type": "integer", "minimum": 1}},
        "required": ["a"],
    }
    request = ask(output=Output(json_schema=ruled, strict=True))
    assert changes(chat, request) == {}
    written, report = chat.write_request(request, "gpt-4o", AZURE)
    assert written["response_format"]["json_schema"]["strict"] is False
    assert [note.note for note in report.notes] == ["dropped: Azure's strict decoding refuses minimum"]


@pytest.mark.parametrize("profile", SERVER_PROFILES.values(), ids=lambda profile: profile.name)
def test_each_server_is_asked_in_its_own_words_and_names_its_source(profile):
    assert profile.source
    written, _ = chat.write_request(ask(max_tokens=5, user="u", effort="high"), "m", profile)
    assert written[profile.max_tokens] == 5
    assert not profile.refused & written.keys()


@pytest.mark.parametrize("dialect", [Dialect.DEEPSEEK, Dialect.MISTRAL, Dialect.VLLM])
def test_a_developers_turn_is_a_system_turn_to_servers_that_know_no_developer_and_told(dialect):
    body = b'{"messages":[{"role":"developer","content":"d"},{"role":"user","content":"x"}]}'
    written = WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body)
    sent, report = pass_through(written, "m", SERVER_PROFILES[dialect])
    assert b'[{"role":"system","content":"d"}' in sent
    assert [note.field for note in report.notes] == ["messages[0].role"]
    assert pass_through(written, "m", SERVER_PROFILES[Dialect.OPENAI]) == (
        body[:-1] + b',"model":"m"}',
        MappingReport(),
    )


def test_a_tool_without_parameters_goes_to_gemini_without_a_schema():
    written, told = to_server(Dialect.GEMINI, ask(tools=(Tool(name="f", parameters={}),)))
    assert written["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert list(told) == ["tools[f].parameters"]


def test_ids_and_signatures_are_mended_in_what_is_passed_through_too():
    calls = '[{"id":"call_abc","type":"function","function":{"name":"f","arguments":"{}"}}]'
    turns = f'{{"role":"user","content":"x"}},{{"role":"assistant","content":null,"tool_calls":{calls}}}'
    body = f'{{"messages":[{turns},{{"role":"tool","tool_call_id":"call_abc","content":"r"}}]}}'.encode()
    written = WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body)
    sent, report = pass_through(written, "mistral-large", SERVER_PROFILES[Dialect.MISTRAL])
    messages = orjson.loads(sent)["messages"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"] != "call_abc"
    assert [note.field for note in report.notes] == ["messages[1].tool_calls", "messages[2].tool_call_id"]
    signed, report = pass_through(written, "gemini-3-pro", SERVER_PROFILES[Dialect.GEMINI])
    assert b"skip_thought_signature_validator" in signed
    assert [note.field for note in report.notes] == ["messages[1].tool_calls[0].extra_content"]
