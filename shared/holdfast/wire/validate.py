"""Holding an answer against the shape that its job asked for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import Request

NOWHERE: Registry[Any] = Registry()  # a schema's reference to another address is never followed


def check(request: Request, reply: Reply) -> Fault | None:
    """Hold the reply against ``request.output``; None where it satisfies it or nothing was asked.

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
    return _hold(answer, request.output.json_schema, reply)


def _hold(answer: Any, schema: Mapping[str, Any], reply: Reply) -> Fault | None:
    try:
        broken = next(compiled(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).iter_errors(answer), None)
    except (Unresolvable, RecursionError):
        return _fault("the job's JSON Schema refers to what is not in it.", reply)
    if broken is None:
        return None
    return _fault(f"the answer breaks the job's JSON Schema at {broken.json_path}: {broken.validator}.", reply)


def _fault(message: str, reply: Reply) -> Fault:
    return Fault(FaultKind.BAD_OUTPUT, message, provider_request_id=reply.provider_request_id)


@lru_cache(maxsize=512)
def compiled(schema: bytes) -> Validator:
    """The validator of a schema in canonical JSON; made once for all jobs that share it."""
    parsed = orjson.loads(schema)
    return validator_for(parsed, default=Draft202012Validator)(parsed, registry=NOWHERE)


def schema_problem(schema: dict[str, Any]) -> str | None:
    """What makes ``schema`` no JSON Schema; None where it is one."""
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"is no JSON Schema: at {error.json_path}, {error.message[:200]}"
    except RecursionError:
        return "is nested too deeply."
    return None
