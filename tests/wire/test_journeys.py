"""A conversation may be answered by one provider, then by another, and return: nothing gets lost without a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.request import Request, Role, Text, ToolResult, ToolUse, Turn
from holdfast.model.route import Api
from wire.carried import silent_losses
from wire.journeys import DIALECTS, carried, journeys

CONVERSATIONS = 400  # bench/roundtrips.py makes ten thousand


def test_nothing_is_lost_in_silence_on_the_way_to_another_provider_and_back():
    losses = [f"seed {seed}: {loss}" for seed, _, lost in journeys(0, CONVERSATIONS) for loss in lost]
    assert losses == []


def ask(*parts, **fields):
    return Request(turns=(Turn(role=Role.USER, parts=parts or (Text(text="x"),)),), **fields)


@pytest.mark.parametrize(
    ("request_", "again", "lost"),
    [
        (ask(user="u"), ask(), "user"),
        (ask(temperature=0.5), ask(), "temperature"),
        (ask(stop=("a",)), ask(), "stop"),
        (ask(native={"anthropic": {"speed": "fast"}}), ask(), "speed"),
        (ask(), ask(Text(text="y")), "conversation: ('user', 'x') became ('user', 'y')"),
        (ask(max_tokens=5), ask(max_tokens=6), "max_tokens"),
    ],
)
def test_the_comparison_sees_a_loss_unless_the_receipt_tells_it(request_, again, lost):
    told = MappingReport((MappingNote(lost, "dropped"),))
    found = silent_losses(request_, MappingReport(), again)
    assert [each.replace("<Role.USER: 'user'>", "'user'") for each in found] == [lost]
    if not lost.startswith("conversation"):
        assert silent_losses(request_, told, again) == []


ids = st.lists(st.text(st.characters(codec="utf-8"), max_size=150), min_size=1, max_size=4, unique=True)
ways = st.permutations(list(DIALECTS)).map(lambda apis: (*apis, apis[0]))


def conversation(given_ids):
    calls = tuple(ToolUse(id=id_, name="look", input={}) for id_ in given_ids)
    results = tuple(ToolResult(id=id_, parts=(Text(text=f"of {n}"),)) for n, id_ in enumerate(given_ids))
    turns = ((Role.USER, (Text(text="x"),)), (Role.ASSISTANT, calls), (Role.USER, results))
    return Request(turns=tuple(Turn(role=role, parts=parts) for role, parts in turns), max_tokens=9)


def pairs(request):
    """What each call's result says, by the id that both have."""
    parts = [part for turn in request.turns for part in turn.parts]
    results = {part.id: part.parts[0].text for part in parts if isinstance(part, ToolResult)}
    return [(part.id, results[part.id]) for part in parts if isinstance(part, ToolUse)]


@given(ids, ways)
def test_ids_of_tool_calls_stay_apart_and_with_their_results_through_every_provider_and_back_home(given_ids, way):
    request = conversation(given_ids)
    told = [text for _, text in pairs(request)]
    for api in way:
        request, _ = carried(api, request)
        assert [text for _, text in pairs(request)] == told
        assert len({id_ for id_, _ in pairs(request)}) == len(given_ids)


@given(st.lists(st.from_regex(r"(call|toolu)_[A-Za-z0-9]{4,30}", fullmatch=True), min_size=1, max_size=3, unique=True))
def test_an_id_that_every_provider_takes_is_never_changed(given_ids):
    for api in (*DIALECTS, Api.ANTHROPIC):
        there, _ = carried(api, conversation(given_ids))
        assert [id_ for id_, _ in pairs(there)] == given_ids


@given(ids)
def test_an_id_has_the_same_stand_in_each_time_so_that_a_longer_conversation_still_fits(given_ids):
    for api in DIALECTS:
        first, longer = conversation(given_ids), conversation([*given_ids, "call_more"])
        if "call_more" not in given_ids:
            assert pairs(carried(api, first)[0]) == pairs(carried(api, longer)[0])[:-1]
