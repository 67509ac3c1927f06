"""Tokens are estimated before anybody counted them: near, and rather above than below."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.request import Image, Output, Request, Role, Text, Tool, ToolResult, ToolUse, Turn
from holdfast.policy.token_estimate import DEFAULT_OUTPUT, IMAGE, estimate, text_tokens


def prompt(*parts, **more) -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=parts),), **more)


@given(st.text(max_size=2_000))
def test_every_text_costs_between_a_quarter_and_one_token_a_character(text: str) -> None:
    assert len(text) / 4 <= text_tokens(text) <= len(text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_prompt_never_costs_less(text: str, more: str) -> None:
    assert estimate(prompt(Text(text=text))).input_tokens <= estimate(prompt(Text(text=text + more))).input_tokens


def test_an_empty_prompt_still_costs_something() -> None:
    assert estimate(Request(turns=())).input_tokens == 1


def test_the_output_is_what_the_request_allows_at_most() -> None:
    assert estimate(prompt(Text(text="x"), max_tokens=77)).output_tokens == 77
    assert estimate(prompt(Text(text="x"))).output_tokens == DEFAULT_OUTPUT


def test_everything_that_is_sent_is_counted() -> None:
    bare = estimate(prompt(Text(text="x"))).input_tokens
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    for more in (
        prompt(Text(text="x"), system="be brief and kind"),
        prompt(Text(text="x"), tools=(Tool(name="weather", parameters=schema),)),
        prompt(Text(text="x"), output=Output(json_schema=schema)),
        prompt(Text(text="x"), native={"anthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}),
        prompt(Text(text="x"), ToolUse(id="1", name="weather", input={"city": "Paris"})),
        prompt(Text(text="x"), ToolResult(id="1", parts=(Text(text="sunny, 21 degrees"),))),
    ):
        assert estimate(more).input_tokens > bare
    assert estimate(prompt(Image(url="https://example.org/a.png"))).input_tokens >= IMAGE
