"""The parts of a pool that no first call needs: they are imported and begun once first calls have left."""

from collections.abc import Awaitable, Callable, Mapping

from holdfast.config import Settings
from holdfast.lanes import Connection
from holdfast.store import Store
from holdfast.worker.alert_watch import AlertWatch
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.duties import Duties
from holdfast.worker.outage_diagnoses import OutageDiagnoses
from holdfast.worker.webhook_duty import WebhookDuty


class LaterParts:
    """``by_name``: what each runs until it is cancelled. ``close`` follows."""

    def __init__(
        self, settings: Settings, store: Store, connection: Connection, dependencies: DependencyHealth
    ) -> None:
        duties = Duties(store, connection, dependencies, settings.storage.keep_results)
        self.by_name: Mapping[str, Callable[[], Awaitable[None]]] = {
            "duties": duties.run,
            "alerts": AlertWatch(settings, store, dependencies).run,
            "webhooks": WebhookDuty(settings, store, connection, dependencies).run,
            "outage_diagnoses": OutageDiagnoses(settings, connection).run,
        }
        self.close = duties.close
