"""Watches the fleet for what people should be told, and tells them once of each change, whoever watches."""

import asyncio
from dataclasses import dataclass, field

import structlog

from holdfast.client.alert_conditions import budget_conditions, conditions, month_of
from holdfast.client.installation import Installation
from holdfast.client.ledger_check import LedgerCheck
from holdfast.client.overview import read_overview
from holdfast.config import Settings
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.webhook import ALERT_COMMAND
from holdfast.store import Store
from holdfast.store.alerts import claim_look, note_month, record_conditions
from holdfast.worker.dependency_health import DependencyHealth

log = structlog.get_logger()
EVERY = 3.0  # seconds between two looks of the fleet


@dataclass(slots=True)
class AlertWatch:
    """One per process. It does nothing where nobody is to be told."""

    settings: Settings
    store: Store
    dependencies: DependencyHealth
    _installation: Installation | None = field(default=None)
    _ledger: LedgerCheck = field(default_factory=LedgerCheck)

    async def run(self) -> None:
        """Until cancelled: look when it is this process's turn."""
        if not self.settings.alerts.wanted:
            await asyncio.Event().wait()
        try:
            while True:
                await asyncio.sleep(EVERY / 2)
                await self._look()
        finally:
            if self._installation is not None:
                await asyncio.to_thread(self._installation.close)

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self.look)
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)

    def look(self) -> None:
        """Read everything, and tell of what began and of what is over. Raises StorageUnavailable."""
        if not self.store.write(claim_look, EVERY):
            return
        if self._installation is None:
            self._installation = Installation(self.settings)
        alerts, overview = self.settings.alerts, read_overview(self._installation, self._ledger.look(self.store))
        spent = self.store.write(note_month, month_of(overview.at), overview.cost)
        seen = [*conditions(overview), *budget_conditions(spent, alerts.monthly_budget_usd, overview.at)]
        receivers = [*alerts.webhooks, *([ALERT_COMMAND] if alerts.command else [])]
        wait = {"after": alerts.after, "quiet": alerts.quiet}
        for each in self.store.write(record_conditions, seen, receivers, **wait):
            state = "began" if each.ended_at is None else "ended"
            log.warning("alert_told", kind=each.kind, about=each.about, state=state, text=each.sentence)
