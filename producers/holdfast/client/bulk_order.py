"""What is asked of a bulk action on dead letters."""

from dataclasses import dataclass, field
from typing import Literal

from holdfast.model.records import JobFilter, ReplayEdit


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """A bulk action on the dead letters that ``where`` fits: oldest first, at most ``limit``.

    ``per_minute`` paces the starts of a replay; None: as the buckets allow. ``edit``: what a replay changes.
    """

    action: Literal["replay", "drain", "drop"]
    where: JobFilter
    limit: int | None = None
    per_minute: float | None = None
    edit: ReplayEdit = field(default_factory=ReplayEdit)
