"""SQL, the truth: tables, guarded statements, migrations. The only importer of sqlmodel."""

from typing import TYPE_CHECKING

from holdfast.store.counters import Counters
from holdfast.store.store import Store

if TYPE_CHECKING:
    from holdfast.store.writer import GroupWriter

__all__ = ["Counters", "GroupWriter", "Store"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the writer when it is asked for: only workers have one."""
        if name != "GroupWriter":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from holdfast.store.writer import GroupWriter  # noqa: PLC0415 - see above

        return GroupWriter
