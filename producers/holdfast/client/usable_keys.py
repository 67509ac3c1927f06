"""Whether anybody can be asked for a model: live workers tell which keys they lack; without any, look here."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from holdfast.config import WhyUnusable, read_here, unusable
from holdfast.model.errors import InvalidRequest, NoUsableKey, QueueUnavailable
from holdfast.store.fleet import list_workers

if TYPE_CHECKING:
    from holdfast.client.installation import Installation

LOOK_EVERY = 2.0  # seconds: there may be thousands of submits in them


class UsableKeys:
    """Safe to share between threads: what two of them look up at once is the same."""

    def __init__(self, installation: "Installation", clock: Callable[[], float] = time.monotonic) -> None:
        self._installation, self._clock = installation, clock
        self._why: WhyUnusable | None = None
        self._look_at = 0.0

    def demand(self, models: Iterable[str]) -> None:
        """Refuse models that nobody can be asked for. Raises NoUsableKey, StorageUnavailable."""
        settings = self._installation.settings
        if not settings.providers and settings.server.has_keys:
            raise NoUsableKey("any model", {})
        for model in models:
            if reasons := self.reasons(model):
                raise NoUsableKey(model, reasons)

    def reasons(self, model: str) -> Mapping[str, str]:
        """Say by credential why nobody can be asked for ``model``; empty where somebody can, or it is unknown."""
        try:
            plan = self._installation.settings.plan(model)
        except InvalidRequest:
            return {}
        return unusable(plan, self._source())

    def complaints(self) -> list[str]:
        """Say of each configured model that nobody can be asked for why that is."""
        found = {model: self.reasons(model) for model in self._installation.settings.models}
        return [str(NoUsableKey(model, reasons)) for model, reasons in found.items() if reasons]

    def _source(self) -> WhyUnusable:
        if self._why is None or self._clock() >= self._look_at:
            self._why, self._look_at = self._look(), self._clock() + LOOK_EVERY
        return self._why

    def _look(self) -> WhyUnusable:
        installation = self._installation
        if installation.ready().read(list_workers):
            told = self._told()
            return lambda provider, credential: told.get(f"{provider}/{credential}")
        settings = installation.settings
        return read_here(settings) if settings.server.has_keys else lambda _provider, _credential: None

    def _told(self) -> Mapping[str, str]:
        from holdfast.lanes.unusable_credentials import (  # noqa: PLC0415 - who looks at an ended job needs no Redis
            unusable_credentials,
        )

        try:
            return unusable_credentials(self._installation.redis.lanes().connection)
        except QueueUnavailable:
            return {}
