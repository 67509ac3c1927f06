"""Write docs/configuration.md from the forms: ``python -m holdfast.config.reference [--check]``."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from holdfast.config.schema import (
    BreakerForm,
    CredentialForm,
    HedgeForm,
    LimitsForm,
    ModelForm,
    OAuth2Form,
    PriceForm,
    ProviderForm,
    RouteForm,
    ServerForm,
    StorageForm,
    TokenForm,
    WorkerForm,
    seconds,
)

TARGET = Path("docs/configuration.md")
TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[server]", ServerForm),
    ("[storage]", StorageForm),
    ("[worker]", WorkerForm),
    ("[providers.NAME]", ProviderForm),
    ("[providers.NAME] credentials", CredentialForm),
    ("[providers.NAME] credentials, oauth2", OAuth2Form),
    ("[providers.NAME] credentials, token", TokenForm),
    ("[providers.NAME.limits]", LimitsForm),
    ("[providers.NAME.breaker]", BreakerForm),
    ("[models.NAME]", ModelForm),
    ("[models.NAME.hedge]", HedgeForm),
    ("[models.NAME] routes", RouteForm),
    ("[models.NAME] routes, price", PriceForm),
)
INTRODUCTION = """\
# Configuration

<!-- Written by `python -m holdfast.config.reference`. Change the forms, not this page. -->

Holdfast reads the file named by `--config`, else the one named by `HOLDFAST_CONFIG`, else `holdfast.toml` in the
working directory. Without a file it keeps everything in `.holdfast/` and knows the providers whose key is in the
environment: `anthropic` (`ANTHROPIC_API_KEY`), `openai` (`OPENAI_API_KEY`), `gemini` (`GEMINI_API_KEY`). The same three
are known where a file names no provider. [holdfast.example.toml](holdfast.example.toml) shows every table.

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

A job asks for a model alias, or for `provider/model` directly.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *(_section(title, form) for title, form in TABLES)])


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` only compare; 1 when it is out of date."""
    if "--check" not in arguments:
        TARGET.write_text(page(), encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{TARGET} is out of date: run `python -m holdfast.config.reference`.\n")
    return 1


def _section(title: str, form: type[BaseModel]) -> str:
    return "\n".join([f"## `{title}`", "", (form.__doc__ or "").strip(), "", *_rows(form), ""])


def _rows(form: type[BaseModel]) -> Iterator[str]:
    yield "| key | kind | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in form.model_fields.items():
        yield f"| `{name}` | {_kind(field)} | {_default(field)} | {field.description or ''} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or isinstance(default, BaseModel | dict):
        return ""
    return f"`{_toml(field, default)}`"


def _toml(field: FieldInfo, value: object) -> str:
    """Write a default as one would write it in the file."""
    if _kind(field) == "duration":
        return f'"{value:g}s"'
    return f'"{value}"' if isinstance(value, str) else str(value)


def _kind(field: FieldInfo) -> str:
    return "duration" if _is_duration(field.metadata) else _named(field.annotation)


def _named(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return _named(next(option for option in get_args(annotation) if option is not type(None)))
    if origin is Annotated:
        return "duration" if _is_duration(annotation.__metadata__) else _named(get_args(annotation)[0])
    if origin in {list, dict}:
        return "list of tables" if origin is list else "table of texts"
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in get_args(annotation))
    return _plain(annotation)


def _plain(annotation: Any) -> str:
    if issubclass(annotation, StrEnum):
        return ", ".join(f"`{each}`" for each in annotation)
    if issubclass(annotation, BaseModel):
        return "table"
    return {str: "text", int: "whole number", float: "number"}[annotation]


def _is_duration(metadata: Iterable[Any]) -> bool:
    return any(getattr(each, "func", None) is seconds for each in metadata)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
