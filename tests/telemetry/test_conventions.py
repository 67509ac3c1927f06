"""What spans are called: each provider by the conventions' name for it, each generation by its own attributes."""

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as official

from holdfast.model.reply import Usage
from holdfast.model.route import Api, Dialect
from holdfast.telemetry.conventions import (
    DIALECTS,
    FINISH_REASONS,
    INPUT_TOKENS,
    LATEST,
    MAX_TOKENS,
    OPERATION,
    OPERATIONS,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    TEMPERATURE,
    TOP_P,
    V1_36,
    provider_name,
)

KNOWN = {name.value for name in official.GenAiProviderNameValues}


@pytest.mark.parametrize("api", Api)
def test_every_api_is_of_a_provider_that_the_conventions_name(api):
    assert provider_name(api, Dialect.OPENAI, "mine") in KNOWN


def test_a_server_without_a_name_in_the_conventions_goes_by_its_own():
    assert provider_name(Api.OPENAI_CHAT, Dialect.VLLM, "mine") == "mine"
    assert provider_name(Api.OPENAI_CHAT, None, "mine") == "mine"
    assert set(DIALECTS.values()) <= KNOWN


def test_the_older_generation_has_other_names():
    older = {name.value for name in official.GenAiSystemValues}
    assert (LATEST.provider, V1_36.provider) == (official.GEN_AI_PROVIDER_NAME, official.GEN_AI_SYSTEM)
    assert set(V1_36.names.values()) <= older
    assert set(V1_36.names) <= KNOWN
    assert not V1_36.parts


def test_the_attributes_are_those_of_the_conventions():
    usage = Usage(input=9, output=8, cached=1, cache_written=2, reasoning=3)
    assert {name: count(usage) for name, count in LATEST.parts.items()} == {
        official.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 1,
        official.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: 2,
        official.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: 3,
    }
    names = {OPERATION, REQUEST_MODEL, RESPONSE_MODEL, FINISH_REASONS, INPUT_TOKENS, OUTPUT_TOKENS}
    assert names | {MAX_TOKENS, TEMPERATURE, TOP_P} <= {
        value for value in vars(official).values() if type(value) is str
    }
    assert set(OPERATIONS.values()) <= {name.value for name in official.GenAiOperationNameValues}
