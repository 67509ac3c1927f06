"""Input lines: the OpenAI batch line, the Anthropic one, and Holdfast's plain one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority
from holdfast.model.receiver_address import split_url
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Api
from holdfast.model.start_time import EXPECTED, StartTime, parse_start
from holdfast.model.written import WrittenRequest
from holdfast.wire.endpoints import (
    MESSAGES,
    OPENAI,
    ApiEndpoint,
    UrlTarget,
    demand_fitting,
    evident,
    read_url,
    with_terms,
)
from holdfast.wire.fields import Fields
from holdfast.wire.must import read_must
from holdfast.wire.neutral import KEYS, read_neutral, read_plain
from holdfast.wire.reading import refuse_depth
from holdfast.wire.request_headers import BETAS, join_betas, read_headers, refuse_login
from holdfast.wire.written import has_reading, read_written
from holdfast.wire.written_body import OWN_TERMS, Json, SdkArguments, parse_line, refuse_half_characters, written_member

TERMS = ("mapping", "on_refusal", "must", "repair")
OUTER = ("custom_id", "model", "priority", "expires_in", "not_before", "metadata", "webhook", *TERMS)
OPENAI_LINE = ("method", "url", "body", "headers", *OUTER)
LONGEST = 1e12  # seconds, beyond any that is taken
ANTHROPIC_LINE = ("params", "headers", *OUTER)
INNER = tuple(name for name in OUTER if name != "model")  # what a body may say to us, in its member ``holdfast``
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """One line, understood. ``api`` is the format it was written in, None for the plain one."""

    custom_id: str | None
    model: str
    request: Request
    priority: Priority = Priority.BATCH
    expires_in: float | None = None  # seconds after acceptance, or after ``not_before``
    metadata: Mapping[str, str] = field(default_factory=dict)
    webhook: str | None = None  # the URL that is told of its end
    not_before: StartTime | None = None

    @property
    def api(self) -> Api | None:
        return self.request.written.api if self.request.written else None


def read_job(
    line: Json | Mapping[str, Any], default_model: str | None = None, parsed: Mapping[str, Any] | None = None
) -> ParsedLine:
    """Read one job, in any of the three shapes, or with a neutral ``request``.

    Args:
        line: JSON as it was written, whose body is kept byte for byte; or the same as Python objects.
        default_model: Of a line that names none.
        parsed: The same line as Python objects, where that is at hand.

    Raises: InvalidRequest: names the key, what was expected, and what to do.
    """
    value = parse_line(line) if parsed is None else parsed
    refuse_half_characters(line)
    fields = Fields(value, "")
    if "body" in fields:
        return _openai_line(fields, line, default_model)
    if "params" in fields:
        return _anthropic_line(fields, line, default_model)
    _known(fields, (*OUTER, *KEYS, "request"))
    refuse_depth(value, "")
    neutral = fields.any("request")
    request = read_plain(fields) if neutral is None else read_neutral(neutral, "request")
    return _line(fields, fields.text("model") or default_model, request)


def _openai_line(fields: Fields, line: Json | Mapping[str, Any], default_model: str | None) -> ParsedLine:
    _known(fields, OPENAI_LINE)
    body, url = fields.need_object("body"), fields.text("url")
    if (fields.text("method") or "POST").upper() != "POST":
        raise InvalidRequest("method", "expected POST.")
    target = read_url(url) if url else None
    request, terms = _written(fields, line, "body", body, target)
    model = fields.text("model") or Fields(body, "body").text("model") or (target and target.deployment)
    return _line(_with_inner(fields, terms), model or default_model, request)


def _anthropic_line(fields: Fields, line: Json | Mapping[str, Any], default_model: str | None) -> ParsedLine:
    _known(fields, ANTHROPIC_LINE)
    params = fields.need_object("params")
    request, terms = _written(fields, line, "params", params, UrlTarget(MESSAGES))
    model = fields.text("model") or Fields(params, "params").text("model") or default_model
    return _line(_with_inner(fields, terms), model, request)


def _with_inner(fields: Fields, terms: Mapping[str, Any]) -> Fields:
    """Join what a body says to us with what its line says, which comes first. Raises InvalidRequest."""
    if not terms:
        return fields
    inner = Fields(terms, OWN_TERMS)
    _known(inner, INNER)
    outer = {key: value for key, value in fields.given.items() if value is not None}
    return Fields({**terms, **{key: outer[key] for key in INNER if key in outer}}, "")


def _written(
    fields: Fields, line: Json | Mapping[str, Any], key: str, body: Mapping[str, Any], target: UrlTarget | None
) -> tuple[Request, Mapping[str, Any]]:
    """Read the request that a line holds under ``key``, and keep it as it was written; and what it says to us."""
    arguments = SdkArguments(body, key, betas=key == "params" or (target is not None and target.endpoint is MESSAGES))
    parsed = arguments.parsed(body)
    target = target or UrlTarget(evident(parsed))
    demand_fitting(target.endpoint, parsed, key)
    refuse_login(target.query, "url")
    query = "&".join(each for each in (target.query, arguments.query) if each)
    written = WrittenRequest(
        api=_api(target.endpoint),
        path=target.endpoint.path + (f"?{query}" if query else ""),
        body=arguments.sliced(written_member(line, key)),
        headers=_headers(fields, arguments),
    )
    return read_written(written, key, parsed), arguments.terms


def _headers(fields: Fields, arguments: SdkArguments) -> Mapping[str, str]:
    """Join the headers of the line with those that its body names; betas of both count."""
    own, more = read_headers(fields.object("headers"), "headers"), arguments.headers
    betas = join_betas(own.get(BETAS), more.get(BETAS))
    return own | more | ({BETAS: betas} if betas else {})


def _api(endpoint: ApiEndpoint) -> Api:
    """Return the format that has the endpoint; where several have it, the plan's routes decide later."""
    return endpoint.apis[0] if endpoint.apis else OPENAI[0]


