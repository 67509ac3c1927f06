"""How much of the table of failures is understood right, from bytes on the wire through the real adapters (bar: all).

Each row is answered by a server on the loopback for each of the three APIs; the figure is the share of answers that
became the right kind of fault.
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fault_table.rows import LINES, ROWS
from fault_table.test_rows import CASES, ask
from figures import Figure, show
from holdfast.model.fault import Fault


async def main() -> int:
    wrong: list[str] = []
    for case in CASES:
        row, api = case.values
        found = await ask(row, api)
        if (found.kind if isinstance(found, Fault) else None) is not row.kind:
            wrong.append(str(case.id))
    lines = {row.line for row in ROWS} | {LINES}
    figures = [
        Figure("lines of the table", len(lines), ("=", LINES)),
        Figure("cases", len(CASES)),
        Figure("share understood right", 1 - len(wrong) / len(CASES), ("=", 1)),
    ]
    return show("rows of the table of failures", figures, wrong=wrong)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
