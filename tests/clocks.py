"""A clock that stands still until a test cranks it."""

from collections.abc import Callable

from holdfast.testing import Clock


class CrankedClock(Clock):
    """Tells what ``read`` says. Redis's scripts are told that time instead of asking their server."""

    def __init__(self, read: Callable[[], float]) -> None:
        super().__init__()
        self.now = self.monotonic = self.unhurried = read  # type: ignore[method-assign]

    @property
    def is_real(self) -> bool:
        return False

    def formula(self) -> str:
        return repr(self.now())
