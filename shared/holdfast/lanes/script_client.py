"""A gate's client of Redis: one connection pool, scripts by their names, and what went wrong in our own words."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import redis
import redis.asyncio

from holdfast.lanes.connection import Connection
from holdfast.lanes.garbage import is_garbage
from holdfast.lanes.lua import own_sha, own_source, source
from holdfast.lanes.topology import AWAY, FAILED
from holdfast.telemetry.event_logger import event_logger
from holdfast.testing import PRODUCTION, Clock

T = TypeVar("T")
log = event_logger(__name__)

LATEST = 1 / 8  # of the smoothed round trip is the last one's, as TCP's is (RFC 6298, section 2)


class ScriptClient:
    """For one event loop. Every method raises QueueUnavailable when Redis does not answer.

    ``clock`` stands in for Redis's unless it is the real one: a drill's, or a test's.
    ``round_trip``: seconds that a script takes lately, with what it waits for in this process; 0: none ran yet.
    """

    def __init__(self, connection: Connection, clock: Clock = PRODUCTION.clock) -> None:
        self._connection, self.keys, self._clock = connection, connection.keys, clock
        self._redis: redis.asyncio.Redis | None = None
        self._ahead = time.time() - time.monotonic()
        self.round_trip = 0.0

    def now(self) -> float:
        """Return Redis's time in seconds, as near as the last answer tells; in a drill, the drill's."""
        return time.monotonic() + self._ahead if self._clock.is_real else self._clock.now()

    def _time_argument(self) -> str:
        """Return the scripts' first argument: empty or a formula, so that they ask Redis for the time."""
        return self._clock.formula()

    def saw_time(self, seconds: str) -> None:
        """Note what time it was at Redis when it wrote an answer."""
        self._ahead = float(seconds) - time.monotonic()

    async def run(self, name: str, keys: list[str], arguments: Sequence[Any]) -> Any:
        """Run ``scripts/NAME.lua``."""
        began = time.monotonic()
        answer = await self.ask(lambda client: self._evaluate(client, name, keys, arguments))
        latest = time.monotonic() - began
        self.round_trip += (latest - self.round_trip) * (LATEST if self.round_trip else 1.0)
        return answer

    async def run_timed(self, name: str, keys: list[str], arguments: Sequence[Any]) -> Any:
        """Run a script whose first argument is the time."""
        return await self.run(name, keys, [self._time_argument(), *arguments])

    async def run_for(self, worker: str, name: str, arguments: Sequence[Any]) -> Any:
        """Run a script on the permits of ``worker``, at the time of Redis."""
        return await self.run_timed(name, [self.keys.root, self.keys.permits(worker)], arguments)

    async def ask(self, question: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        try:
            return await self._ask_past_garbage(question)
        except AWAY as error:
            if await self._connection.revive_soon():
                await self.close()
            raise self._connection.unavailable(error) from error
        except FAILED as error:
            raise self._connection.unavailable(error) from error

    async def _ask_past_garbage(self, question: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """Ask; where garbage is in the way, delete it and ask again."""
        try:
            return await question(await self.client())
        except redis.ResponseError as error:
            if not is_garbage(error):
                raise
            await asyncio.to_thread(self._connection.remove_garbage, error, self._time_argument())
            return await question(await self.client())

    async def client(self) -> redis.asyncio.Redis:
        if self._redis is None:
            await self._connection.ready()
            self._redis = self._connection.asynchronous()
        return self._redis

    async def close(self) -> None:
        """Let the client go; the next question opens another one."""
        if self._redis is not None:
            client, self._redis = self._redis, None
            await client.aclose()

    async def _evaluate(self, client: redis.asyncio.Redis, name: str, keys: list[str], arguments: Sequence[Any]) -> Any:
        """Run a script. A server that does not know it started since: arrive there before anything is taken from it."""
        try:
            return await client.evalsha(own_sha(name, self.keys), len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            if emptied := await client.eval(source("detect_restart"), 1, self.keys.root, self._time_argument()):
                log.warning("redis_restarted", buckets_emptied=emptied)
            return await client.eval(own_source(name, self.keys), len(keys), *keys, *arguments)
