"""The simulator sees: each of fourteen planted bugs is told by the promise that it breaks, and nothing else is."""

import pytest

from lab.simulation.planted import BUGS, Bug

pytestmark = pytest.mark.system

EACH = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


@EACH
def test_a_planted_bug_is_seen(bug: Bug):
    report = bug.run()
    assert not report.holds
    assert any(bug.sees in sentence for sentence in report.violations), dict(report.violations)


@EACH
def test_the_same_outage_and_seed_are_clean_without_it(bug: Bug):
    report = bug.without()
    assert report.holds, dict(report.violations)
    assert (report.figures.lost, report.figures.equation_holds) == (0, True)
    load = bug.scenario.load
    assert (report.figures.dead == 0) is (load.breaking == 0 and not load.odd)  # those that fail alone are buried
