"""Input lines: the OpenAI batch line, the Anthropic one, and Holdfast's plain one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.fields import Fields
from holdfast.wire.neutral import KEYS, read_neutral, read_plain
from holdfast.wire.reading import refuse_depth

TERMS = ("mapping", "on_refusal")
OUTER = ("custom_id", "model", "priority", "expires_in", "metadata", *TERMS)
OPENAI_LINE = ("custom_id", "method", "url", "body", "priority", "expires_in", "metadata", *TERMS)
ANTHROPIC_LINE = ("custom_id", "params", "priority", "expires_in", "metadata", *TERMS)
Choice = TypeVar("Choice", bound=StrEnum)
ENDPOINTS: Mapping[str, Api] = {"/v1/chat/completions": Api.OPENAI_CHAT, "/v1/responses": Api.OPENAI_RESPONSES}


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """One line, understood. ``api`` is the format it was written in, None for the plain one."""

    custom_id: str | None
    model: str
    request: Request
    priority: Priority = Priority.BATCH
    expires_in: float | None = None  # seconds after acceptance
    metadata: Mapping[str, str] = field(default_factory=dict)
    api: Api | None = None


def read_job(value: Any, default_model: str | None = None) -> ParsedLine:
    """Read one job that is JSON already, in any of the three shapes, or with a neutral ``request``.

    Raises: InvalidRequest: names the key, what was expected, and what to do.
    """
    fields = Fields(value, "")
    if "body" in fields:
        return _openai_line(fields, default_model)
    if "params" in fields:
        return _anthropic_line(fields, default_model)
    _known(fields, (*OUTER, *KEYS, "request"))
    refuse_depth(value, "")
    neutral = fields.any("request")
    request = read_plain(fields) if neutral is None else read_neutral(neutral, "request")
    return _line(fields, fields.text("model") or default_model, request, None)


def _openai_line(fields: Fields, default_model: str | None) -> ParsedLine:
    _known(fields, OPENAI_LINE)
    body, url = fields.need_object("body"), fields.text("url")
    if (fields.text("method") or "POST").upper() != "POST":
        raise InvalidRequest("method", "expected POST.")
    if url is not None and url not in ENDPOINTS:
        raise InvalidRequest("url", f"expected one of {', '.join(ENDPOINTS)}.")
    api = ENDPOINTS[url] if url else Api.OPENAI_RESPONSES if "input" in body else Api.OPENAI_CHAT
    read = responses.read_request if api is Api.OPENAI_RESPONSES else chat.read_request
    model = Fields(body, "body").text("model") or default_model
    return _line(fields, model, read(body, "body"), api)


def _anthropic_line(fields: Fields, default_model: str | None) -> ParsedLine:
    _known(fields, ANTHROPIC_LINE)
    params = fields.need_object("params")
    model = Fields(params, "params").text("model") or default_model
    return _line(fields, model, anthropic.read_request(params, "params"), Api.ANTHROPIC)


def _line(fields: Fields, model: str | None, request: Request, api: Api | None) -> ParsedLine:
    if not model:
        raise InvalidRequest("model", "is missing.", "Name one in the line or with --model.")
    return ParsedLine(
        custom_id=fields.text("custom_id"),
        model=model,
        request=_with_terms(fields, request, api),
        priority=_priority(fields),
        expires_in=_expires_in(fields),
        metadata=_metadata(fields),
        api=api,
    )


def _with_terms(fields: Fields, request: Request, api: Api | None) -> Request:
    """Add what the line allows us to do with its request."""
    strictness, on_refusal = _one_of(fields, "mapping", Strictness), _one_of(fields, "on_refusal", OnRefusal)
    terms: dict[str, Any] = {"strictness": strictness, "on_refusal": on_refusal}
    if strictness is Strictness.NEVER and api is not None:
        terms["written_in"] = api.value
    given = {key: value for key, value in terms.items() if value is not None}
    return request.model_copy(update=given) if given else request


def _one_of(fields: Fields, key: str, kind: type[Choice]) -> Choice | None:
    name = fields.text(key)
    if name is not None and name not in set(kind):
        raise InvalidRequest(key, f"expected {' or '.join(kind)}, got {name[:40]!r}.")
    return kind(name) if name else None


def _known(fields: Fields, known: tuple[str, ...]) -> None:
    """Refuse a key that is none of ``known``, naming the nearest one."""
    for key in fields.rest():
        if key not in known:
            near = get_close_matches(key.lower(), known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            raise InvalidRequest(key[:60], "is not known here.", hint)


def _priority(fields: Fields) -> Priority:
    return _one_of(fields, "priority", Priority) or Priority.BATCH


def _expires_in(fields: Fields) -> float | None:
    """Seconds as a number, or a text such as "90s", "5m", "24h"."""
    value = fields.any("expires_in")
    if value is None:
        return None
    seconds = parse_duration(str(value)) if not isinstance(value, bool) else None
    if not seconds:
        raise InvalidRequest("expires_in", 'expected seconds above zero, or a text such as "5m" or "24h".')
    return seconds


def _metadata(fields: Fields) -> Mapping[str, str]:
    metadata = fields.object("metadata") or {}
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise InvalidRequest(f"metadata.{key}", "expected a string.")
    return metadata
