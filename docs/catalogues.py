"""What the code logs, and where docs/logs.md differs from it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOTS = ("shared", "producers", "workers")
LEVELS = ("debug", "info", "warning", "error", "critical")
ROW = re.compile(r"^\| `([^`]+)` \| ([a-z, ]+) \| ([^|]*) \|", re.MULTILINE)


@dataclass(slots=True)
class Event:
    """One kind of log line: the levels at which it comes, and the fields it carries beside level and time."""

    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)

    def row(self, name: str) -> str:
        """The row of the catalogue, up to what it means."""
        levels = ", ".join(sorted(self.levels, key=LEVELS.index))
        return f"| `{name}` | {levels} | {', '.join(f'`{each}`' for each in sorted(self.fields))} |"


def events(root: Path) -> dict[str, Event]:
    """Every event that the code logs, by name; of a library's logger the sentence stands for the name."""
    found: dict[str, Event] = defaultdict(Event)
    for path in (path for source in ROOTS for path in sorted((root / source).rglob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            match call:
                case ast.Call(ast.Attribute(ast.Name("log"), level), [first, *_], keywords):
                    for name in _names(first, tree):
                        found[name].levels.add("error" if level == "exception" else level)
                        found[name].fields |= {each.arg for each in keywords if each.arg and each.arg != "exc_info"}
    return found


def _names(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The texts that an expression may stand for: itself, or the values of the table that it looks into."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.Subscript(ast.Name(table)):
            tables = (each for each in tree.body if isinstance(each, ast.Assign | ast.AnnAssign))
            targets = {
                ast.unparse(each.targets[0] if isinstance(each, ast.Assign) else each.target): each.value
                for each in tables
            }
            for value in getattr(targets.get(table), "values", ()):
                yield from _names(value, tree)
        case _:
            raise ValueError(f"line {node.lineno}: the name of a log event stands nowhere: {ast.unparse(node)}")


def log_problems(root: Path) -> list[str]:
    """Where docs/logs.md differs from what the code logs."""
    page = (root / "docs" / "logs.md").read_text(encoding="utf-8")
    rows = {name: f"| `{name}` | {levels} | {fields} |" for name, levels, fields in ROW.findall(page)}
    known = events(root)
    wrong = [
        f"docs/logs.md lacks: {event.row(name)}"
        for name, event in sorted(known.items())
        if event.row(name) != rows.get(name)
    ]
    return wrong + [
        f"docs/logs.md explains `{name}`, which nothing logs" for name in sorted(rows.keys() - known.keys())
    ]
