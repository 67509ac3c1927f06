"""What whoever waits for jobs needs of a backend: to be told of their ends, as a hint that may be missed."""

from collections.abc import Callable, Sequence
from typing import Protocol

OnEnded = Callable[[Sequence[str]], None]  # takes ids of jobs that ended, as SQL knows them


class Hints(Protocol):
    """Tells an event loop of ended jobs, once it is started there. Some may be missed."""

    def start(self) -> None: ...

    async def close(self) -> None: ...


class Sleeper(Protocol):
    """Sleeps for a thread that waits for one job, and at most until a hint says that this job has ended."""

    def sleep(self, seconds: float) -> None: ...

    def close(self) -> None: ...
