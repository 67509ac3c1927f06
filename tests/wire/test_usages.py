"""Token figures are a provider's word: taken where they can be true, else estimated, and never able to harm."""

import pytest

from holdfast.model.bounds import MOST_TOKENS
from holdfast.model.reply import Usage
from holdfast.wire.anthropic.reply import read_usage as of_anthropic
from holdfast.wire.usages import read_usage

FIGURES = ("prompt_tokens", "completion_tokens")
ODD = (2**64, 2**70, -1, 5.5, "many", "9" * 40, True, [], {}, float("nan"), float("inf"), MOST_TOKENS + 1)


def of_chat(**usage):
    return read_usage(usage, *FIGURES)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("place", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_a_figure_that_cannot_be_true_counts_as_missing(place, odd):
    usage = of_chat(**{"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": None, place: odd})
    assert usage.estimated is (place != "total_tokens")
    assert (usage.input, usage.output) == (7 * (place != "prompt_tokens"), 3 * (place != "completion_tokens"))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_details_that_cannot_be_true_are_left_out(odd):
    details = {"prompt_tokens_details": {"cached_tokens": odd}, "completion_tokens_details": {"reasoning_tokens": odd}}
    assert of_chat(prompt_tokens=7, completion_tokens=3, **details) == Usage(input=7, output=3)
    assert of_chat(prompt_tokens=7, completion_tokens=3, prompt_tokens_details=odd) == Usage(input=7, output=3)


@pytest.mark.parametrize("usage", [None, [], "x", {}, {"prompt_tokens": 0, "completion_tokens": 0}])
def test_without_figures_the_usage_is_an_estimate(usage):
    assert read_usage(usage, *FIGURES).estimated


def test_a_figure_that_is_missing_follows_from_the_total():
    assert of_chat(prompt_tokens=7, total_tokens=10) == Usage(input=7, output=3)
    assert of_chat(completion_tokens=3, total_tokens=10) == Usage(input=7, output=3)


def test_what_a_total_holds_beyond_the_sum_is_hidden_reasoning():
    gemini = of_chat(prompt_tokens=7, completion_tokens=3, total_tokens=110)
    assert gemini == Usage(input=7, output=103, reasoning=100)
    told = {"completion_tokens_details": {"reasoning_tokens": 100}}
    assert of_chat(prompt_tokens=7, completion_tokens=3, total_tokens=110, **told) == gemini  # xAI
    assert of_chat(prompt_tokens=7, completion_tokens=103, total_tokens=110, **told) == gemini  # OpenAI
    assert of_chat(prompt_tokens=7, completion_tokens=3, total_tokens=5) == Usage(input=7, output=3)


def test_details_never_exceed_what_they_are_part_of():
    details = {"prompt_tokens_details": {"cached_tokens": 9, "cache_write_tokens": 9}}
    usage = of_chat(prompt_tokens=7, completion_tokens=3, completion_tokens_details={"reasoning_tokens": 9}, **details)
    assert usage == Usage(input=7, output=3, cached=7, reasoning=3)


def test_the_cache_is_read_where_compatible_servers_tell_it():
    assert of_chat(prompt_tokens=7, completion_tokens=3, prompt_cache_hit_tokens=5).cached == 5  # DeepSeek
    assert of_chat(prompt_tokens=7, completion_tokens=3, cached_tokens=5).cached == 5  # Moonshot


def test_anthropic_s_input_is_the_sum_of_what_was_read_written_and_new():
    usage = of_anthropic(
        {
            "input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4}, "server_tool_use": {"web_search_requests": 2},
        }
    )  # fmt: skip
    assert usage == Usage(input=55, output=9, cached=20, cache_written=30, reasoning=4)


def test_a_breakdown_stands_in_for_a_sum_that_is_missing():
    by_age = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
    usage = of_anthropic({"input_tokens": 5, "output_tokens": 9, "cache_creation": by_age})
    assert usage == Usage(input=35, output=9, cache_written=30)


def test_tokens_of_a_compaction_are_added_and_those_of_the_turns_are_not():
    turns = [{"type": "compaction", "input_tokens": 100, "output_tokens": 10}, {"type": "message", "input_tokens": 5}]
    assert of_anthropic({"input_tokens": 5, "output_tokens": 9, "iterations": turns}) == Usage(input=105, output=19)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_cache_figure_that_cannot_be_true_makes_the_input_an_estimate(odd):
    usage = of_anthropic({"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": odd})
    assert (usage.input, usage.output, usage.estimated) == (0, 9, True)
