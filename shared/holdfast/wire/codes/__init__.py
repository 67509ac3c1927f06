"""What the codes of providers' errors mean: one table per dialect, each row with its source."""

from holdfast.wire.codes.lookup import CODE_TABLES, find_row

__all__ = ["CODE_TABLES", "find_row"]
