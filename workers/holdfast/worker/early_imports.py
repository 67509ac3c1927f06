"""Imports what first calls need in threads of its own, while the process imports the rest and waits for its storage."""

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.abc import MetaPathFinder
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.config import Settings
    from holdfast.model.route import Api

# What libraries look for and take in where it is there, to paint tracebacks and to count commands. No worker does that.
EXTRAS = ("rich", "opentelemetry.sdk.metrics")
LOOK_FOR_EXTRAS = ("structlog", "redis.asyncio")
# A thousand calls in flight are a few hundred thousand live objects: at the default threshold, looking through them
# again and again is a third of a call's cost.
COLLECT = (50_000, 20, 20)


class Withheld(MetaPathFinder):
    """Finds no module of some names, though it is there."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is withheld", name=fullname)


@contextmanager
def withheld(names: Sequence[str]) -> Iterator[None]:
    """Withhold modules from what is imported inside. One that was imported before stays."""
    finder = Withheld(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def import_libraries() -> None:
    """Import the libraries below a worker: aiohttp beside the others, as it reads certificates, and they unextended."""
    Thread(target=import_module, args=("aiohttp",), name="holdfast-http-import").start()
    with withheld(EXTRAS):
        for library in LOOK_FOR_EXTRAS:
            import_module(library)


def import_sdks(settings: "Settings") -> None:
    """Begin to import what the first route of each model needs.

    The garbage collector begins once that is done: what was made by then stays.
    """
    from holdfast.providers.lazy_packages import make_lazy  # noqa: PLC0415 - slow, as the next ones are
    from holdfast.providers.transport import PLAIN, trusted_certificates  # noqa: PLC0415

    make_lazy()
    first = [settings.providers[model.routes[0].provider] for model in settings.models.values()]
    if not all(provider.base_url.startswith(PLAIN) for provider in first):
        Thread(target=trusted_certificates, name="holdfast-certificates").start()
    apis = dict.fromkeys(provider.api for provider in first)
    Thread(target=_import, args=(apis,), name="holdfast-sdk-import").start()


def _import(apis: "Iterable[Api]") -> None:
    from holdfast.providers.clients import import_sdk  # noqa: PLC0415 - the same

    for api in apis:
        with suppress(Exception):  # whoever opens a client of it meets the same, and tells
            import_sdk(api)
    gc.freeze()
    gc.enable()
    gc.set_threshold(*COLLECT)
