"""Where a drill is, for whoever waits for it: one line on the terminal, nothing where there is none."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from holdfast.lab.drill.scenario import Scenario

EVERY = 0.5  # real seconds


class DrillProgress:
    """``with DrillProgress(scenario, seed) as screen: … screen.show(seconds, accepted)``."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario, self._seed = scenario, seed
        self._console = Console(stderr=True)
        self._status: Status | None = None
        self._shown = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(f"{self._scenario.name}: providers and workers start")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, seconds: float, accepted: int) -> None:
        if self._status is not None and time.monotonic() - self._shown > EVERY:
            self._shown = time.monotonic()
            of_all = f"{seconds:,.0f} of {self._scenario.seconds:,.0f} s"
            self.say(f"seed {self._seed}, {of_all}, {accepted:,} jobs accepted")

    def say(self, what: str) -> None:
        if self._status is not None:
            self._status.update(f"{self._scenario.name}: {what}")
