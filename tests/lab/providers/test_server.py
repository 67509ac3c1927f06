"""A simulated provider enforces its limits, keeps a log, and is steered over HTTP."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from lab.providers.asking import KEY, asking, chat, messages, responses


async def until(true: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so; the test's own time limit is the net."""
    while not true():  # noqa: ASYNC110  the provider under test has no event to wait for
        await asyncio.sleep(0)


SLOW_REFILL = 0.001  # requests a second: no unit flows in during a test


async def test_calls_beyond_the_burst_get_429_with_retry_after_in_each_providers_shape() -> None:
    async with asking(rate=SLOW_REFILL, burst=2, retry_after=1) as sim:
        assert [await sim.status(*messages()) for _ in range(3)] == [200, 200, 429]
        _, headers, body = await sim.ask(*messages())
        assert (headers["retry-after"], body["error"]["type"]) == ("1", "rate_limit_error")
        _, headers, body = await sim.ask(*chat())
        assert (headers["retry-after"], body["error"]["code"]) == ("1", "rate_limit_exceeded")


async def test_retry_after_can_be_left_unsaid() -> None:
    async with asking(rate=SLOW_REFILL, burst=1, retry_after=None) as sim:
        await sim.ask(*messages())
        status, headers, _ = await sim.ask(*messages())
        assert status == 429
        assert "retry-after" not in headers


async def test_answers_tell_the_limits_in_each_providers_headers() -> None:
    async with asking(rate=50, burst=50, input_tokens_per_minute=60_000, output_tokens_per_minute=6_000) as sim:
        _, theirs, _ = await sim.ask(*messages())
        _, others, _ = await sim.ask(*responses())
    assert theirs["anthropic-ratelimit-requests-limit"] == "3000"
    assert int(theirs["anthropic-ratelimit-requests-remaining"]) <= 49
    assert theirs["anthropic-ratelimit-input-tokens-limit"] == "60000"
    assert theirs["anthropic-ratelimit-output-tokens-reset"].endswith("Z")
    assert (others["x-ratelimit-limit-requests"], others["x-ratelimit-limit-tokens"]) == ("3000", "60000")
    assert others["x-ratelimit-reset-requests"].endswith("ms")


async def test_the_headers_can_be_switched_off() -> None:
    async with asking(rate=50, headers=False) as sim:
        _, headers, _ = await sim.ask(*messages())
    assert not [name for name in headers if "ratelimit" in name.lower()]


async def test_openai_reserves_max_tokens_up_front() -> None:
    async with asking(input_tokens_per_minute=60_000) as sim:
        assert await sim.status(*chat(max_completion_tokens=50_000)) == 200
        assert await sim.status(*chat()) == 429


async def test_counts_are_kept_by_the_callers_own_tags() -> None:
    async with asking() as sim:
        for tag in ("job_a/1/1", "job_b/1/1", "job_a/1/2"):
            await sim.ask(*messages(), x_holdfast_attempt=tag)
        counts = sim.sim.counts()
    assert (counts["tags"], counts["jobs"], counts["jobs_called_again"]) == (3, 2, 1)
    assert counts["calls_after_completed"] == 1


async def test_a_caller_that_goes_away_leaves_an_abandoned_call() -> None:
    async with asking(latency=(30, 30)) as sim:
        path, body = messages()
        waiting = asyncio.create_task(sim.ask(path, body))
        await until(lambda: bool(sim.sim.calls))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: sim.sim.calls[0].status is not None)
        assert sim.sim.counts()["by_status"] == {"abandoned": 1}


async def test_it_is_broken_and_healed_over_http() -> None:
    async with asking() as sim:
        assert await sim.control("POST", "/sim/break", {"mode": "e503"}) == (200, {"ok": True})
        assert await sim.status(*messages()) == 503
        await sim.control("POST", "/sim/heal")
        assert await sim.status(*messages()) == 200
        _, counts = await sim.control("GET", "/sim/counts")
        assert counts["by_status"] == {"503": 1, "200": 1}
        _, log = await sim.control("GET", "/sim/calls")
        assert [call["status"] for call in log] == ["503", "200"]
        _, timeline = await sim.control("GET", "/sim/timeline")
        assert sum(sum(by_status.values()) for _, by_status in timeline["points"]) == 2


@pytest.mark.parametrize("body", [{"mode": "e999"}, {"mode": "nap"}, {"fraction": 1}, {"mode": "e503", "fraction": 2}])
async def test_a_fault_that_does_not_exist_is_refused_with_the_reason(body) -> None:
    async with asking() as sim:
        status, said = await sim.control("POST", "/sim/break", body)
        assert status == 422
        assert "InjectedFault" in said["error"]


async def test_reset_forgets_calls_and_faults_and_refills_the_buckets() -> None:
    async with asking(rate=SLOW_REFILL, burst=1) as sim:
        await sim.ask(*messages())
        await sim.control("POST", "/sim/break", {"mode": "e503"})
        await sim.control("POST", "/sim/reset")
        assert await sim.status(*messages()) == 200
        assert sim.sim.counts()["calls"] == 1


async def test_settings_change_while_it_runs() -> None:
    async with asking(keys=("old",)) as sim:
        await sim.control("POST", "/sim/settings", {"keys": ["new"]})
        assert await sim.status(*messages(), authorization="Bearer old") == 401
        assert await sim.status(*messages(), authorization="Bearer new") == 200
        status, _ = await sim.control("POST", "/sim/settings", {"rate": -1})
        assert status == 422


async def test_a_new_rate_is_enforced_at_once() -> None:
    async with asking() as sim:
        await sim.control("POST", "/sim/settings", {"rate": SLOW_REFILL, "burst": 1})
        assert [await sim.status(*messages()) for _ in range(2)] == [200, 429]


async def test_an_unknown_path_says_so() -> None:
    async with asking() as sim:
        assert (await sim.control("GET", "/v2/messages"))[0] == 404


async def test_a_body_that_is_not_json_gets_400() -> None:
    async with asking() as sim:
        url = sim.sim.url + "/v1/messages"
        for body in (b"{", b"[]"):
            async with sim.http.post(url, data=body, headers=KEY) as response:
                assert response.status == 400


async def test_a_thousand_callers_at_once_are_all_answered() -> None:
    async with asking() as sim, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=KEY) as http:
        sim.http = http
        statuses = await asyncio.gather(*(sim.status(*messages(str(n))) for n in range(1000)))
    assert set(statuses) == {200}
