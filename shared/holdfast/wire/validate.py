"""Checks an answer against the JSON Schema and the rules that its job asked for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.model import exact_json
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import Output, Request
from holdfast.wire.finishes import PAUSED
from holdfast.wire.json_schema import Uncheckable, compiled, json_path
from holdfast.wire.must import broken_rule

UNFINISHED = frozenset({Finish.LENGTH, Finish.REFUSED, Finish.TOOL_CALLS})


def check(request: Request, reply: Reply) -> Fault | None:
    """Return what is wrong with a reply by ``output`` and ``must`` of its request; None where it keeps to them.

    A reply that was cut, refused, paused, or that calls tools is not an answer yet, and is let through as what it is.
    The fault names the place in the answer and the rule that it breaks, never the answer's words. Where no answer could
    be held against the schema, it is ``wrong_everywhere``.
    """
    if reply.finish in UNFINISHED or reply.finish_word in PAUSED:
        return None
    if request.output is not None and (fault := _check_output(request.output, reply)) is not None:
        return fault
    rule = broken_rule(request.must, reply.text)
    return _fault(f"the answer breaks {rule}.", reply) if rule else None


def _check_output(output: Output, reply: Reply) -> Fault | None:
    try:
        answer = exact_json.loads(reply.text)
    except ValueError:
        return _fault("the answer is no JSON.", reply)
    if output.json_schema is None:
        return None if isinstance(answer, dict) else _fault("the answer is no JSON object.", reply)
    try:
        broken = _broken(answer, output.json_schema)
    except Uncheckable as error:
        return replace(_fault(str(error), reply), wrong_everywhere=True)
    return _fault(f"the answer breaks the job's JSON Schema at {broken}.", reply) if broken else None


def _broken(answer: Any, schema: Mapping[str, Any]) -> str | None:
    """Return the first place that breaks a schema, and its rule. Raises Uncheckable."""
    try:
        key = exact_json.canonical(schema)
        found = next(iter(compiled(key).iter_errors(answer)), None)
    except Uncheckable:
        raise
    except (TypeError, ValueError):  # of jsonschema_rs, and of canonical: what is beyond them in depth or kind
        why = "one of them is nested too deeply, or holds what JSON cannot say"
        raise Uncheckable(f"the answer cannot be held against the job's JSON Schema: {why}.") from None
    if found is None:
        return None
    return f"{json_path(found.instance_path)}: {found.schema_path[-1] if found.schema_path else 'false'}"


def _fault(message: str, reply: Reply) -> Fault:
    return Fault(FaultKind.BAD_OUTPUT, message, provider_request_id=reply.provider_request_id)
