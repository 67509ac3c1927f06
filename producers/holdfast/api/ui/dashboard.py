"""What all open pages share: one look a second at the fleet, and the parts of the page that it changed.

A page asks for what changed since the last time. However many are open, the fleet is looked at once a second, and each
part is rendered once for those who may act and once for those who may not.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from holdfast.api.ui.failure_groups import FailureGroups, FailurePicture
from holdfast.api.ui.flow import SAMPLE, FlowHistory, sample_of
from holdfast.api.ui.flow_chart import flow_chart
from holdfast.api.ui.rendering import compile_templates, render
from holdfast.api.ui.safe_actions import safe_actions
from holdfast.client.alert_conditions import conditions
from holdfast.client.alerts import alert_lines
from holdfast.client.installation import Installation
from holdfast.client.ledger_check import LedgerCheck
from holdfast.client.overview import Overview, read_overview
from holdfast.model.alert import AlertCondition, AlertRecord
from holdfast.model.errors import HoldfastError
from holdfast.policy.verdict import HealthSummary, Situation, verdict
from holdfast.store.alerts import recent_alerts
from holdfast.store.counters import read_pace

FRESH = 0.9  # seconds: pages that ask within them get the same look
PATIENCE_SECONDS = 0.7  # seconds that a page waits for a look before it gets the last one
LATE = 5.0  # seconds after which a look says that it is old
DAY = 86_400.0  # seconds: of alerts that are over
BACKFILL = 600.0  # seconds of which the store still knows how many jobs ended
SECTIONS = (
    "verdict", "numbers", "flow", "actions", "waiting", "routes", "failures", "lanes", "alerts", "audit", "machinery",
)  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Rendered:
    """The parts of the page for one role: each with the number of the look that last changed it."""

    parts: dict[str, tuple[int, str]] = field(default_factory=dict)
    look: int = -1
    answers: dict[int, bytes] = field(default_factory=dict)


class Dashboard:
    """Belongs to one event loop."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._history = FlowHistory()
        self._ledger, self._failures = LedgerCheck(), FailureGroups(installation)
        self._now: Overview | None = None
        self._alerts: Sequence[AlertRecord] = ()
        self._problem: str | None = None
        self._looked_at, self._tried_at = float("-inf"), float("-inf")
        self._look = 0
        self._looking: asyncio.Task[None] | None = None
        self._rendered = {False: Rendered(), True: Rendered()}

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Take samples for the picture while the application runs, whether or not a page is open."""
        task = asyncio.create_task(self._sample_on())
        try:
            yield
        finally:
            for each in (task, self._looking):
                if each is not None:
                    each.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await each

    async def _sample_on(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE)
            await self._look_again()

    async def prepare(self) -> None:
        """Take the first look and compile the templates, so that the first page of a process waits for neither."""
        await asyncio.gather(self._look_again(), run_in_threadpool(compile_templates))

    def expire(self) -> None:
        """Have the next page look again: somebody has just changed something."""
        self._tried_at = float("-inf")

    async def look(self) -> None:
        """See that the last look is fresh, or that it cannot be: a storage that hangs holds no page up."""
        is_first = self._now is None and self._looking is not None and not self._looking.done()
        if is_first or time.monotonic() - self._tried_at >= FRESH:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS if self._now else None):
                    await self._look_again()

    async def _look_again(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(run_in_threadpool(self._read))
        await asyncio.shield(self._looking)

    def _read(self) -> None:
        """Read everything anew, on a thread; what fails leaves the last look, and says so."""
        self._tried_at = time.monotonic()
        try:
            store = self._installation.ready()
            now = read_overview(self._installation, self._ledger.look(store))
            self._alerts = store.read(recent_alerts, DAY)
            sample = sample_of(now)
            if not self._history:
                self._history.backfill(now.at, sample.done, store.read(read_pace, BACKFILL))
            self._history.add(sample)
            self._failures.look(now)
        except HoldfastError as error:
            self._problem = str(error)
        except Exception as error:
            log.exception("the dashboard's look at the fleet broke")
            self._problem = f"an error of our own: {type(error).__name__}"
        else:
            self._now, self._problem, self._looked_at = now, None, self._tried_at
        self._look += 1

    def page(self, *, may_act: bool) -> Mapping[str, str]:
        """Return every part of the page, by name."""
        return {name: text for name, (_, text) in self._render(may_act=may_act).parts.items()}

    @property
    def number(self) -> int:
        """The number of the last look; a page that knows it asks for what is newer."""
        return self._look

    @property
    def conditions(self) -> Sequence[AlertCondition]:
        """What people should be told of, by the last look."""
        return conditions(self._now) if self._now else ()

    def changes(self, since: int, *, may_act: bool) -> bytes:
        """Return as JSON the parts that changed after look ``since``, the same bytes for every page that asks so."""
        rendered = self._render(may_act=may_act)
        if since not in rendered.answers:
            parts = {name: text for name, (changed, text) in rendered.parts.items() if changed > since}
            rendered.answers[since] = orjson.dumps({"look": rendered.look, "parts": parts})
        return rendered.answers[since]

    def _render(self, *, may_act: bool) -> Rendered:
        rendered = self._rendered[may_act]
        if rendered.look != self._look:
            values = self._values(may_act=may_act)
            for name in SECTIONS:
                text = render(f"sections/{name}.html", values)
                if rendered.parts.get(name, (0, ""))[1] != text:
                    rendered.parts[name] = (self._look, text)
            rendered.look, rendered.answers = self._look, {}
        return rendered

    def _values(self, *, may_act: bool) -> dict[str, Any]:
        now, age = self._now, time.monotonic() - self._looked_at
        late = self._problem is not None or age >= LATE
        if now is None:
            judged = verdict(Situation(storage=self._problem or "it was not asked yet"))
            return {"now": None, "verdict": judged, "late": late, "problem": self._problem, "may_act": may_act}
        chart = flow_chart(self._history.spans(), now.at, now.down_since)
        return {
            "now": now,
            "verdict": self._verdict(now),
            "late": late,
            "problem": self._problem,
            "may_act": may_act,
            "flow": self._history,
            "chart": chart,
            "alerts": alert_lines(conditions(now), self._alerts),
            "told": self._installation.settings.alerts.wanted,
            "failures": self._failed(),
            "actions": safe_actions(now, self._failed()),
        }

    def _failed(self) -> FailurePicture:
        return self._failures.picture

    def _verdict(self, now: Overview) -> HealthSummary:
        return verdict(Situation(storage=self._problem)) if self._problem else now.verdict
