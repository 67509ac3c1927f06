"""Where commands ask and act: the configured storage or a server. Both answer the same JSON values.

Ids are public ones (``job_…``); what is named and is not there raises NotFound.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from holdfast.cli.context import close_at_end, context, settings

if TYPE_CHECKING:
    from holdfast.client.backend import Backend
    from holdfast.model.records import JobFilter

View = dict[str, Any]
Force = Literal["open", "closed"]


class Desk(Protocol):
    """``backend`` is what the client's submits and waits go through."""

    @property
    def backend(self) -> "Backend": ...

    def jobs(self, where: "JobFilter", limit: int, cursor: str | None = None) -> list[View]: ...

    def job(self, name: str) -> View: ...

    def cancel_job(self, name: str) -> View: ...

    def batches(self, limit: int, cursor: str | None = None) -> list[View]: ...

    def batch(self, name: str) -> View: ...

    def cancel_batch(self, name: str) -> View: ...

    def lanes(self) -> list[View]: ...

    def pause(self, lane: str, *, paused: bool) -> View: ...

    def routes(self) -> list[View]: ...

    def force(self, route: str, want: Force) -> View: ...

    def reset(self, route: str) -> View: ...

    def groups(self, where: "JobFilter") -> list[View]: ...

    def count(self, where: "JobFilter", limit: int) -> int:
        """Count the dead letters that a bulk action with this limit would take."""
        ...

    def replay(self, where: "JobFilter", limit: int, per_minute: float | None) -> int: ...

    def drop(self, where: "JobFilter", limit: int) -> int: ...

    def drain(self, where: "JobFilter", limit: int, to: Path) -> int: ...

    def ledger(self) -> View: ...

    def status(self) -> View: ...


def desk() -> Desk:
    """Open the desk that the command line and the environment name. It closes when the command ends."""
    made: Desk
    if url := context().url:
        from holdfast.cli.server_desk import ServerDesk

        made = ServerDesk(url)
    else:
        from holdfast.cli.own_desk import OwnDesk

        made = OwnDesk(settings())
    close_at_end(made.backend.close)
    return made
