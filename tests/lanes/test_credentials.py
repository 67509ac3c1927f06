"""What the gate knows of credentials."""

from attempts import called
from holdfast.lanes import Lanes
from holdfast.lanes.credentials import end_report, is_first_to_report, note_fault, probe_at_once
from holdfast.model.fault import Fault, FaultKind
from lanes_twin import LANE, fetch, offers, plan

NAME = "anthropic/main"


async def refuse(gate, times: int) -> None:
    await gate.offer(offers(times))
    fetched = await fetch(gate, LANE, times, "w", plan())
    await gate.finish([called(permit, Fault(FaultKind.AUTH)) for permit in fetched.permits])


async def test_a_refused_credential_is_parked_with_its_reason(connection, gates):
    gate = gates()
    await gate.begin(fresh=True)
    assert Lanes(connection).parked([NAME, "anthropic/other"]) == []
    await refuse(gate, 2)
    note_fault(connection, NAME, FaultKind.AUTH)
    (down,) = Lanes(connection).parked([NAME, "anthropic/other"])
    assert (down.name, down.why) == (NAME, "auth")
    assert 0 <= down.down_for < 30


async def test_a_new_key_is_tried_by_one_call_at_once(connection, gates):
    gate = gates()
    await gate.begin(fresh=True)
    await refuse(gate, 2)
    await gate.offer(offers(5))
    probe_at_once(connection, NAME)
    fetched = await fetch(gate, LANE, 5, "w", plan())
    assert [permit.probe for permit in fetched.permits] == [True]


async def test_ending_the_cool_off_of_a_sound_credential_changes_nothing(connection, gates):
    await gates().begin(fresh=True)
    probe_at_once(connection, NAME)
    assert Lanes(connection).parked([NAME]) == []


def test_the_fleet_says_a_thing_once_and_once_that_it_is_over(connection):
    assert is_first_to_report(connection, "parked:x")
    assert not is_first_to_report(connection, "parked:x")
    assert end_report(connection, "parked:x")
    assert not end_report(connection, "parked:x")
    assert is_first_to_report(connection, "parked:x")
