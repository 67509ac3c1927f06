"""Write docs/configuration.md from the schema: ``python -m holdfast.config.reference [--check]``."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path as File

from holdfast.config.presets import PRESETS
from holdfast.config.schema_tree import Node, keys_of, node_at, resolved
from holdfast.config.toml_positions import Path
from holdfast.model.environment import VARIABLES

TARGET = File("docs/configuration.md")
KINDS = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "number": "number",
    "array": "list of tables",
    "object": "table of texts",
}
TABLES: Mapping[str, Path] = {
    "[server]": ("server",),
    "[storage]": ("storage",),
    "[worker]": ("worker",),
    "[webhooks]": ("webhooks",),
    "[alerts]": ("alerts",),
    "[providers.NAME]": ("providers", "NAME"),
    "[providers.NAME] credentials": ("providers", "NAME", "credentials", 0),
    "[providers.NAME] credentials, oauth2": ("providers", "NAME", "credentials", 0, "oauth2"),
    "[providers.NAME] credentials, token": ("providers", "NAME", "credentials", 0, "token"),
    "[providers.NAME.limits]": ("providers", "NAME", "limits"),
    "[providers.NAME.breaker]": ("providers", "NAME", "breaker"),
    "[models.NAME]": ("models", "NAME"),
    "[models.NAME.hedge]": ("models", "NAME", "hedge"),
    "[models.NAME] routes": ("models", "NAME", "routes", 0),
    "[models.NAME] routes, price": ("models", "NAME", "routes", 0, "price"),
}
INTRODUCTION = """\
# Configuration

<!-- Written by `python -m holdfast.config.reference`. Change the schema, not this page. -->

Holdfast reads the file named by `--config`, else the one named by `HOLDFAST_CONFIG`, else `holdfast.toml` in the
working directory. Without a file it keeps everything in `.holdfast/` and knows the providers whose key is in the
environment: those of the table of providers at the end of this page. The same are known where a file names no provider.
[holdfast.example.toml](holdfast.example.toml) shows every table.

`HOLDFAST_DATABASE_URL` and `HOLDFAST_REDIS_URL` override the file. `holdfast config check` prints every mistake at
once, each with file, line, key, what was expected, what was found, and the nearest valid name; it ends with status 78.

Durations are texts such as `"500ms"`, `"120s"`, `"5m"`, `"2h"`, or numbers of seconds. Relative paths start from the
working directory. Secrets are references, read again when they change ([howto/credentials.md](howto/credentials.md)):

| reference | leads to |
| --- | --- |
| `env:NAME` | an environment variable |
| `file:PATH` | the content of a file |
| `command:WORDS` | what a command prints (no shell, at most ten seconds) |
| `none` | no key, for servers that want none |

A job asks for a model alias, for `provider/model`, or for a model by its provider's own name ([lines.md](lines.md)).
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join(
        [INTRODUCTION, *(_section(title, path) for title, path in TABLES.items()), *_environment(), *_presets()]
    )


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` only compare; 1 when it is out of date."""
    if "--check" not in arguments:
        TARGET.write_text(page(), encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{TARGET} is out of date: run `python -m holdfast.config.reference`.\n")
    return 1


def _environment() -> Iterator[str]:
    yield "## Environment\n\n| variable | meaning |\n| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items())
    yield ""


def _presets() -> Iterator[str]:
    yield '## Providers by name\n\n`api = "groq"` stands for format, address, dialect and the variable of the key.'
    yield "What the table says goes before; with another `base_url` there is no key unless `credentials` says so."
    yield "\n| `api` | format | address | key | from |\n| --- | --- | --- | --- | --- |"
    for name, each in PRESETS.items():
        key = f"`{each.key}`" if each.key else "none"
        yield f"| `{name}` | `{each.api.value}` | `{each.address}` | {key} | {each.source} |"
    yield ""


def _section(title: str, path: Path) -> str:
    return "\n".join([f"## `{title}`", "", node_at(path)["description"], "", *_rows(path), ""])


def _rows(path: Path) -> Iterator[str]:
    yield "| key | kind | default | meaning |"
    yield "| --- | --- | --- | --- |"
    required = node_at(path).get("required", ())
    for key, node in keys_of(path).items():
        default = "required" if key in required else _default(node)
        yield f"| `{key}` | {_kind(node)} | {default} | {node.get('description', '')} |"


def _default(node: Node) -> str:
    """Write a default as one would write it in the file."""
    match node.get("default"):
        case None:
            return ""
        case float(seconds) if _kind(node) == "duration":
            return f'`"{seconds:g}s"`'
        case str(text):
            return f'`"{text}"`'
        case bool(flag):
            return f"`{str(flag).lower()}`"
        case value:
            return f"`{value}`"


def _kind(node: Node) -> str:
    match resolved(node):
        case {"format": "duration"}:
            return "duration"
        case {"enum": options}:
            return ", ".join(f"`{option}`" for option in options)
        case {"type": "object", "properties": _}:
            return "table"
        case {"type": "array", "items": {"type": "string"}}:
            return "list of texts"
        case {"type": kind}:
            return KINDS[kind]
    raise TypeError(f"no word for {node}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
