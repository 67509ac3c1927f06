"""What is sent for a request: to its own wire format what was written, to another what its reading says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from holdfast.model import exact_json
from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.reply import Reply
from holdfast.model.request import Request
from holdfast.model.route import Api, Dialect
from holdfast.model.written import WrittenRequest
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.anthropic.write import DEFAULT_MAX_TOKENS
from holdfast.wire.endpoint_reply import read_endpoint_reply
from holdfast.wire.pass_through import Pieces, pass_through
from holdfast.wire.strictness import demand_exact
from holdfast.wire.written import endpoint_of, has_reading

CLOUD_PROFILES: Mapping[Api, chat.ServerProfile] = {Api.AZURE_OPENAI: chat.AZURE, Api.OPENAI_BEDROCK: chat.OPENAI}


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format at one provider: where its calls go, how they are written and read.

    ``profile``: how the server differs, where it speaks Chat Completions.
    """

    api: Api
    path: str
    write: Callable[[Request, str], tuple[dict[str, Any], MappingReport]]
    read: Callable[[Any], Reply]
    profile: chat.ServerProfile | None = None


def format_of(api: Api, base_url: str, dialect: Dialect | None = None) -> Format:
    """Return the wire format of a provider."""
    if api.wire is Api.ANTHROPIC:
        return Format(api, "/v1/messages", anthropic.write_request, anthropic.read_reply)
    if api.wire is Api.OPENAI_RESPONSES:
        return Format(api, "/responses", responses.write_request, responses.read_reply)
    profile = CLOUD_PROFILES.get(api) or chat.profile_of(base_url, dialect)
    write = partial(chat.write_request, profile=profile)
    return Format(api, "/chat/completions", write, chat.read_reply, profile)


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """One request as it will be sent, and how its answer is read. ``pieces`` are its body."""

    path: str
    pieces: Pieces = field(repr=False)
    report: MappingReport
    read: Callable[[Any], Reply]
    headers: Mapping[str, str] = field(default_factory=dict)


def write_outgoing(format_: Format, model: str, request: Request, ceiling: int | None = None) -> OutgoingRequest:
    """Write a request for ``model``. Raises Unmappable.

    ``ceiling``: the most output tokens that the provider granted this job, where it refused more.
    """
    written = request.written
    if written is not None and written.api is format_.api.wire:
        pieces, report = pass_through(written, model, format_.profile, ceiling=ceiling)
        outgoing = OutgoingRequest(written.path, pieces, report, _reader(format_, written), written.headers)
    else:
        outgoing = _mapped(format_, model, request, ceiling)
    demand_exact(request, format_.api, outgoing.report)
    return outgoing


def _reader(format_: Format, written: WrittenRequest) -> Callable[[Any], Reply]:
    return format_.read if has_reading(written) else partial(read_endpoint_reply, endpoint_of(written))


def _mapped(format_: Format, model: str, request: Request, ceiling: int | None) -> OutgoingRequest:
    lowered, notes = _lowered(format_, request, ceiling)
    fields, report = format_.write(lowered, model)
    try:
        body = exact_json.dumps(fields)
    except TypeError as error:
        raise Unmappable(format_.api.value, f"the request cannot be written as JSON: {error}.") from None
    told = replace(report, notes=(*report.notes, *notes)) if notes else report
    return OutgoingRequest(format_.path, (body,), told, format_.read)


def _lowered(format_: Format, request: Request, ceiling: int | None) -> tuple[Request, tuple[MappingNote, ...]]:
    """Lower the maximum of output to what the provider grants; our own, where the format requires one, is no loss."""
    asked = request.max_tokens
    if asked is None and format_.api.wire is Api.ANTHROPIC and ceiling is not None:
        return request.model_copy(update={"max_tokens": min(ceiling, DEFAULT_MAX_TOKENS)}), ()
    if asked is None or ceiling is None or asked <= ceiling:
        return request, ()
    note = MappingNote("max_tokens", f"lowered from {asked} to {ceiling}: a provider named that as its most")
    return request.model_copy(update={"max_tokens": ceiling}), (note,)
