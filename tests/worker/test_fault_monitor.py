"""What a process notices besides single calls."""

from dataclasses import replace

from structlog.testing import capture_logs

from attempts import a_claim, ended
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Permit
from holdfast.policy.health import Health
from holdfast.worker.fault_monitor import FaultMonitor

STRANGE = Fault(FaultKind.INVALID_REQUEST, "400", 400, "of_another_year", unfamiliar=True)
WRONG = Fault(FaultKind.INVALID_REQUEST, "400", 400)


def attempt(job: int, fault: Fault) -> Attempt:
    permit = Permit("w/1:1", str(job), "smart.batch", "a/m", "main", {})
    return ended(a_claim(permit), permit, fault)


def test_codes_that_nobody_knows_are_counted_and_told_the_first_and_the_tenth_time():
    fault_monitor = FaultMonitor()
    with capture_logs() as logs:
        for n in range(12):
            fault_monitor.record(attempt(n, STRANGE))
    assert fault_monitor.codes == {("a/m", 400, "of_another_year"): 12}
    assert [(each["event"], each["code"], each["seen"]) for each in logs] == [
        ("unfamiliar_code", "of_another_year", 1),
        ("unfamiliar_code", "of_another_year", 10),
    ]


def test_a_storm_is_of_one_route():
    fault_monitor = FaultMonitor()
    for n in range(10):
        fault_monitor.record(attempt(n, WRONG))
    assert fault_monitor.health(Health()).open_routes == {"a/m"}


def test_a_route_that_cuts_many_jobs_wears_them_out():
    fault_monitor, cut = FaultMonitor(), Fault(FaultKind.CONNECTION_LOST, ambiguous=True)
    known = Health(frozenset({"b/m"}), degraded=frozenset({"c/m"}))
    assert fault_monitor.health(known) is known
    for n in range(5):
        fault_monitor.record(attempt(n, cut))
    assert fault_monitor.health(known) == replace(known, degraded=frozenset({"a/m", "c/m"}))
