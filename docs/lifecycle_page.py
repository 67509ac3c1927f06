"""The parts of docs/job-lifecycle.md that are made from the table of moves: its diagram and its rows."""

import re
from pathlib import Path

from holdfast.model.job import TERMINAL, State
from holdfast.policy.moves import LEGAL, MOVES, Move

DIAGRAM = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
TABLE = re.compile(r"^\| move \| who \|.*?(?=\n\n)", re.DOTALL | re.MULTILINE)
HEAD = """\
| move | who | when | what is written with it | where it dies before the commit |
| --- | --- | --- | --- | --- |
"""


def lifecycle_page(page: Path) -> str:
    """The page with both parts as they are now."""
    written = DIAGRAM.sub(lambda _: _diagram(), page.read_text(encoding="utf-8"))
    return TABLE.sub(lambda _: HEAD + "\n".join(map(_row, MOVES)), written)


def _diagram() -> str:
    arrows = [f"    {move.before or '[*]'} --> {move.after}" for move in MOVES]
    ends = [f"    {state} --> [*]" for state in State if state in TERMINAL and not LEGAL[state]]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, *ends, "```\n"])


def _row(move: Move) -> str:
    named = f"`{move.before}` to `{move.after}`" if move.before else f"to `{move.after}`"
    return f"| {named} | {move.who} | {move.when} | {move.written} | {move.if_it_dies} |"
