"""What a drain has taken, read out of SQL page by page: lines from which its jobs can be submitted again."""

from collections.abc import Iterator

from holdfast.client.bulk_actions import control
from holdfast.client.installation import Installation
from holdfast.model.errors import Conflict, NotFound
from holdfast.model.ids import public_id
from holdfast.store.drain import read_export
from holdfast.store.operations import BulkAction, Operation


def open_export(installation: Installation, id_: str, tenant: str | None, actor: str) -> Operation:
    """Find a drain that ended. Raises NotFound; Conflict: it goes on, or is paused."""
    found = control(installation, id_, "show", tenant, actor)
    if found.action is not BulkAction.DRAIN:
        raise NotFound("export", public_id("op", found.id))
    if not found.done:
        problem = f"is {found.state}: {found.jobs} of {found.eligible} dead letters are written. Wait, or abort it."
        raise Conflict(public_id("op", found.id), problem)
    return found


def export_pages(installation: Installation, operation: Operation) -> Iterator[bytes]:
    """Read the lines of an export, some megabytes at a time."""
    store, page = installation.ready(), 0
    while (lines := store.read(read_export, operation.id, page)) is not None:
        yield lines
        page += 1
