"""SQL, the truth: tables, guarded statements, migrations. The only importer of sqlmodel."""

from holdfast.store.counters import Counters
from holdfast.store.store import Store
from holdfast.store.writer import GroupWriter

__all__ = ["Counters", "GroupWriter", "Store"]
