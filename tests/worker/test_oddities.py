"""What a process notices besides single calls."""

from dataclasses import replace

from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.step import Health
from holdfast.worker.oddities import Oddities

STRANGE = Fault(FaultKind.INVALID_REQUEST, "400", 400, "of_another_year", unfamiliar=True)
WRONG = Fault(FaultKind.INVALID_REQUEST, "400", 400)


def test_codes_that_nobody_knows_are_counted_and_told_once(capsys):
    oddities = Oddities()
    for n in range(12):
        oddities.heard("a/m", str(n), STRANGE)
    assert oddities.codes == {("a/m", 400, "of_another_year"): 12}
    assert capsys.readouterr().out.count("unfamiliar_code") in {0, 2}  # the first and the tenth, where logs go there


def test_a_storm_is_of_one_route():
    oddities = Oddities()
    for n in range(10):
        oddities.heard("a/m", str(n), WRONG)
    assert oddities.storms() == {"a/m"}


def test_a_route_that_cuts_many_jobs_wears_them_out():
    oddities, cut = Oddities(), Fault(FaultKind.CUT, ambiguous=True)
    known = Health(frozenset({"b/m"}), wearing=frozenset({"c/m"}))
    assert oddities.health(known) is known
    for n in range(5):
        oddities.heard("a/m", str(n), cut)
    assert oddities.health(known) == replace(known, wearing=frozenset({"a/m", "c/m"}))


def test_a_storm_shuts_its_route():
    oddities = Oddities()
    for n in range(10):
        oddities.heard("a/m", str(n), WRONG)
    assert oddities.health(Health()).open_routes == {"a/m"}
