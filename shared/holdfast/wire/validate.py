"""Checks an answer against the JSON Schema that its job asked for.

Rust's regular expressions take time linear in the text, so a pattern of a producer's cannot hold up the other calls of
its worker. Look-around and references back have no such engine: those patterns may take so many steps and no more.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import jsonschema_rs
import orjson
from jsonschema_rs import FancyRegexOptions, RegexOptions, ValidationError, ValidationErrorKind

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import Request

STEPS = 100_000  # of one match that may turn back; some milliseconds
META = "$schema"


class Validator(Protocol):
    """What every draft's validator has."""

    def iter_errors(self, instance: Any) -> Any: ...


class Uncheckable(Exception):
    """No answer can be held against a schema. The text says why, in words that a fault may show."""


def check(request: Request, reply: Reply) -> Fault | None:
    """Return what is wrong with a reply by ``request.output``; None where it satisfies it or nothing was asked.

    A reply that was cut, refused, or that calls tools is not an answer yet, and is let through as what it is.
    The fault names the place in the answer and the rule that it breaks, never the answer's words.
    """
    if request.output is None or reply.finish in {Finish.LENGTH, Finish.REFUSED} or reply.tool_calls:
        return None
    try:
        answer = orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        return _fault("the answer is no JSON.", reply)
    if request.output.json_schema is None:
        return None if isinstance(answer, dict) else _fault("the answer is no JSON object.", reply)
    return _broken(answer, request.output.json_schema, reply)


def _broken(answer: Any, schema: Mapping[str, Any], reply: Reply) -> Fault | None:
    try:
        found = next(iter(compiled(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).iter_errors(answer)), None)
    except Uncheckable as error:
        return _fault(str(error), reply)
    if found is None:
        return None
    rule = found.schema_path[-1] if found.schema_path else "false"
    return _fault(f"the answer breaks the job's JSON Schema at {_json_path(found.instance_path)}: {rule}.", reply)


def _json_path(parts: list[str | int]) -> str:
    """Name a place in an answer.

    >>> _json_path(["a", 0, "b c"])
    "$.a[0]['b c']"
    """
    path = "$"
    for part in parts:
        path += f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!r}]"
    return path


def _fault(message: str, reply: Reply) -> Fault:
    return Fault(FaultKind.BAD_OUTPUT, message, provider_request_id=reply.provider_request_id)


@lru_cache(maxsize=512)
def compiled(schema: bytes) -> Validator:
    """Return the validator of a schema in canonical JSON; made once for all jobs that share it. Raises Uncheckable.

    A reference to another address is never followed.
    """
    parsed = _known_draft(orjson.loads(schema))
    try:
        return _compile(parsed, RegexOptions())
    except ValidationError as error:
        if not _is_pattern(error):
            raise Uncheckable(_why(error)) from None
    except (ValueError, RecursionError):
        raise Uncheckable("the job's JSON Schema is nested too deeply.") from None
    try:
        return _compile(parsed, FancyRegexOptions(backtrack_limit=STEPS))
    except ValidationError as error:
        raise Uncheckable(_why(error)) from None


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
        return f"is no JSON Schema: at {_json_path(error.instance_path)}, {error.message[:200]}"
    except (ValueError, RecursionError):
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
