"""Whether SQL and Redis are under our feet. Without SQL no call starts; what is finished is kept until it is back."""

from dataclasses import dataclass

import structlog

log = structlog.get_logger()


@dataclass(slots=True)
class Footing:
    """One process's view of its two stores, said in the log once per change."""

    sql: bool = True
    redis: bool = True

    @property
    def may_call(self) -> bool:
        return self.sql and self.redis

    def sql_failed(self, why: object) -> None:
        if self.sql:
            log.error("sql_lost", why=str(why), effect="no new calls; finished results are kept and written later")
        self.sql = False

    def sql_answered(self) -> None:
        if not self.sql:
            log.info("sql_back")
        self.sql = True

    def redis_failed(self, why: object) -> None:
        if self.redis:
            log.error("redis_lost", why=str(why), effect="no new calls; accepted jobs are safe in SQL")
        self.redis = False

    def redis_answered(self) -> None:
        if not self.redis:
            log.info("redis_back")
        self.redis = True
