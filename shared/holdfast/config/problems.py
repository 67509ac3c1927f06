"""One way to say what is wrong with a configuration: file:line: key: expected …, got …; nearest valid name …"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from holdfast.config.presets import NAMES
from holdfast.config.schema_tree import keys_of, node_at
from holdfast.config.toml_positions import Path
from holdfast.config.toml_types import Expected

ELSEWHERE: Mapping[str, tuple[str, ...]] = {  # what other programs call a key, and how it is called here
    **dict.fromkeys(("api_key", "apikey", "key", "keys", "token", "secret"), ("credentials", "secret")),
    **dict.fromkeys(("url", "endpoint", "api_base", "host"), ("base_url", "database_url")),
    **dict.fromkeys(("timeout", "request_timeout"), ("deadline",)),
    **dict.fromkeys(("rpm", "rate_limit", "requests_per_second"), ("requests_per_minute",)),
    **dict.fromkeys(("tpm", "tokens_per_minute"), ("input_tokens_per_minute",)),
    **dict.fromkeys(("max_concurrency", "parallel", "max_in_flight"), ("concurrency",)),
    **dict.fromkeys(("workers", "replicas"), ("processes",)),
    **dict.fromkeys(("type", "format", "kind"), ("api",)),
    **dict.fromkeys(("name", "model_name", "deployment"), ("model",)),
}
LONGEST = 60  # characters of a value that are repeated in an error
_SECRET = re.compile(r"secret|key|token|password|credential", re.IGNORECASE)
_USER_PART = re.compile(r"^(.*?//)?.*@", re.DOTALL)
_SECRET_PART = re.compile(r"((?:password|passwd|token|key|secret)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong. ``path`` leads to the key; ``expected`` and ``got`` are phrases without a full stop."""

    path: Path
    expected: str
    got: str
    nearest: str | None = None

    def render(self, where: str) -> str:
        """Say it as one line; ``where`` is ``file:line``, or the environment."""
        hint = f"; nearest valid name {self.nearest}" if self.nearest else ""
        key = f"{dotted(self.path)}: " if self.path else ""
        return f"{where}: {key}expected {self.expected}, got {self.got}{hint}"


def from_pydantic(error: ErrorDetails) -> ConfigProblem:
    """Put an error of pydantic's into our words."""
    path: Path = tuple(error["loc"])
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return unknown_key(path)
    if error["type"] == "missing":
        return ConfigProblem(path, "a value", "nothing")
    if path[-1:] == ("[key]",):
        return ConfigProblem(path[:-1], "a name of letters, digits, dots, dashes and underscores", repr(error["input"]))
    got = shown(path, error["input"])
    if error["type"] == "enum":
        valid = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        valid = [*NAMES] if path[-1] == "api" else valid
        return ConfigProblem(path, f"one of {', '.join(valid)}", got, nearest(str(error["input"]), valid))
    if isinstance(context.get("error"), Expected):
        return ConfigProblem(path, str(context["error"]), got)
    a_table = error["type"] in {"dict_type", "model_type", "model_attributes_type"}
    return ConfigProblem(path, table_like(path) if a_table else _expectation(error["type"], context, error["msg"]), got)


def unknown_key(path: Path) -> ConfigProblem:
    """Name the keys that there are, and the one that was meant: a slip of the finger, or another program's word."""
    name, valid = str(path[-1]), sorted(keys_of(path[:-1]))
    near = next((key for key in ELSEWHERE.get(name.lower(), ()) if key in valid), None) or nearest(name, valid)
    return ConfigProblem(path, f"one of {', '.join(valid)}", "a key that does not exist", near)


def table_like(path: Path) -> str:
    """Say what a table is to look like: by its header, or by the keys that it needs."""
    if len(path) == 1 and not keys_of(path):
        return f"a table for each: [{path[0]}.NAME]"
    needed = " and ".join(node_at(path).get("required", ()))
    return f"a table with {needed}: {{ … }}" if needed else "a table"


_PHRASES: Mapping[str, str] = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:.15g}",
    "greater_than_equal": "a number of at least {ge:.15g}",
    "less_than_equal": "a number of at most {le:.15g}",
    "string_too_short": "a text that is not empty",
    "too_short": "a list that is not empty",
    "string_pattern_mismatch": "letters, digits, dots, dashes and underscores",
}


def _expectation(kind: str, context: Mapping[str, Any], message: str) -> str:
    return _PHRASES[kind].format(**context) if kind in _PHRASES else message.removeprefix("Input should be ")


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Find the valid name that a slip of the finger made into ``name``.

    >>> nearest("concurency", ["concurrency", "processes"])
    'concurrency'
    """
    return next(iter(get_close_matches(name.lower(), list(valid), n=1, cutoff=0.5)), None)


def shown(path: Path, value: object) -> str:
    """Repeat a value in an error, but nothing that may be a secret."""
    match value:
        case dict():
            return "a table"
        case list():
            return f"a list of {len(value)}"
        case str() if _SECRET.search(dotted(path)):
            return f"a text of {len(value)} characters (not shown: it may be the secret itself)"
        case str():
            text = _SECRET_PART.sub(r"\1***", _USER_PART.sub(r"\1***@", value))
            return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def dotted(path: Path) -> str:
    """Write a path as an operator would.

    >>> dotted(("models", "smart", "routes", 0, "provider"))
    'models.smart.routes[0].provider'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
