"""What a format can say comes back from it unchanged; what it cannot say is told, never dropped."""

from types import ModuleType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Unmappable
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from wire.requests import SAYABLE, calls, shared

DIALECTS: dict[Api, ModuleType] = {
    Api.ANTHROPIC: anthropic,
    Api.OPENAI_CHAT: chat,
    Api.OPENAI_RESPONSES: responses,
}
every_api = pytest.mark.parametrize("api", list(DIALECTS), ids=lambda api: api.value)


def there_and_back(api: Api, request: Request) -> Request:
    """Over real JSON, so that nothing survives that only Python knows."""
    body, report = DIALECTS[api].write_request(request, "m")
    assert report.notes == ()
    again: Request = DIALECTS[api].read_request(orjson.loads(orjson.dumps(body)))
    return again


@every_api
@given(data=st.data())
def test_what_a_format_can_say_comes_back_unchanged(api, data):
    request = data.draw(SAYABLE[api])
    own_choice = request.native.get(api.value, {}).get("tool_choice")
    if own_choice:  # a native choice stands in the place of the neutral one
        request = request.model_copy(update={"tool_choice": None, "parallel_tools": None})
    assert there_and_back(api, request) == request


@given(shared())
def test_a_request_goes_through_all_three_formats_and_comes_back_unchanged(request):
    for api in (Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES, Api.ANTHROPIC):
        assert there_and_back(api, request) == request


FIELDS = ("system", "output", "stop", "temperature", "top_p", "effort", "user", "tools", "native")


@every_api
@given(data=st.data())
def test_no_field_is_dropped_in_silence(api, data):
    """Taking a field away changes the body, or the report, or whether the request can be said at all."""
    request = data.draw(st.one_of(*SAYABLE.values()))
    if isinstance(written(api, request), str):
        return  # refused whole, which nobody can overlook
    for name in FIELDS:
        empty = Request.model_fields[name].get_default(call_default_factory=True)
        if getattr(request, name) == empty:
            continue
        changes = {name: empty} | ({"tool_choice": None, "parallel_tools": None} if name == "tools" else {})
        assert written(api, request) != written(api, request.model_copy(update=changes)), name


@every_api
@given(data=st.data())
def test_no_part_of_a_turn_is_dropped_in_silence(api, data):
    request = data.draw(st.one_of(*SAYABLE.values()))
    whole = written(api, request)
    if isinstance(whole, str):
        return
    for index, turn in enumerate(request.turns):
        for place in range(len(turn.parts)):
            fewer = turn.model_copy(update={"parts": turn.parts[:place] + turn.parts[place + 1 :]})
            turns = (*request.turns[:index], fewer, *request.turns[index + 1 :])
            assert whole != written(api, request.model_copy(update={"turns": turns}))


def written(api: Api, request: Request) -> object:
    try:
        return DIALECTS[api].write_request(request, "m")
    except Unmappable as error:
        return str(error)


@every_api
@given(data=st.data())
def test_whatever_was_read_can_be_read_again_after_writing(api, data):
    """Mapping to a format that loses something is stable: what is left goes there and back unchanged."""
    request = data.draw(st.one_of(*SAYABLE.values()))
    try:
        body, _ = DIALECTS[api].write_request(request, "m")
    except Unmappable:
        return
    once = DIALECTS[api].read_request(body)
    assert there_and_back(api, once) == once


replies = st.builds(
    Reply,
    text=st.text(min_size=1, max_size=30),
    tool_calls=st.lists(calls, max_size=2, unique_by=lambda call: call.id).map(tuple),
    finish=st.sampled_from([finish for finish in Finish if finish is not Finish.OTHER]),  # no format has a word for it
    usage=st.builds(
        Usage,
        input=st.integers(100, 900),
        output=st.integers(50, 100),
        cached=st.integers(0, 50),
        cache_written=st.integers(0, 50),
        reasoning=st.integers(0, 50),
    ),
    model=st.just("m"),
)


@every_api
@given(reply=replies)
def test_a_reply_comes_back_from_the_format_in_which_it_is_told(api, reply):
    if reply.tool_calls and reply.finish in {Finish.STOP, Finish.REFUSED}:
        reply = reply.model_copy(update={"finish": Finish.TOOL_CALLS})
    if not reply.tool_calls and reply.finish is Finish.TOOL_CALLS:
        reply = reply.model_copy(update={"finish": Finish.STOP})
    told = orjson.loads(orjson.dumps(DIALECTS[api].write_reply(reply, "1")))
    again = DIALECTS[api].read_reply(told)
    assert again.model_copy(update={"finish_word": None}) == reply  # the word is the format's
