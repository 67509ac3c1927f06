"""FaultSchedule on command: each mode fails in its own way, on the calls it is meant for."""

import asyncio
import contextlib

import aiohttp
import orjson
import pytest

from holdfast.lab.providers import InjectedFault
from holdfast.lab.providers.faults import FaultSchedule
from holdfast.lab.providers.settings import REFUSING, SPOILING
from lab.providers.asking import KEY, PATIENT, asking, chat, messages, responses


async def test_every_mode_has_an_ending_that_the_log_names_and_none_of_the_refusing_ones_runs_the_model() -> None:
    endless = {"hang", "headers", "trickle", "huge", "gzip-bomb", "slow"}
    for mode in [*REFUSING, *SPOILING]:
        if mode in endless:
            continue
        async with asking() as sim:
            sim.sim.break_(InjectedFault(mode=mode))
            with contextlib.suppress(aiohttp.ClientError, ValueError):
                await sim.ask(*chat())
            call = sim.sim.calls[0]
            assert call.status, mode
            assert call.executed == (mode in SPOILING), mode


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])
async def test_a_status_comes_in_each_providers_own_shape(status: int) -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode=f"e{status}"))
        got, _, body = await sim.ask(*messages())
        assert (got, body["type"], body["request_id"]) == (status, "error", "req_sim00000001")
        got, _, body = await sim.ask(*responses())
        assert got == status
        assert set(body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("mode", "theirs", "others"),
    [
        ("spend", "enforced_spend_limit_reached", "credit_balance_exhausted"),
        ("ramp", "ramp_limit_exceeded", "slow_down"),
        ("e529", None, None),
        ("e503", None, "server_is_overloaded"),
        ("too-long", None, "context_length_exceeded"),
    ],
)
async def test_the_machine_readable_reason_is_the_providers_own(mode, theirs, others) -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode=mode))
        _, _, body = await sim.ask(*messages())
        assert body["error"].get("details", {}).get("error_code") == theirs
        _, _, body = await sim.ask(*chat())
        assert body["error"]["code"] == others


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (InjectedFault(mode="e429"), "1"),
        (InjectedFault(mode="e429", retry_after=20), "20"),
        (InjectedFault(mode="e429-silent"), None),
        (InjectedFault(mode="spend"), None),
        (InjectedFault(mode="ramp"), "1"),
        (InjectedFault(mode="e503"), None),
        (InjectedFault(mode="e503", retry_after=3), "3"),
    ],
)
async def test_retry_after_is_said_where_the_provider_would(fault, said) -> None:
    async with asking() as sim:
        sim.sim.break_(fault)
        _, headers, _ = await sim.ask(*messages())
        assert headers.get("retry-after") == said


async def test_gemini_names_a_bad_key_and_a_wait_inside_an_array() -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode="key-invalid"))
        status, _, body = await sim.ask(*chat())
        assert (status, body[0]["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
        sim.sim.heal()
        sim.sim.break_(InjectedFault(mode="exhausted", retry_after=45.5))
        status, _, body = await sim.ask(*chat())
        assert (status, body[0]["error"]["details"][1]["retryDelay"]) == (429, "45.500000000s")


@pytest.mark.parametrize("mode", ["reset", "reset-after", "close", "truncated"])
async def test_a_connection_that_is_cut_raises_at_the_caller(mode) -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode=mode))
        with pytest.raises(aiohttp.ClientError):
            await sim.ask(*messages())


@pytest.mark.parametrize("mode", ["hang", "headers", "trickle", "slow"])
async def test_silence_outlasts_the_callers_patience(mode) -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode=mode))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await sim.ask(*messages())


async def test_a_gzip_bomb_is_small_on_the_wire_and_large_when_opened() -> None:
    async with asking() as sim, aiohttp.ClientSession(auto_decompress=False, timeout=PATIENT) as raw:
        sim.sim.break_(InjectedFault(mode="gzip-bomb"))
        path, body = messages()
        async with raw.post(sim.sim.url + path, json=body, headers=KEY) as response:
            assert response.headers["content-encoding"] == "gzip"
            assert len(await response.read()) < 2_000_000


@pytest.mark.parametrize("mode", ["bad-json", "empty", "html"])
async def test_some_200s_do_not_parse(mode) -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode=mode))
        path, body = messages()
        async with sim.http.post(sim.sim.url + path, json=body, headers=KEY) as response:
            said = await response.read()
        assert response.status == 200
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(said)


async def test_some_200s_parse_and_mean_something_else() -> None:
    async with asking() as sim:
        bodies = {}
        for mode in ("wrong-json", "no-content", "no-usage", "error-in-200", "refusal", "bad-output"):
            sim.sim.heal()
            sim.sim.break_(InjectedFault(mode=mode))
            status, _, bodies[mode] = await sim.ask(*responses())
            assert status == 200
    assert "output" not in bodies["wrong-json"]
    assert bodies["no-content"]["output"] == []
    assert "usage" not in bodies["no-usage"]
    assert (bodies["error-in-200"]["status"], bodies["error-in-200"]["error"]["code"]) == ("failed", "server_error")
    assert bodies["refusal"]["output"][0]["content"][0]["type"] == "refusal"
    assert bodies["bad-output"]["output"][0]["content"][0]["text"] == "this is not what you asked for"


async def test_a_fault_can_be_narrowed_to_a_path_or_a_model() -> None:
    async with asking() as sim:
        sim.sim.break_(InjectedFault(mode="e503", path="/v1/messages"))
        sim.sim.break_(InjectedFault(mode="e500", model="gpt-old"))
        assert await sim.status(*messages()) == 503
        assert await sim.status(*chat()) == 200
        assert await sim.status(*chat(model="gpt-old")) == 500


async def test_an_outage_uses_up_no_rate_limit() -> None:
    async with asking(rate=0.001, burst=1) as sim:
        sim.sim.break_(InjectedFault(mode="e503"))
        for _ in range(5):
            await sim.ask(*messages())
        sim.sim.heal()
        assert await sim.status(*messages()) == 200


def test_a_fault_holds_for_its_seconds_and_no_longer() -> None:
    faults = FaultSchedule(seed=1)
    faults.add(InjectedFault(mode="e503", after=5, seconds=10), now=100)
    assert [faults.decide("/v1/messages", "m", now).fault is not None for now in (104.9, 105, 114.9, 115, 116)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_quarter_of_the_calls_fail_when_told_so_and_the_same_ones_each_time() -> None:
    def draws() -> list[bool]:
        faults = FaultSchedule(seed=7)
        faults.add(InjectedFault(mode="e503", fraction=0.25), now=0)
        return [faults.decide("/v1/messages", "m", 1).fault is not None for _ in range(2000)]

    assert draws() == draws()
    assert 400 < sum(draws()) < 600