def _line(fields: Fields, model: str | None, request: Request) -> ParsedLine:
    if not model:
        raise InvalidRequest("model", "is missing.", "Name one in the line or with --model.")
    return ParsedLine(
        custom_id=fields.text("custom_id"),
        model=model,
        request=_with_terms(fields, request),
        priority=_priority(fields),
        expires_in=_expires_in(fields),
        not_before=_not_before(fields),
        metadata=_metadata(fields),
        webhook=_webhook(fields),
    )


def _webhook(fields: Fields) -> str | None:
    """Return the URL that is told of a job's end; which hosts are let in depends on the configuration."""
    url = fields.text("webhook")
    if url is not None:
        split_url(url)
    return url


def _with_terms(fields: Fields, request: Request) -> Request:
    """Add what the line says of its request besides the request itself."""
    inside = [rule.model_dump(exclude_none=True) for rule in request.must]  # of a neutral request
    given, repair = fields.any("must"), fields.flag("repair") or request.repair
    must = read_must(inside if given is None else given)
    if must and request.written is not None and not has_reading(request.written):
        raise InvalidRequest("must", "is for answers in words: this endpoint's are held against nothing.")
    if repair and not must and request.output is None:
        raise InvalidRequest("repair", "needs a must or an output schema that an answer can break.")
    own: dict[str, Any] = {"must": must or None, "repair": repair}
    strictness, on_refusal = _one_of(fields, "mapping", Strictness), _one_of(fields, "on_refusal", OnRefusal)
    return with_terms(request, strictness, on_refusal, **own)


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
            raise InvalidRequest(fields.place(key[:60]), "is not known here.", hint)


def _priority(fields: Fields) -> Priority:
    return _one_of(fields, "priority", Priority) or Priority.BATCH


def _expires_in(fields: Fields) -> float | None:
    """Seconds as a number, or a text such as "90s", "5m", "24h"."""
    value = fields.any("expires_in")
    if value is None:
        return None
    seconds = _seconds(value)
    if seconds is None or seconds <= 0:
        raise InvalidRequest("expires_in", 'expected seconds above zero, or a text such as "5m" or "24h".')
    return seconds


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        return parse_duration(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(min(value, LONGEST)) if is_number and math.isfinite(value) else None


def _not_before(fields: Fields) -> StartTime | None:
    value = fields.any("not_before")
    start = parse_start(value)
    if value is not None and start is None:
        raise InvalidRequest("not_before", f"expected {EXPECTED}.")
    return start


def _metadata(fields: Fields) -> Mapping[str, str]:
    metadata = fields.object("metadata") or {}
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise InvalidRequest(f"metadata.{key}", "expected a string.")
    return metadata
