"""``holdfast run --budget``: lines are submitted while their dearest end still fits, and the rest waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdfast.cli.jsonl_input import InputLine
from holdfast.cli.model_choice import ModelChoice
from holdfast.cli.tables import usd
from holdfast.client.backend import View
from holdfast.client.submit_request import Item, JobDefaults
from holdfast.model.errors import HoldfastError, InvalidRequest


class BudgetReached(HoldfastError):
    """The next line could cost more than the budget has left. Nothing is lost: a run with a larger one goes on."""

    code = "budget_reached"
    exit_status = 75

    def __init__(self, budget: float, spent: float, jobs: int) -> None:
        super().__init__(budget, spent, jobs)
        self.budget, self.spent, self.jobs = budget, spent, jobs

    def __str__(self) -> str:
        return (
            f"paused before the budget of ${usd(self.budget)} would be passed: ${usd(self.spent)} are spent on "
            f"{self.jobs:,} jobs, and the next could cost more than is left. "
            f"Run the same command with a larger --budget to go on; nothing is paid twice."
        )


@dataclass(slots=True)
class Budget:
    """Lets lines through while all of them together cannot cost more than ``usd``.

    ``spent`` and ``live`` tell of the batch at any moment: USD, and jobs that have not ended. ``wait`` is called while
    jobs that are under way have to end first. ``known`` jobs of the same input were submitted before: they pass.
    """

    usd: float
    defaults: JobDefaults
    models: ModelChoice
    estimate: Callable[[Sequence[Item], JobDefaults], View]
    spent: Callable[[], float]
    live: Callable[[], int]
    wait: Callable[[], None]
    known: int = 0
    passed: int = 0
    dearest: float = field(default=0.0, init=False)  # of what was let through: bounds what each live job may cost
    known_costs: dict[int, float] = field(default_factory=dict, init=False)  # by position

    def admit(self, lines: Sequence[InputLine]) -> int:
        """Return how many of ``lines``, at least one, may be submitted now; wait for that. Raises BudgetReached."""
        old = min(len(lines), self.known - self.passed)
        if old > 0:
            self.passed += old
            return old
        costs = self._costs(lines)
        while True:
            live = self.live()
            if fits := self._fitting(costs, self.usd - self.spent(), live):
                self.dearest = max(self.dearest, *costs[:fits])
                self.passed += fits
                return fits
            if not live:
                raise BudgetReached(self.usd, self.spent(), self.passed)
            self.wait()

    def _fitting(self, costs: Sequence[float], left: float, live: int) -> int:
        """Count the lines whose dearest end fits, beside that of every job under way."""
        fits, total = 0, 0.0
        for cost in costs:
            total += cost
            if total + live * max(self.dearest, *costs[: fits + 1]) > left:
                break
            fits += 1
        return fits

    def _costs(self, lines: Sequence[InputLine]) -> list[float]:
        """Return the dearest end of each line. Those of a part of the lines that were asked for last are known."""
        if any(line.position not in self.known_costs for line in lines):
            found = self.estimate([self.models.applied(line.text) for line in lines], self.defaults)
            self.known_costs = {line.position: _most(job) for line, job in zip(lines, found["jobs"], strict=True)}
        return [self.known_costs[line.position] for line in lines]


def _most(job: View | None) -> float:
    """Return the most that a job may cost, USD. Raises InvalidRequest: nobody knows."""
    if job is None:
        return 0.0  # it will be refused
    if job["usd_most"] is None:
        hint = "Add price = { input = …, output = … } (USD per million tokens) to it in holdfast.toml."
        raise InvalidRequest("--budget", f"cannot be kept: no price of {job['unpriced_route']} is known.", hint)
    return float(job["usd_most"])
