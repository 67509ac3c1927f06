"""Every row of the table of failures: bytes on the wire, the real adapter, and what is done about it, for each API."""

import socket

import pytest

from fault_table.rows import FATAL, GOOGLE, LINES, NOWHERE, ROWS, SUSPECT, WIRES, Row
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Evidence, Fault
from holdfast.model.job import Claimed, Need
from holdfast.model.reply import Reply
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Bury, Reroute, Retry, Step
from holdfast.policy.fault_rules import FAULT_RULES, Scope
from holdfast.policy.health import Health
from holdfast.policy.outcome_signals import pause, signals
from holdfast.policy.retry import next_step
from holdfast.policy.signals import ScopeKind
from holdfast.providers.connect import connect
from holdfast.wire.validate import check
from providers.loopback import Loopback, base_url

NOW = 1_000_000.0
ALL_WELL = Health()
CASES = [
    *(pytest.param(row, api, id=f"{row.line} {row.signal} {api.value}") for row in ROWS for api in WIRES),
    *(pytest.param(row, Api.OPENAI_CHAT, id=f"{row.line} {row.signal} google") for row in GOOGLE),
]


def routes(api: Api) -> tuple[Route, Route]:
    return Route("here", "m", api, "m", ("main",)), Route("there", "m", Api.OPENAI_CHAT, "m", ("main",))


def job(row: Row, attempts: int = 0) -> Claimed:
    counts, last = (attempts, 0, attempts), row.kind if attempts else None
    return Claimed("0" * 32, "m.batch", "m", 1, 1, 1, *counts, Need(1, 1), row.request, None, fault=last)


def decide(row: Row, api: Api, outcome: Reply | Fault, *, alone: bool = False, attempts: int = 0) -> Step:
    here, there = routes(api)
    plan = Plan("m", (here,) if alone else (here, there))
    return next_step(job(row, attempts), here, plan, outcome, ALL_WELL, NOW, lambda low, high: (low + high) / 2)


def closed_port() -> str:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{holder.getsockname()[1]}"


async def ask(row: Row, api: Api) -> Reply | Fault:
    """The outcome as a worker judges it: through the SDK, over a socket, held against the schema."""
    act = row.wire(api)
    if act == NOWHERE:
        return await outcome(row, api, closed_port())
    assert callable(act)
    async with Loopback(act) as server:
        return await outcome(row, api, server.url)


async def outcome(row: Row, api: Api, url: str) -> Reply | Fault:
    provider = connect(api, base_url(api, url), "k", concurrency=2)
    try:
        answer: CallResult = await provider.complete("m", row.request, deadline=0.4 if row.ambiguous else 5.0, tag="t")
    finally:
        await provider.close()
    found = answer.outcome
    return found if isinstance(found, Fault) else check(row.request, found) or found


@pytest.mark.parametrize(("row", "api"), CASES)
async def test_a_row_of_the_table(row: Row, api: Api) -> None:
    found = await ask(row, api)
    kind = found.kind if isinstance(found, Fault) else None
    assert kind is row.kind
    assert isinstance(found, Reply) or found.ambiguous is row.ambiguous

    with_another, alone = decide(row, api, found), decide(row, api, found, alone=True)
    assert (type(with_another), type(alone)) == row.steps
    if row.uses_attempt is not None and isinstance(with_another, Reroute | Retry):
        assert with_another.uses_attempt is row.uses_attempt
    if isinstance(with_another, Reroute):
        assert (with_another.avoid["here/m"] is None) is row.never_here
    after = [type(decide(row, api, found, attempts=n)) for n in range(1, len(row.then) + 1)]
    assert after == list(row.then)

    told = signals(found)
    coded = not isinstance(found, Fault) or found.evidence is Evidence.CODE
    heard = row.heard if coded else tuple(SUSPECT if signal is FATAL else signal for signal in row.heard)
    assert (told[ScopeKind.ROUTE], told[ScopeKind.CREDENTIAL], told[ScopeKind.ENDPOINT]) == heard
    paused = pause(found, lambda low, _: low) if isinstance(found, Fault) else None
    assert paused == row.pause


def test_every_line_of_the_table_has_its_rows():
    covered = {row.line for row in ROWS} | {LINES}
    assert covered == set(range(1, LINES + 1))


def test_no_route_s_fault_is_ever_buried_before_the_deadline():
    for row in ROWS:
        if row.kind is not None and Bury in row.steps + tuple(row.then):
            assert FAULT_RULES[row.kind].scope is Scope.JOB, row.signal
