"""Policy, not cases: in outages that nothing was tuned for, every promise holds and what it costs stays sane."""

import pytest

from holdfast.lab.simulation.run import run_virtual
from lab.simulation.unseen import UNSEEN, Unseen

pytestmark = pytest.mark.system


@pytest.mark.parametrize("unseen", UNSEEN, ids=lambda each: each.scenario.name)
def test_an_unseen_outage_loses_nothing_buries_nothing_and_costs_little(unseen: Unseen):
    report = run_virtual(unseen.scenario, 1)
    found = report.figures
    assert report.violations == {}
    assert (found.lost, found.dead, found.equation_holds) == (0, 0, True)
    assert found.probes_concurrent_max <= 1
    assert found.limit_breaches == 0
    assert found.failed_calls <= unseen.failed
    assert found.p99_s <= unseen.late
