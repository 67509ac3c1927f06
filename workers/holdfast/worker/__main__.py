"""``python -m holdfast.worker``: one process of the pool. Logs on stderr; SIGTERM stops gently, twice at once."""

import argparse
import asyncio
import gc
import signal
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from holdfast.config import Settings, load
from holdfast.lanes import connect
from holdfast.model.errors import HoldfastError, SchemaBehind
from holdfast.store import Store
from holdfast.store.secrets import message_key
from holdfast.telemetry.export import export_spans
from holdfast.worker.logs import log_to_stderr
from holdfast.worker.pool import Pool, Stop

# A thousand calls in flight are a few hundred thousand live objects: at the default threshold, looking through them
# again and again is a third of a call's cost.
COLLECT = (50_000, 20, 20)
UPGRADED = 5.0  # seconds between looks whether a schema that is behind has been upgraded
log = structlog.get_logger()


async def schema_is_there(store: Store, stop: Stop) -> bool:
    """Wait until somebody has upgraded a schema that is behind. False: a signal came first."""
    while not stop.gently.is_set():
        try:
            await asyncio.to_thread(store.ensure)
        except SchemaBehind as error:
            log.warning("schema_behind", why=str(error), effect="this worker waits for that and takes no job")
            with suppress(TimeoutError):
                async with asyncio.timeout(UPGRADED):
                    await stop.gently.wait()
        else:
            return True
    return False


async def work(settings: Settings) -> None:
    """Run one pool until a signal stops it."""
    stop = Stop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.ask)
    store = Store(settings.storage.database_url, settings.runtime)
    if not await schema_is_there(store, stop):
        return
    storage = settings.storage
    key = await asyncio.to_thread(message_key, store, storage.message_key)
    connection = connect(storage.redis_url, storage.directory, namespace=storage.namespace, key=lambda: key)
    try:
        await Pool(settings, store, connection).run(stop)
    finally:
        connection.close()
        store.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="holdfast worker", description=__doc__)
    parser.add_argument("--config", type=Path, help="the configuration (default: HOLDFAST_CONFIG, ./holdfast.toml)")
    parser.add_argument("--concurrency", type=int, help="calls in flight, instead of the configuration's")
    arguments = parser.parse_args()
    log_to_stderr()
    export_spans("holdfast-worker")
    gc.set_threshold(*COLLECT)
    try:
        asyncio.run(work(load(arguments.config)))
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last word of a process that cannot start
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
