"""What a process notices besides single calls."""

from holdfast.model.fault import Fault, FaultKind
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
