"""Endpoints of the providers' APIs: what a line's url names, what a body must hold for it, and which routes serve it.

Sources: OpenAI's API reference (batch object: ``endpoint``), Azure's REST reference (``/openai/deployments/…``),
Anthropic's API reference (``/v1/messages``), and the addresses that compatible servers document for OpenAI's SDK.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Api, Plan, Route
from holdfast.model.written import WrittenRequest

OPENAI = (Api.OPENAI_CHAT, Api.OPENAI_RESPONSES)


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """``path`` is relative to a route's base, as the format's SDK posts it. ``apis`` are the wire formats that have it.

    ``needs``: keys of which a body holds one; empty: nothing is known of it.
    """

    path: str
    apis: tuple[Api, ...]
    needs: tuple[str, ...] = ()


CHAT = ApiEndpoint("/chat/completions", (Api.OPENAI_CHAT,), ("messages",))
RESPONSES = ApiEndpoint(
    "/responses", (Api.OPENAI_RESPONSES,), ("input", "prompt", "previous_response_id", "conversation")
)
MESSAGES = ApiEndpoint("/v1/messages", (Api.ANTHROPIC,), ("messages",))
EMBEDDINGS = ApiEndpoint("/embeddings", OPENAI, ("input",))
PASSING = (
    EMBEDDINGS,
    ApiEndpoint("/moderations", OPENAI, ("input",)),
    ApiEndpoint("/completions", OPENAI, ("prompt",)),
    ApiEndpoint("/images/generations", OPENAI, ("prompt",)),
    ApiEndpoint("/rerank", OPENAI, ("query",)),
)
KNOWN: Mapping[str, ApiEndpoint] = {each.path: each for each in (CHAT, RESPONSES, MESSAGES, *PASSING)}

# What stands before an endpoint in addresses that people copy: nothing, a version, or a server's own.
PREFIX = re.compile(
    r"(?:/api|/openai|/anthropic|/compatible-mode|/inference)?(?:/deployments/(?P<deployment>[^/]+)|/v1beta/openai|/v1(?:beta)?)?"
)
PATH = re.compile(r"(?:/[A-Za-z0-9._~:@!$&'()*+,;=%-]+)+")
LONGEST_PATH = 300  # characters
NAMES_NOTHING = frozenset({"api-version", "beta"})  # of a query: the route's own setting; a mark of Anthropic's SDK
RESPONSES_ALONE = frozenset(
    {
        "instructions",
        "max_output_tokens",
        "reasoning",
        "text",
        "tools",
        "tool_choice",
        "include",
        "store",
        "stream",
        "previous_response_id",
        "conversation",
        "truncation",
        "background",
        "temperature",
        "top_p",
        "metadata",
    }
)  # fmt: skip - keys of a body with ``input`` that no embedding and no moderation has
SHOWN_URLS = "/v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings"


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """What a line's url names: an endpoint, what of its query is sent, and Azure's deployment where it names one."""

    endpoint: ApiEndpoint
    query: str = ""
    deployment: str | None = None


def read_url(url: str) -> UrlTarget:
    """Read a line's url: a path with or without ``/v1``, Azure's spelling, or a whole address. Raises InvalidRequest.

    >>> read_url("/openai/deployments/gpt/chat/completions?api-version=2024-10-21").endpoint.path
    '/chat/completions'
    """
    parts = urlsplit(url if "://" in url else "/" + url.lstrip("/"))
    path, prefix = parts.path.rstrip("/"), PREFIX.match(parts.path)
    if not PATH.fullmatch(path) or len(url) > LONGEST_PATH or ".." in path or parts.scheme not in {"", "http", "https"}:
        raise InvalidRequest("url", f"expected the path of an endpoint, such as {SHOWN_URLS}.")
    deployment = unquote(prefix["deployment"]) if prefix and prefix["deployment"] else None
    query = "&".join(each for each in parts.query.split("&") if each and each.partition("=")[0] not in NAMES_NOTHING)
    return UrlTarget(_endpoint(path, whole=bool(parts.scheme)), query, deployment)


def _endpoint(path: str, *, whole: bool) -> ApiEndpoint:
    """Find the endpoint at the end of ``path``; of a ``whole`` address anything may stand before a known one."""
    bare = bare_path(path)
    known = KNOWN.get(bare) or (MESSAGES if bare == "/messages" else None)
    if known is None and whole:
        known = next((each for each in KNOWN.values() if path.endswith(each.path)), None)
    return known or ApiEndpoint(bare, ())


def bare_path(path: str) -> str:
    """Cut off what stands before an endpoint; a path that is nothing else stays what it is.

    >>> [bare_path(path) for path in ("/v1/embeddings", "/embeddings", "/openai/v1/embeddings", "/v1/messages", "/v1")]
    ['/embeddings', '/embeddings', '/embeddings', '/messages', '/v1']
    """
    found = PREFIX.match(path)
    return path[found.end() :] or path if found and path[found.end() :].startswith("/") else path


def evident(body: Mapping[str, Any]) -> ApiEndpoint:
    """Say what a body without a url asks for, where it alone tells. Raises InvalidRequest: what it lacks."""
    given = {key for key, value in body.items() if value is not None}
    if "messages" in given:
        return CHAT
    if "input" in given and (given & RESPONSES_ALONE or _is_conversation(body["input"])):
        return RESPONSES
    takers = [f"/v1{each.path}" for each in (RESPONSES, *PASSING) if given & set(each.needs)]
    if not takers:
        raise InvalidRequest("body.messages", "is missing, and there is no url that wants something else.")
    held = ", ".join(sorted(given & {key for each in (RESPONSES, *PASSING) for key in each.needs}))
    raise InvalidRequest("url", f"is missing, and a body with {held} may be for {' or '.join(takers)}.", "Name one.")


def _is_conversation(given: Any) -> bool:
    return isinstance(given, list) and any(isinstance(item, Mapping) and "role" in item for item in given)


def demand_fitting(endpoint: ApiEndpoint, body: Mapping[str, Any], where: str) -> None:
    """Refuse a body that cannot belong to its endpoint, by what it lacks. Raises InvalidRequest."""
    if not endpoint.needs or any(body.get(key) is not None for key in endpoint.needs):
        return
    others = [each for each in KNOWN.values() if each.needs and any(body.get(key) is not None for key in each.needs)]
    hint = f"This body fits {' or '.join(_url(each) for each in others)}." if others else ""
    raise InvalidRequest(f"{where}.{endpoint.needs[0]}", f"is missing, and {_url(endpoint)} needs it.", hint)


def _url(endpoint: ApiEndpoint) -> str:
    return endpoint.path if endpoint.path.startswith("/v1/") else f"/v1{endpoint.path}"


def with_terms(request: Request, strictness: Strictness | None, on_refusal: OnRefusal | None, **more: Any) -> Request:
    """Add to a reading what its line allows us to do with it; ``more`` are further fields of a request."""
    terms: dict[str, Any] = {"strictness": strictness, "on_refusal": on_refusal, **more}
    if strictness is Strictness.NEVER and request.written is not None:
        terms["written_in"] = request.written.api.value
    given = {key: value for key, value in terms.items() if value is not None}
    return request.model_copy(update=given) if given else request


def takes(route: Route, path: str) -> bool:
    """Tell whether a route has an endpoint: one of its format's own, or one that its provider's settings allow.

    ``path`` as in ``ApiEndpoint``, perhaps with a query.
    """
    bare = path.partition("?")[0]
    known = KNOWN.get(bare)
    return (known is not None and route.api.wire in known.apis) or bare_path(bare) in map(bare_path, route.endpoints)


def place(written: WrittenRequest, plan: Plan) -> WrittenRequest | None:
    """Give a request without a reading the format of the first route of its plan that has its endpoint; None: none has.

    Formats whose base ends before the version, as Anthropic's does, have it in the path.
    """
    route = next((route for route in plan.routes if takes(route, written.path)), None)
    if route is None:
        return None
    api = route.api.wire
    path = f"/v1{written.path}" if api is Api.ANTHROPIC and not written.path.startswith("/v1/") else written.path
    return WrittenRequest(api, path, written.body, written.headers)
