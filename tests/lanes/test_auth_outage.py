"""On a real server: a provider whose logins are out is shut as a whole, by the fleet, and probed by one call."""

from attempts import called
from holdfast.lanes.credentials import probe_at_once
from holdfast.model.fault import Fault, FaultKind
from lanes_twin import House, jobs, plan, reply, route

REFUSED = Fault(FaultKind.AUTH, status=401)
KEYS = ("a", "b")


async def refuse(house: House, gate=None, n: int = 1) -> list[str]:
    """Let ``n`` calls be refused one after the other; with which keys they were made."""
    made = []
    for _ in range(n):
        house.offer(1)
        (permit,) = (await house.fetch(1)).permits
        made.append(permit.credential)
        await (gate or house.gate).finish([called(permit, REFUSED)])
    return made


async def out(house: House, *, second: bool = False) -> None:
    house.plan = plan(route(credentials=KEYS), *([route("openai", "gpt")] if second else []))
    assert await refuse(house, n=4) == ["a", "a", "b", "b"]


def state(house: House, scope: str) -> str | None:
    return house.breaker(scope).get("state")


async def test_two_keys_refused_together_shut_the_provider_and_its_jobs_reroute_at_once(house: House) -> None:
    await out(house, second=True)
    assert state(house, "endpoint:anthropic") == "open"
    house.offer(3)
    assert {permit.route for permit in (await house.fetch(3)).permits} == {"openai/gpt"}
    assert (await house.gate.health(house.plan)).open_routes == {"anthropic/opus"}
    assert state(house, "endpoint:openai") is None
    assert state(house, "credential:openai/main") is None


async def test_two_processes_that_each_see_one_key_refused_shut_the_provider_together(house: House) -> None:
    house.plan = plan(route(credentials=KEYS))
    await refuse(house, n=2)
    assert state(house, "endpoint:anthropic") == "closed"
    await refuse(house, house.another_gate(), n=2)
    assert state(house, "endpoint:anthropic") == "open"


async def test_one_call_probes_for_the_whole_provider_and_the_keys_take_turns(house: House) -> None:
    await out(house)
    probed = []
    for _ in range(4):
        house.wait(60.0)
        house.offer(5)
        permits = (await house.fetch(5)).permits
        assert [permit.probe for permit in permits] == [True]
        probed += [permit.credential for permit in permits]
        await house.finish(permits, REFUSED)
    assert probed == ["a", "b", "a", "b"]


async def test_the_first_login_that_works_opens_the_provider_and_the_other_key_is_tried_next(house: House) -> None:
    await out(house)
    house.wait(60.0)
    house.offer(6)
    (probe,) = (await house.fetch(6)).permits
    await house.finish([probe], reply())
    assert state(house, "endpoint:anthropic") == "closed"
    fetched = (await house.fetch(2)).permits
    assert [(permit.credential, permit.probe) for permit in fetched] == [("b", True), ("a", False)]
    await house.finish(fetched, reply())
    assert state(house, "credential:anthropic/b") == "closed"


async def test_one_bad_key_among_good_ones_leaves_the_provider_open(house: House) -> None:
    house.plan = plan(route(credentials=KEYS))
    for _ in range(30):
        house.offer(2)
        for permit in (await house.fetch(2)).permits:
            await house.finish([permit], REFUSED if permit.credential == "a" else reply())
        house.wait(1.0)
    assert state(house, "endpoint:anthropic") in {None, "closed"}
    assert state(house, "credential:anthropic/a") == "open"
    assert state(house, "credential:anthropic/b") in {None, "closed"}


async def test_a_new_key_is_the_next_probe_of_a_provider_whose_keys_were_all_refused(house: House) -> None:
    await out(house)
    house.wait(60.0)
    await refuse(house)
    probe_at_once(house.connection, "anthropic/a")
    house.offer(1)
    (permit,) = (await house.fetch(1)).permits
    assert (permit.credential, permit.probe) == ("a", True)


async def test_a_new_key_does_not_hasten_a_provider_that_cannot_be_reached(house: House) -> None:
    for _ in range(3):
        house.offer(2)
        await house.finish((await house.fetch(2)).permits, Fault(FaultKind.UNREACHABLE))
    assert state(house, "endpoint:anthropic") == "open"
    probe_at_once(house.connection, "anthropic/main")
    house.offer(1)
    assert jobs((await house.fetch(1)).permits) == []
