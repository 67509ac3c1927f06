"""The demo's input: what Python's own standard library says about itself. Real text that every machine has."""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHORTEST = 60  # characters of a docstring worth asking about
LONGEST = 600
SHAPE = {
    "type": "json_schema",
    "json_schema": {
        "name": "entry",
        "schema": {
            "type": "object",
            "properties": {
                "purpose": {"type": "string"},
                "audience": {"type": "string", "enum": ["beginner", "everyday", "expert"]},
            },
            "required": ["purpose", "audience"],
            "additionalProperties": False,
        },
    },
}


def lines(jobs: int) -> list[dict[str, Any]]:
    """Input lines for ``jobs`` jobs, in the plain form.

    Every fourth goes to `careful`, whose plan has one route only, and every fifth asks for JSON of a fixed shape.
    """
    made: list[dict[str, Any]] = []
    for name, says in documentation():
        if len(made) == jobs:
            break
        line = {
            "custom_id": name,
            "model": "careful" if len(made) % 4 == 3 else "smart",  # noqa: PLR2004  every fourth
            "prompt": f"Explain `{name}` in one sentence. Its documentation says: {says}",
            "max_tokens": 400,
        }
        made.append({**line, "response_format": SHAPE} if len(made) % 5 == 0 else line)
    return made


def documentation() -> Iterator[tuple[str, str]]:
    """(qualified name, docstring) of public functions and classes, module by module; nothing is imported."""
    root = Path(sysconfig.get_path("stdlib"))
    for module in sorted(sys.stdlib_module_names):
        if module.startswith("_"):
            continue
        path = next((p for p in (root / f"{module}.py", root / module / "__init__.py") if p.is_file()), None)
        if path is None:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue
        yield from _documented(module, tree)


def _documented(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    seen = set()
    for owner, body in [("", tree.body), *((f"{c.name}.", c.body) for c in tree.body if isinstance(c, ast.ClassDef))]:
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            says = " ".join((ast.get_docstring(node) or "").split())
            name = f"{module}.{owner}{node.name}"
            if len(says) >= SHORTEST and name not in seen:
                seen.add(name)
                yield name, says[:LONGEST]
