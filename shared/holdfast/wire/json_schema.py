"""JSON Schemas, compiled: answers are held against them.

Rust's regular expressions take time linear in the text, so a pattern of a producer's cannot hold up the other calls of
its worker. Look-around and references back have no such engine: those patterns may take so many steps and no more.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

import jsonschema_rs
from jsonschema_rs import FancyRegexOptions, RegexOptions, ValidationError, ValidationErrorKind

from holdfast.model import exact_json

LONGEST_PATTERN = 10_000  # characters; compiling costs some milliseconds then, and seconds for a hundred times that
STEPS = 100_000  # of one match that may turn back; some milliseconds
META = "$schema"


class Validator(Protocol):
    """What every draft's validator has."""

    def iter_errors(self, instance: Any) -> Any: ...

    def is_valid(self, instance: Any) -> bool: ...


class Uncheckable(Exception):
    """No answer can be held against a schema. The text says why, in words that a fault may show."""


def breaks(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value breaks a small schema of ours."""
    return not compiled(exact_json.canonical(schema)).is_valid(value)


def is_linear(pattern: str) -> bool:
    """Tell whether a regular expression can be matched in time linear in the text."""
    try:
        _compile({"pattern": pattern}, RegexOptions())
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=512)
def compiled(schema: bytes) -> Validator:
    """Return the validator of a schema in canonical JSON; made once for all jobs that share it. Raises Uncheckable.

    A reference to another address is never followed.
    """
    parsed = _known_draft(exact_json.loads(schema))
    if any(len(pattern) > LONGEST_PATTERN for pattern in _patterns(parsed)):
        raise Uncheckable("the job's JSON Schema has a pattern that is too long.")
    try:
        return _compile(parsed, RegexOptions())
    except ValidationError as error:
        if not _is_pattern(error):
            raise Uncheckable(_why(error)) from None
    try:
        return _compile(parsed, FancyRegexOptions(backtrack_limit=STEPS))
    except ValidationError as error:
        raise Uncheckable(_why(error)) from None


def _patterns(schema: Any) -> Iterator[str]:
    """Yield every text that may be a pattern of a schema."""
    left = [schema]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left.extend(each.values())
            yield from (each["pattern"],) if isinstance(each.get("pattern"), str) else ()
            yield from each["patternProperties"] if isinstance(each.get("patternProperties"), dict) else ()
        elif isinstance(each, list):
            left.extend(each)


def _compile(schema: Any, options: RegexOptions | FancyRegexOptions) -> Validator:
    return jsonschema_rs.validator_for(schema, pattern_options=options, offline=True)


def _is_pattern(error: ValidationError) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Format) and error.kind.format == "regex"


def _why(error: ValidationError) -> str:
    if _is_pattern(error):
        return "the job's JSON Schema has a pattern that cannot be read."
    if isinstance(error.kind, ValidationErrorKind.Referencing):
        return "the job's JSON Schema refers to what is not in it."
    return "the job's JSON Schema cannot be read."


def schema_problem(schema: dict[str, Any]) -> str | None:
    """Return what makes ``schema`` no JSON Schema; None where it is one."""
    try:
        jsonschema_rs.meta.validate(_known_draft(schema))
    except ValidationError as error:
        return f"is no JSON Schema: at {json_path(error.instance_path)}, {error.message[:200]}"
    except (TypeError, ValueError, RecursionError):
        return "is nested too deeply."
    return None


def _known_draft(schema: Any) -> Any:
    """Leave out a draft that is not built in: the newest goes then, and nobody is asked for the other."""
    if not isinstance(schema, dict) or META not in schema or _is_built_in(schema[META]):
        return schema
    return {name: value for name, value in schema.items() if name != META}


def _is_built_in(draft: object) -> bool:
    return not isinstance(draft, str) or draft.rstrip("#").rstrip("/") in DRAFTS


DRAFTS = frozenset(
    {f"http://json-schema.org/draft-0{number}/schema" for number in (4, 6, 7)}
    | {f"https://json-schema.org/draft/{year}/schema" for year in ("2019-09", "2020-12")}
)


def json_path(parts: list[str | int]) -> str:
    """Name a place in an answer.

    >>> json_path(["a", 0, "b c"])
    "$.a[0]['b c']"
    """
    path = "$"
    for part in parts:
        path += f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!r}]"
    return path
