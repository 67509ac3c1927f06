"""Watches over logins: says when a credential is parked and back, when a provider's logins are out, and alerts."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from holdfast.lanes import Connection, Lanes
from holdfast.lanes.credentials import end_report, is_first_to_report, note_fault, probe_at_once
from holdfast.lanes.unusable_credentials import note_usable
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import FaultKind
from holdfast.policy.credential_alerts import Parked, alerts, auth_outages

log = structlog.get_logger()
LOOK = 1.0  # seconds
QUIET = 10.0  # seconds for which a credential must take calls before it counts as back


@dataclass(slots=True)
class CredentialMonitor:
    """One per process. Each thing is said by one process of the fleet. ``names`` are all ``provider/credential``.

    ``unusable`` gives those that this process has no secret for, each with the reason.
    """

    connection: Connection
    names: Sequence[str]
    clock: Callable[[], float] = time.monotonic
    unusable: Callable[[], Mapping[str, str]] = dict
    _faults: dict[str, FaultKind] = field(default_factory=dict)
    _last_down: dict[str, float] = field(default_factory=dict)
    _told_unusable: Mapping[str, str] | None = None

    def record(self, name: str, kind: FaultKind) -> None:
        """A call told something of its credential. Costs nothing: the next look passes it on."""
        self._faults[name] = kind

    async def changed(self, provider: str, credential: str) -> None:
        """There is a new key or token: try it at once."""
        try:
            await asyncio.to_thread(probe_at_once, self.connection, f"{provider}/{credential}")
        except QueueUnavailable:
            return  # without Redis no call starts, and the gate begins anew after it

    async def run(self) -> None:
        """Look until cancelled. Raises QueueUnavailable."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK)

    def look(self) -> None:
        while self._faults:
            note_fault(self.connection, *self._faults.popitem())
        self._tell_unusable()
        down = Lanes(self.connection).parked(self.names)
        self._say_parked(down)
        ill = auth_outages(down)
        for provider, group in ill.items():
            self._down(f"auth_outage:{provider}")
            if self._is_news(f"auth_outage:{provider}"):
                log.error("auth_outage", provider=provider, credentials=[each.name for each in group], effect=WAIT)
        for alert in alerts(down):
            self._down(f"alert:{alert.about}")
            if self._is_news(f"alert:{alert.about}"):
                log.error("alert", kind=alert.kind, about=alert.about, down_for=round(alert.down_for), text=alert.text)
        self._say_back()

    def _tell_unusable(self) -> None:
        found = self.unusable()
        if found != self._told_unusable and self.names:
            note_usable(self.connection, {name: found.get(name) for name in self.names})
            self._told_unusable = found

    def _say_parked(self, down: Sequence[Parked]) -> None:
        for each in down:
            self._down(f"parked:{each.name}")
            if self._is_news(f"parked:{each.name}"):
                log.warning("credential_parked", credential=each.name, why=each.why, effect=WAIT)

    def _say_back(self) -> None:
        """What has not been down for a while is over; whoever finds that it was said, says so."""
        now = self.clock()
        providers = dict.fromkeys(name.partition("/")[0] for name in self.names)
        said = [f"parked:{name}" for name in self.names]
        said += [f"auth_outage:{provider}" for provider in providers]
        said += [f"alert:{about}" for about in (*self.names, *providers)]
        for what in said:
            last = self._last_down.setdefault(what, now)
            if now - last > QUIET:
                self._last_down[what] = now + QUIET * 5  # ask Redis about it only now and then
                if end_report(self.connection, what):
                    kind, _, about = what.partition(":")
                    log.info(OVER[kind], about=about)

    def _down(self, what: str) -> None:
        self._last_down[what] = self.clock()

    def _is_news(self, what: str) -> bool:
        return is_first_to_report(self.connection, what)


WAIT = "its jobs wait or take another route; one probe per cool-off finds out when it is back"
OVER = {"parked": "credential_back", "auth_outage": "auth_outage_over", "alert": "alert_over"}
