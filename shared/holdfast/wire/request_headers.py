"""Headers that belong to a request and may travel with it: an allow-list, and none that logs in or routes."""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest

# What providers document as part of a request: versions and betas, attribution, guardrails, cache affinity, tracing.
ALLOWED = (
    "anthropic-", "openai-", "groq-", "traceparent", "tracestate",
    "x-amzn-bedrock-", "x-client-request-id", "x-dashscope-", "x-grok-", "x-ms-client-request-id", "x-openrouter-",
    "x-session-affinity", "x-title", "x-vertex-ai-", "http-referer",
)  # fmt: skip
# Words of names that log in, with whatever prefix, or that lead the call elsewhere: to a host, an account, a workspace.
LOGIN = re.compile(r"auth|api-?key|(?<![a-z])key(?![a-z])|token|secret|cookie|credential|password|session-id|signature")
ROUTING = re.compile(
    r"host|forwarded|organi[sz]ation|project|workspace|account|tenant|deployment|proxy|target|base-url|api-base"
)
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
VALUE = re.compile(r"[\x20-\x7e]{1,2000}")
BETAS = "anthropic-beta"


def read_headers(value: Any, where: str) -> dict[str, str]:
    """Read the headers of a line, names in lower case. Raises InvalidRequest: which must not travel, and why."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(where, "expected an object of names and texts.")
    return {str(name).lower(): _value(str(name).lower(), text, where) for name, text in value.items()}


def _value(name: str, value: Any, where: str) -> str:
    place = f"{where}.{name[:100]}"
    if LOGIN.search(name):
        raise InvalidRequest(place, "logs in, which is for the provider's credentials to do.", "Leave it out.")
    if ROUTING.search(name):
        raise InvalidRequest(place, "says where a call goes or who pays, which is for the plan to do.", "Leave it out.")
    if not NAME.fullmatch(name) or not name.startswith(ALLOWED):
        known = ", ".join(f"{each}…" if each.endswith("-") else each for each in ALLOWED)
        raise InvalidRequest(place, "is no header that travels with a request.", f"Those that do: {known}.")
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        raise InvalidRequest(place, "expected a text of printable ASCII characters.")
    return value


def travelling(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those headers that may be sent with a request, whatever was stored of it."""
    return {name: value for name, value in headers.items() if _travels(name)}


def _travels(name: str) -> bool:
    return name.startswith(ALLOWED) and not LOGIN.search(name) and not ROUTING.search(name)


def with_betas(headers: Mapping[str, str], betas: Any, where: str) -> dict[str, str]:
    """Add the betas that Anthropic's SDK takes as an argument to the header that it makes of them.

    Raises: InvalidRequest: they are no texts.
    """
    if betas is None:
        return dict(headers)
    if not isinstance(betas, list) or not all(isinstance(beta, str) for beta in betas):
        raise InvalidRequest(where, "expected an array of texts.")
    joined = join_betas(headers.get(BETAS), *betas)
    return {**headers, **({BETAS: _value(BETAS, joined, where)} if joined else {})}


def join_betas(*lists: str | None) -> str:
    """Join lists of betas, as the header has them, into one that names each once.

    >>> join_betas("a,b", None, "b, c")
    'a,b,c'
    """
    if not any(lists):
        return ""
    named = (beta.strip() for each in lists for beta in (each or "").split(","))
    return ",".join(dict.fromkeys(beta for beta in named if beta))


def refuse_login(query: str, where: str) -> None:
    """Refuse a query that logs in. Raises InvalidRequest."""
    for pair in query.split("&"):
        name = pair.partition("=")[0].lower().replace("_", "-")
        if LOGIN.search(name) or name in {"sig", "code"}:
            raise InvalidRequest(f"{where}.{name[:40]}", "logs in, which is for the provider's credentials to do.")
