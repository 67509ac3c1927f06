"""What the demo shows while it runs: one line for each turn of events, and below them a picture that moves."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from holdfast.lab.providers.calls import SERVED
from holdfast.lab.report.run_record import Sample

STATE_STYLE = {"closed": "green", "open": "bold red", "half_open": "yellow", "ramping": "yellow"}
STATE_WORDS = {"half_open": "probing", "ramping": "ramping up"}


class DemoScreen:
    """Writes to standard error. Where that is no terminal, only the lines are written."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._began = time.monotonic()
        self._live = Live(console=self.console, refresh_per_second=8, transient=True)
        self._rates: dict[str, tuple[float, int]] = {}

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def say(self, words: str, style: str = "") -> None:
        """One line of what happened, with the time."""
        at = time.monotonic() - self._began
        self.console.print(Text.assemble((f"{at:5.1f} s  ", "dim"), (words, style)), soft_wrap=True)

    def show(self, sample: Sample, providers: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]) -> None:
        """Draw the run as it stands: ``providers`` are counts by name, ``states`` breakers by the same name."""
        if self._live.is_started:
            self._live.update(Group(self._jobs(sample), self._providers(providers, states)))

    def _jobs(self, sample: Sample) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=max(sample.total, 1), completed=sample.done, width=44)
        said = f"{sample.done:,} done · {sample.in_flight} in flight · {sample.waiting:,} waiting"
        table.add_row(Text("  jobs", style="bold"), bar, said)
        return table

    def _providers(self, providers: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for name, counts in providers.items():
            state = states.get(name, "closed")
            served = counts["by_status"].get(SERVED, 0)
            failed = sum(counts["by_status"].values()) - served
            table.add_row(
                Text(f"  {name}", style="bold"),
                Text(f"● {STATE_WORDS.get(state, state)}", style=STATE_STYLE.get(state, "")),
                f"{self._rate(name, served):3.0f} answers/s",
                f"{served:,} answered",
                Text(f"{failed} failed", style="red" if failed else "dim"),
            )
        return table

    def _rate(self, name: str, served: int) -> float:
        """Answers a second since about a second ago."""
        now = time.monotonic()
        since, before = self._rates.get(name, (now, served))
        if now - since > 1 or name not in self._rates:
            self._rates[name] = (now, served)
        return (served - before) / (now - since) if now > since else 0.0
