"""Every field and arm of the SDKs' request types, and a key in every object that nobody has heard of: never lost.

To its own format a body goes as it was written; to each other one every leaf of it is carried, told or refused. The
walk reads the body itself, not what our readers made of it.
"""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model import exact_json
from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire.mapping_report import QUEUED
from passing import pass_through
from wire.journeys import DIALECTS
from wire.key_walk import objects, silent, with_key
from wire.typed_bodies import bodies, body_with, examples, fields_of, with_own_values

PATHS = {Api.ANTHROPIC: "/v1/messages", Api.OPENAI_CHAT: "/chat/completions", Api.OPENAI_RESPONSES: "/responses"}
every_format = pytest.mark.parametrize("api", list(DIALECTS), ids=lambda api: api.value)
EVERY_TENTH = 10  # in a test run; bench/every_field.py walks them all


def invented(body):
    """The body with a key in every object that no SDK knows."""
    for number, path in enumerate(list(objects(body))):
        body = with_key(body, path, f"launched_{number}", {"description": f"tok{90_000 + number}en"})
    return body


def losses(api, body):
    """What of a body is lost in silence on the way to each other format."""
    request = DIALECTS[api].read_request(body)
    for to, wire in DIALECTS.items():
        if to is not api:
            try:
                sent, report = wire.write_request(request, "m")
            except Unmappable:
                continue
            yield from (f"{api} -> {to}: {loss}" for loss in silent(body, sent, report))


def passed(api, body):
    """What a route of the body's own format is sent."""
    written = WrittenRequest(api, PATHS[api], exact_json.dumps(body))
    return pass_through(written, "route-model")


def own_losses(api, body):
    """What is changed without a word of a body that has a key in every object, on the way to its own format."""
    whole = invented(body)
    sent, report = passed(api, whole)
    kept = {key: value for key, value in whole.items() if key not in QUEUED or value is False}
    if json.dumps(exact_json.loads(sent)) != json.dumps({**kept, "model": "route-model"}):
        yield f"{api} as it was written: {json.dumps(whole)[:200]}"
    told = {note.field for note in report.notes}
    yield from (f"{api} as it was written: {key}" for key in told ^ (whole.keys() - kept.keys()))


@every_format
def test_every_field_and_arm_is_sent_to_its_own_format_as_it_was_written(api):
    walked = itertools.islice(bodies(api), 0, None, 2)
    assert [loss for body in walked for loss in own_losses(api, body)] == []


@every_format
def test_every_field_and_arm_is_carried_told_or_refused_on_the_way_to_another_format(api):
    walked = itertools.islice(bodies(api), 0, None, EVERY_TENTH)
    assert [loss for body in walked for loss in losses(api, body)] == []


@every_format
def test_a_key_in_every_object_that_nobody_has_heard_of_is_carried_told_or_refused(api):
    walked = itertools.islice(bodies(api), 3, None, EVERY_TENTH)
    assert [loss for body in walked for loss in losses(api, invented(body))] == []


@every_format
@settings(max_examples=30)
@given(data=st.data())
def test_fields_and_arms_together_are_carried_told_or_refused(api, data):
    body = {}
    for key, kind in data.draw(st.lists(st.sampled_from(fields_of(api)), min_size=2, max_size=6)):
        body |= body_with(api, key, data.draw(st.sampled_from(examples(kind, key) or ("x",))))
    assert list(losses(api, with_own_values(body))) == []


ASKED = {"messages": [{"role": "user", "content": "tok1en", "name": "tok2en"}], "service_tier": "auto", "n": 7_000_001}


@pytest.mark.parametrize(
    ("sent", "told", "lost"),
    [
        (ASKED, "", []),
        ({**ASKED, "n": 1}, "", ["n = 7000001"]),
        ({**ASKED, "n": 1}, "n", []),
        ({**ASKED, "service_tier": "flex"}, "", ["service_tier = 'auto'"]),
        ({**ASKED, "messages": "tok1en"}, "", ["messages[0].name = 'tok2en'"]),
        ({**ASKED, "messages": "tok1en"}, "turns[0].name", []),
        ({**ASKED, "messages": "tok2en"}, "messages[0].content", []),
        ({**ASKED, "messages": []}, "messages[0] (type user)", []),
        ({**ASKED, "messages": "tok2en"}, "turns", ["messages[0].content = 'tok1en'"]),
    ],
)
def test_the_walk_sees_what_is_lost_and_hears_what_is_told(sent, told, lost):
    assert silent(ASKED, sent, MappingReport((MappingNote(told, "dropped"),) if told else ())) == lost
