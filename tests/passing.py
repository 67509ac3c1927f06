"""A request that passes through, in one piece."""

from typing import Any

from holdfast.model.job import MappingReport
from holdfast.wire import pass_through as passing


def pass_through(*args: Any, **options: Any) -> tuple[bytes, MappingReport]:
    pieces, report = passing.pass_through(*args, **options)
    return b"".join(pieces), report
