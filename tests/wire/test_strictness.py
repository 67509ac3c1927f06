"""How strict a mapping must be: a job says it, and a route that cannot obey is refused."""

import pytest

from holdfast.model.errors import InvalidRequest, Unmappable
from holdfast.model.job import MappingReport
from holdfast.model.request import OnRefusal, Strictness
from holdfast.model.route import Api, Plan, Route
from holdfast.wire import anthropic
from holdfast.wire.batch_line import read_job
from holdfast.wire.strictness import allowed, demand_allowed, demand_exact

CLAUDE = Route("a", "claude", Api.ANTHROPIC, "claude", ("main",))
GPT = Route("o", "gpt", Api.OPENAI_CHAT, "gpt", ("main",))
PLAN = Plan("smart", (CLAUDE, GPT))
LINES = {
    "plain": {"prompt": "x", "model": "smart"},
    "openai": {"body": {"model": "smart", "messages": [{"role": "user", "content": "x"}]}},
    "anthropic": {"params": {"model": "smart", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}},
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_kind_of_line_says_how_strict_and_what_a_refusal_means(line):
    request = read_job({**line, "mapping": "exact", "on_refusal": "reroute"}).request
    assert (request.strictness, request.on_refusal) == (Strictness.EXACT, OnRefusal.REROUTE)
    silent = read_job(line).request
    assert (silent.strictness, silent.on_refusal, silent.written_in) == (None, None, None)


@pytest.mark.parametrize("key", ["mapping", "on_refusal"])
def test_a_word_that_is_none_of_them_is_refused_with_those_that_are(key):
    with pytest.raises(InvalidRequest, match=f"{key}: expected .* or .*, got 'strict'"):
        read_job({"prompt": "x", "model": "m", key: "strict"})


def test_exact_refuses_a_mapping_that_loses_something_and_says_what():
    request = read_job({"prompt": "x", "model": "m", "temperature": 0.5, "mapping": "exact"}).request
    _, report = anthropic.write_request(request, "m")
    with pytest.raises(Unmappable, match="temperature"):
        demand_exact(request, Api.ANTHROPIC, report)
    demand_exact(request, Api.OPENAI_CHAT, MappingReport())


def test_the_default_tolerates_what_is_told():
    request = read_job({"prompt": "x", "model": "m", "temperature": 0.5}).request
    demand_exact(request, Api.ANTHROPIC, anthropic.write_request(request, "m")[1])


@pytest.mark.parametrize(("kind", "own"), [("plain", CLAUDE), ("anthropic", CLAUDE), ("openai", GPT)])
def test_never_keeps_a_job_to_the_routes_of_its_own_format_or_to_the_first(kind, own):
    request = read_job({**LINES[kind], "mapping": "never"}).request
    assert allowed(request, PLAN) == (own,)
    demand_allowed(request, PLAN, own)
    with pytest.raises(Unmappable, match="never"):
        demand_allowed(request, PLAN, GPT if own is CLAUDE else CLAUDE)


def test_never_takes_the_first_route_where_none_has_its_format():
    request = read_job({**LINES["openai"], "mapping": "never"}).request
    assert allowed(request, Plan("smart", (CLAUDE,))) == (CLAUDE,)


def test_never_allows_the_same_model_in_another_cloud_for_nothing_is_mapped_there():
    bedrock = Route("b", "claude", Api.ANTHROPIC_BEDROCK, "claude", ("main",))
    request = read_job({**LINES["anthropic"], "mapping": "never"}).request
    assert allowed(request, Plan("smart", (CLAUDE, GPT, bedrock))) == (CLAUDE, bedrock)
