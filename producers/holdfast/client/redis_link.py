"""A producer's way to Redis: opened at first use, never started by a producer."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from holdfast.client.end_hints import Hints, OnEnded, Sleeper
from holdfast.config import Settings
from holdfast.lanes.private_socket import is_listening
from holdfast.lanes.without_password import without_password
from holdfast.model.errors import QueueUnavailable

if TYPE_CHECKING:
    from holdfast.lanes import Lanes
    from holdfast.lanes.actors import ActorQueue
    from holdfast.lanes.connection import Connection
    from holdfast.lanes.ended_jobs import EndedJobsPublisher

EMBEDDED = "embedded"


def shown_url(url: str) -> str:
    """Return the address of a database or Redis without its password."""
    return without_password(url) if "@" in url else url


class EmbeddedServerDown(QueueUnavailable):
    """The embedded server does not run: no worker and no API has started it. Jobs wait in SQL until one does."""

    code: ClassVar[str] = "no_server_yet"


class RedisLink:
    """Safe to share between threads. ``key`` finds what offers are signed with. Raises ConfigError.

    What speaks Redis is imported when somebody asks it: no look at an ended job does.
    """

    def __init__(self, settings: Settings, key: Callable[[], bytes] | None = None) -> None:
        self._storage, self._key = settings.storage, key
        self._directory = settings.storage.directory / "redis"
        self._opened: Lanes | None = None
        self._actors: ActorQueue | None = None
        self._ended_jobs: EndedJobsPublisher | None = None
        self._lock = Lock()
        self._embedded = self._storage.redis_url == EMBEDDED
        if not self._embedded:
            self._open()

    def lanes(self) -> "Lanes":
        """Return the lanes. Raises EmbeddedServerDown rather than start an embedded server without a worker."""
        if self._opened is None:
            self._look()
        return self._open()

    def _open(self) -> "Lanes":
        """Say where Redis is, once; nothing is sent. Raises ConfigError."""
        from holdfast.lanes import Lanes, connect  # noqa: PLC0415 - the class says why

        storage = self._storage
        with self._lock:
            if self._opened is None:
                where = storage.redis_url, storage.directory
                self._opened = Lanes(connect(*where, namespace=storage.namespace, key=self._key))
            return self._opened

    def actors(self) -> "ActorQueue":
        """Return the queue of what workers do beside jobs. Raises QueueUnavailable."""
        from holdfast.lanes.actors import ActorQueue  # noqa: PLC0415 - only what acts on many jobs needs dramatiq

        connection = self.lanes().connection
        if self._actors is None or self._actors.url != connection.url:
            self._actors = ActorQueue(connection)
        return self._actors

    def connection(self) -> "Connection":
        """Return what reaches Redis. Raises EmbeddedServerDown as ``lanes`` does."""
        return self.lanes().connection

    def publish_ended(self, jobs: Sequence[str]) -> None:
        """Tell whoever waits that jobs have ended, soon and if possible."""
        from holdfast.lanes.ended_jobs import EndedJobsPublisher  # noqa: PLC0415 - the class says why

        with self._lock:
            self._ended_jobs = self._ended_jobs or EndedJobsPublisher(self.connection)
        self._ended_jobs.publish(jobs)

    def hints(self, on_ended: OnEnded) -> Hints:
        """Make what tells an event loop of ended jobs."""
        from holdfast.lanes.ended_jobs import EndedJobsListener  # noqa: PLC0415 - the class says why

        return EndedJobsListener(self.connection, on_ended)

    def sleeper(self, job: str) -> Sleeper:
        """Make what sleeps until a job has ended, by the id that SQL knows it by."""
        from holdfast.lanes.ended_jobs import EndedJobSleeper  # noqa: PLC0415 - the class says why

        return EndedJobSleeper(self.connection, job)

    def unusable_credentials(self) -> Mapping[str, str]:
        """Say by provider and credential why workers cannot use it. Raises QueueUnavailable."""
        from holdfast.lanes.unusable_credentials import unusable_credentials  # noqa: PLC0415 - the class says why

        return unusable_credentials(self.lanes().connection)

    def url(self) -> str:
        """Say where Redis is, without a password. Raises QueueUnavailable."""
        return self.lanes().connection.shown_url

    def close(self) -> None:
        if self._actors is not None:
            self._actors.stop()
        if self._ended_jobs is not None:
            self._ended_jobs.close()
        if self._opened is not None:
            self._opened.connection.close()

    def _look(self) -> None:
        if not is_listening(self._directory):
            raise EmbeddedServerDown(str(self._directory), "no embedded server runs there yet")
