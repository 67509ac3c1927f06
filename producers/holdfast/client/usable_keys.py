"""Whether anybody can be asked for a model: live workers tell which keys they lack; without any, look here."""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Thread

from holdfast.config import Settings, WhyUnusable, read_here, unusable
from holdfast.model.errors import InvalidRequest, NoUsableKey, QueueUnavailable

LOOK_EVERY = 2.0  # seconds: there may be thousands of submits in them
PATIENCE = 1.0  # seconds that a process waits for Redis the first time; later it goes by what it knows meanwhile


class UsableKeys:
    """Safe to share between threads: what two of them look up at once is the same.

    ``has_workers`` asks SQL, and ``told`` Redis, for what workers could not use; it raises QueueUnavailable.
    """

    def __init__(
        self,
        settings: Settings,
        has_workers: Callable[[], bool],
        told: Callable[[], Mapping[str, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._has_workers, self._told, self._clock = settings, has_workers, told, clock
        self._why: WhyUnusable | None = None
        self._look_at = 0.0
        self._told_last: Mapping[str, str] | None = None
        self._asking: Thread | None = None

    def demand(self, models: Iterable[str]) -> None:
        """Refuse models that nobody can be asked for. Raises NoUsableKey, StorageUnavailable."""
        if not self._settings.providers and self._settings.server.has_keys:
            raise NoUsableKey("any model", {})
        for model in models:
            if reasons := self.reasons(model):
                raise NoUsableKey(model, reasons)

    def reasons(self, model: str) -> Mapping[str, str]:
        """Say by credential why nobody can be asked for ``model``; empty where somebody can, or it is unknown."""
        try:
            plan = self._settings.plan(model)
        except InvalidRequest:
            return {}
        return unusable(plan, self._source())

    def complaints(self) -> list[str]:
        """Say of each configured model that nobody can be asked for why that is."""
        found = {model: self.reasons(model) for model in self._settings.models}
        return [str(NoUsableKey(model, reasons)) for model, reasons in found.items() if reasons]

    def _source(self) -> WhyUnusable:
        if self._why is None or self._clock() >= self._look_at:
            self._why, self._look_at = self._look(), self._clock() + LOOK_EVERY
        return self._why

    def _look(self) -> WhyUnusable:
        if self._has_workers():
            told = self._told_by_workers()
            return lambda provider, credential: told.get(f"{provider}/{credential}")
        return read_here(self._settings) if self._settings.server.has_keys else lambda _provider, _credential: None

    def _told_by_workers(self) -> Mapping[str, str]:
        """What Redis holds, asked by a thread: where it hangs, no submit waits for it."""
        if self._asking is None or not self._asking.is_alive():
            self._asking = Thread(target=self._ask, name="holdfast-usable-keys", daemon=True)
            self._asking.start()
            self._asking.join(PATIENCE if self._told_last is None else 0)
        return self._told_last or {}

    def _ask(self) -> None:
        try:
            self._told_last = self._told()
        except QueueUnavailable:
            self._told_last = {}
