"""What is called carried for certain without being read is so: a submit would take it, for each of these formats."""

import json

from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.job_items import demand_route, read_checked
from holdfast.client.submit_request import JobDefaults
from holdfast.model.request import Image, Request, Role, Text, ToolUse, Turn
from holdfast.model.route import Api, Plan, Route
from holdfast.store.request_codec import decode_request, encode_request
from holdfast.store.request_outline import READ_ENDPOINTS, is_surely_carried
from holdfast.wire.written import READERS

WIRES = [Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES]
MODELS = {Api.ANTHROPIC: "claude-opus-4-8", Api.OPENAI_CHAT: "gpt-5.4", Api.OPENAI_RESPONSES: "gpt-5.4"}
parts = st.one_of(
    st.builds(Text, text=st.sampled_from(["", " ", "hi"])),
    st.builds(Image, url=st.just("https://example.com/a.png")),
    st.builds(ToolUse, id=st.just("c1"), name=st.just("f"), input=st.just({})),
)
turns = st.builds(Turn, role=st.sampled_from(Role), parts=st.lists(parts, max_size=2).map(tuple))
requests = st.builds(
    Request,
    turns=st.lists(turns, max_size=3).map(tuple),
    system=st.sampled_from([None, "", "Be brief."]),
    max_tokens=st.sampled_from([None, 0, 7]),
    temperature=st.sampled_from([None, 0.0, 1.7]),
    top_p=st.sampled_from([None, 0.5]),
    stop=st.sampled_from([(), ("a", "b", "c", "d", "e")]),
)


def plan_of(api: Api) -> Plan:
    return Plan("smart", (Route("a", MODELS[api], api, "a", ()),))


@given(requests, st.sampled_from(WIRES))
def test_a_request_that_is_surely_carried_is_refused_by_no_writer(request_: Request, api: Api) -> None:
    body, _ = encode_request("smart.batch", request_)
    if is_surely_carried(body, {api}):
        demand_route(decode_request(body), plan_of(api))


def test_a_plain_text_is_surely_carried_by_every_format() -> None:
    asked = Request(turns=(Turn(role=Role.USER, parts=(Text(text="hi"),)),), system="Be brief.", max_tokens=9)
    body, _ = encode_request("smart.batch", asked)
    assert all(is_surely_carried(body, {api}) for api in WIRES)
    assert not is_surely_carried(body, set())


def test_a_written_request_is_surely_carried_by_its_own_format_alone() -> None:
    inner = {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}
    line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": inner}).encode()
    for more, surely in (({}, {Api.OPENAI_CHAT}), ({"mapping": "never"}, set())):
        read = read_checked(json.dumps(json.loads(line) | more).encode(), JobDefaults(), None)
        body, _ = encode_request("smart.batch", read.request)
        assert {api for api in WIRES if is_surely_carried(body, {api})} == surely


def test_the_endpoints_that_are_mapped_are_those_that_have_a_reader() -> None:
    assert READERS.keys() == READ_ENDPOINTS
