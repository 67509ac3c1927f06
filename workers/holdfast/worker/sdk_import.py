"""Imports the SDKs of first calls in a thread of its own, while the process waits for its storage and for Redis."""

import gc
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread

from holdfast.config import Settings
from holdfast.model.route import Api
from holdfast.providers.clients import import_sdk
from holdfast.providers.lazy_packages import make_lazy

# A thousand calls in flight are a few hundred thousand live objects: at the default threshold, looking through them
# again and again is a third of a call's cost.
COLLECT = (50_000, 20, 20)


def begin_import(settings: Settings) -> None:
    """Begin to import what the first route of each model needs.

    The garbage collector begins once that is done: what was made by then stays.
    """
    make_lazy()
    apis = dict.fromkeys(settings.providers[model.routes[0].provider].api for model in settings.models.values())
    Thread(target=_import, args=(apis,), name="holdfast-sdk-import").start()


def _import(apis: Iterable[Api]) -> None:
    for api in apis:
        with suppress(Exception):  # whoever opens a client of it meets the same, and tells
            import_sdk(api)
    gc.freeze()
    gc.enable()
    gc.set_threshold(*COLLECT)
