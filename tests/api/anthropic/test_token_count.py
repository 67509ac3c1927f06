"""A provider counts the tokens where it can be asked at once; where not it is left alone, and we guess."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from api.keys import Clock
from holdfast.api.anthropic.token_count import COOL_OFF, COUNT, LARGEST, TokenCount, TokenCounter
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from providers.loopback import Loopback, answers

BODY = b'{"model": "smart", "messages": [{"role": "user", "content": "Hi there"}], "new": 1.50}'
ASKED = WrittenRequest(Api.ANTHROPIC, "/v1/messages", BODY, {"anthropic-beta": "one"})
GUESS = TokenCount(13, estimated=True)


class Counting:
    """A counter before one provider, with a clock that is cranked by hand."""

    def __init__(self, settings: Settings, provider: Loopback, clock: Clock) -> None:
        own = dataclasses.replace(settings.providers["anthropic"], base_url=provider.url)
        self.settings = dataclasses.replace(settings, providers={**settings.providers, "anthropic": own})
        self.provider, self.clock = provider, clock
        self.counter = TokenCounter(self.settings, clock)

    async def count(self, asked: WrittenRequest = ASKED, model: str = "smart") -> TokenCount:
        return await self.counter.count(asked, self.settings.plan(model))

    @property
    def asked(self) -> int:
        return len(self.provider.seen)


@asynccontextmanager
async def counting(settings: Settings, status: int, body: bytes) -> AsyncIterator[Counting]:
    async with Loopback(answers(status, body)) as provider:
        it = Counting(settings, provider, Clock())
        yield it
        await it.counter.close()


async def test_the_count_is_the_providers_of_the_request_as_it_was_written(settings) -> None:
    async with counting(settings, 200, b'{"input_tokens": 4711}') as it:
        assert await it.count() == TokenCount(4711, estimated=False)
        (seen,) = it.provider.seen
    assert (seen.path, seen.headers["anthropic-beta"]) == (COUNT, "one")
    assert seen.json == orjson.loads(BODY) | {"model": "claude-opus-4-8"}
    assert b'"new":1.50' in seen.body


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"{}"),
        (529, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"input_tokens": "x"}'),
        (200, b" " * LARGEST * 2),
    ],
)
async def test_a_provider_that_gives_no_count_is_left_alone_for_a_while(settings, status, body) -> None:
    async with counting(settings, status, body) as it:
        assert [await it.count(), await it.count()] == [GUESS, GUESS]
        assert it.asked == 1
        it.clock.now += COOL_OFF
        assert await it.count() == GUESS
        assert it.asked == 2


async def test_a_request_that_the_provider_refuses_says_nothing_against_the_provider(settings) -> None:
    async with counting(settings, 400, b"{}") as it:
        assert [await it.count(), await it.count()] == [GUESS, GUESS]
        assert it.asked == 2


async def test_a_plan_without_a_provider_of_the_format_is_guessed(settings) -> None:
    async with counting(settings, 200, b'{"input_tokens": 1}') as it:
        assert (await it.count(model="openai/gpt-5.4"), it.asked) == (GUESS, 0)


async def test_a_body_that_is_no_request_is_refused_before_anybody_is_asked(settings) -> None:
    async with counting(settings, 200, b'{"input_tokens": 1}') as it:
        with pytest.raises(InvalidRequest, match="messages"):
            await it.count(WrittenRequest(Api.ANTHROPIC, "/v1/messages", b'{"messages": []}'))
        assert it.asked == 0


async def test_a_provider_whose_key_is_not_here_is_guessed(settings) -> None:
    async with counting(settings, 200, b'{"input_tokens": 1}') as it:
        own = it.settings.providers["anthropic"]
        elsewhere = dataclasses.replace(own.credentials[0], secret="env:NOT_SET_HERE")
        it.counter._settings = dataclasses.replace(
            it.settings, providers={"anthropic": dataclasses.replace(own, credentials=(elsewhere,))}
        )
        assert (await it.count(), it.asked) == (GUESS, 0)
