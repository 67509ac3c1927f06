"""One installation as this process reaches it: its settings, its database, its Redis."""

from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

from holdfast.client.offers import Offers
from holdfast.client.redis_link import RedisLink
from holdfast.client.usable_keys import UsableKeys
from holdfast.config import Settings
from holdfast.model.records import WorkerRecord
from holdfast.store import Store
from holdfast.store.fleet import list_workers
from holdfast.store.secrets import message_key
from holdfast.store.shared_writes import SharedWrites

if TYPE_CHECKING:
    from holdfast.client.job_templates import TemplatesByDefaults


class Installation:
    """Connections that every backend of a process shares. Safe to share between threads; opened at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.crash_point = settings, settings.runtime.crash_point
        self.store = Store(settings.storage.database_url, settings.runtime)
        self.shared_writes = SharedWrites(self.store)
        self.redis = RedisLink(settings, lambda: message_key(self.ready(), settings.storage.message_key))
        self.store.tell_ended = self.redis.publish_ended
        self.offers = Offers(self.redis.lanes, runtime=settings.runtime)
        self.usable_keys = UsableKeys(settings, lambda: bool(self.workers()), self.redis.unusable_credentials)
        self._ready = Event()

    def ready(self) -> Store:
        """Return the store, its tables brought up to date at first use. Raises StorageUnavailable, SchemaBehind."""
        if not self._ready.is_set():
            self.store.ensure()
            self._ready.set()
        return self.store

    @cached_property
    def job_templates(self) -> "TemplatesByDefaults":
        """What was learned of the shapes of jobs that this process submits."""
        from holdfast.client.job_templates import TemplatesByDefaults  # noqa: PLC0415 - slow to import, most look only

        return TemplatesByDefaults()

    def workers(self) -> list[WorkerRecord]:
        """List worker processes with a live lease."""
        return self.ready().read(list_workers)

    def close(self) -> None:
        self.offers.close()
        self.redis.close()
        self.store.close()
