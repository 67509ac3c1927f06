"""One process of the pool, from its configuration to the signal that ends it."""

import asyncio
import signal
from contextlib import suppress
from functools import cache, partial

import structlog

from holdfast.config import Settings
from holdfast.lanes import Connection, connect
from holdfast.model.errors import QueueUnavailable, SchemaBehind
from holdfast.store import Store
from holdfast.store.secrets import message_key
from holdfast.worker.pool import Pool, Stop

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


async def redis_is_there(connection: Connection) -> None:
    """Start an embedded server, if there is one to start. Where it does not start, the pool goes on trying."""
    with suppress(QueueUnavailable):
        await connection.ready()


async def work(settings: Settings) -> None:
    """Run one pool until a signal stops it."""
    stop = Stop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.ask)
    storage = settings.storage
    store = Store(storage.database_url, settings.runtime)
    key = cache(partial(message_key, store, storage.message_key))
    connection = connect(storage.redis_url, storage.directory, namespace=storage.namespace, key=key)
    try:
        there, _ = await asyncio.gather(schema_is_there(store, stop), redis_is_there(connection))
        if there:
            await asyncio.to_thread(key)
            await Pool(settings, store, connection).run(stop)
    finally:
        connection.close()
        store.close()
