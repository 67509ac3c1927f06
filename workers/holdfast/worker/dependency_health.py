"""Tracks whether SQL and Redis answered lately. Without SQL no call starts; what is finished is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from holdfast.model.errors import QueueUnavailable, StorageUnavailable

log = structlog.get_logger()
FIRST_REST, LONGEST_REST = 0.1, 2.0  # seconds for which SQL is not trusted again after it failed, doubled each time


@dataclass(slots=True)
class DependencyHealth:
    """What one process knows of SQL and Redis, logged once per change.

    A database on a full disk still answers what writes nothing. So after a failure it is trusted again only after a
    rest, which grows until a claim has been written.
    """

    clock: Callable[[], float] = time.monotonic
    sql: bool = True
    redis: bool = True
    _rest: float = FIRST_REST
    _trust_at: float = 0.0
    _sql_since: float = field(init=False)

    def __post_init__(self) -> None:
        self._sql_since = self.clock()

    @property
    def may_call(self) -> bool:
        return self.sql and self.redis

    def sql_steady_for(self, seconds: float) -> bool:
        """Whether SQL has answered for so long that every worker that lives has renewed its lease meanwhile."""
        return self.sql and self.clock() - self._sql_since >= seconds

    def failed(self, why: StorageUnavailable | QueueUnavailable) -> None:
        """Note that SQL or Redis did not answer."""
        (self.sql_failed if isinstance(why, StorageUnavailable) else self.redis_failed)(why)

    def sql_failed(self, why: object) -> None:
        if self.sql:
            log.error("sql_lost", why=str(why), effect="no new calls; finished results are kept and written later")
            self._trust_at = self.clock() + self._rest
            self._rest = min(LONGEST_REST, self._rest * 2)
        self.sql = False

    def sql_answered(self) -> None:
        if self.sql or self.clock() < self._trust_at:
            return
        log.info("sql_back")
        self.sql, self._sql_since = True, self.clock()

    def sql_wrote(self) -> None:
        """A claim is in the database: it does more than answer."""
        self._rest = FIRST_REST

    def redis_failed(self, why: object) -> None:
        if self.redis:
            log.error("redis_lost", why=str(why), effect="no new calls; accepted jobs are safe in SQL")
        self.redis = False

    def redis_answered(self) -> None:
        if not self.redis:
            log.info("redis_back")
        self.redis = True
