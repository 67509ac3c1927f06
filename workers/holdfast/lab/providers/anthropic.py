"""Anthropic Messages, the provider's side: read a body, write an answer, an error, the limit headers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.lab.providers.limiter import MINUTE, RateBucket
from holdfast.lab.providers.prompt import ErrorAnswer, Prompt, SimAnswer, wrong

PATH = "/v1/messages"
REQUEST_ID = "request-id"
OVERLOADED = ErrorAnswer(529, "Overloaded")
SPEND = ErrorAnswer(429, "This organization has reached its spend limit.", "enforced_spend_limit_reached")
RAMP = ErrorAnswer(429, "Traffic grew too fast.", "ramp_limit_exceeded")
TOO_LONG = ErrorAnswer(400, "prompt is too long: 250000 tokens > 200000 maximum")

TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

# API version 2026-10-21: sampling parameters are gone, and what is not named here is refused.
FIELDS = frozenset(
    "model messages max_tokens system stop_sequences metadata service_tier "  # noqa: SIM905  so many names read best as words
    "speed inference_geo thinking output_config tools tool_choice cache_control container stream".split()
)


def read(body: Mapping[str, Any]) -> Prompt:
    """Read a request. Raises RequestRefused where the provider would answer 400."""
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise wrong(f"{name}: Field required")
    for name in body.keys() - FIELDS:
        raise wrong(f"{name}: Extra inputs are not permitted")
    turns = body["messages"]
    if not isinstance(turns, list) or not turns:
        raise wrong("messages: at least one message is required")
    if turns[0].get("role") != "user":
        raise wrong("messages: first message must use the user role")
    if turns[-1].get("role") == "assistant":
        raise wrong("messages: the conversation must end with a user message (prefill is not supported)")
    text = [_text(turn.get("content"), place) for place, turn in enumerate(turns)][-1]
    shape = (body.get("output_config") or {}).get("format") or {}
    return Prompt(
        model=str(body["model"]),
        text=text,
        max_tokens=body["max_tokens"],
        schema=shape.get("schema"),
        tool=_forced_tool(body),
    )


def _text(content: Any, place: int) -> str:
    if isinstance(content, str):
        found = [content]
    elif isinstance(content, list):
        found = [block["text"] for block in content if block.get("type") == "text"]
    else:
        raise wrong(f"messages.{place}.content: Input should be a valid string or list")
    if not content or "" in found:
        raise wrong(f"messages.{place}.content: text content blocks must be non-empty")
    return "\n".join(found)


def _forced_tool(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    choice = body.get("tool_choice") or {}
    tools = {tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools", ())}
    match choice.get("type"):
        case "tool" if choice.get("name") not in tools:
            raise wrong(f"tool_choice: Tool {choice.get('name')!r} not found in provided tools")
        case "tool":
            return choice["name"], tools[choice["name"]]
        case "any" if tools:
            return next(iter(tools.items()))
    return None


def write(model: str, answer: SimAnswer, number: int) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if answer.text:
        content.append({"type": "text", "text": answer.text, "citations": None})
    if answer.tool is not None:
        name, given = answer.tool
        content.append({"type": "tool_use", "id": f"toolu_sim{number:08x}", "name": name, "input": given})
    return {
        "id": f"msg_sim{number:08x}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "max_tokens" if answer.cut else "tool_use" if answer.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": answer.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": answer.output_tokens,
            "service_tier": "standard",
        },
    }


def refuse_to_answer(body: dict[str, Any]) -> dict[str, Any]:
    """Turn a success body into one in which the model declines."""
    return {**body, "content": [], "stop_reason": "refusal", "stop_details": {"type": "refusal", "category": None}}


def without_content(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "content": []}


def failed(body: dict[str, Any]) -> dict[str, Any]:
    return error(OVERLOADED, body["id"])


def error(refusal: ErrorAnswer, request_id: str) -> dict[str, Any]:
    kind = refusal.type or TYPES.get(refusal.status, "api_error")
    said: dict[str, Any] = {"type": kind, "message": refusal.message}
    if refusal.code is not None:
        said["details"] = {"error_code": refusal.code}
    return {"type": "error", "error": said, "request_id": request_id}


def limit_headers(buckets: Mapping[str, RateBucket], now: float) -> dict[str, str]:
    """What is left, as of the last refill. Token figures are rounded to thousands, as the provider does."""
    headers: dict[str, str] = {}
    for name, bucket in buckets.items():
        dimension = name.replace("_", "-")
        left = max(0, int(bucket.level))
        full_at = datetime.fromtimestamp(now + bucket.full_in(), UTC)
        headers[f"anthropic-ratelimit-{dimension}-limit"] = f"{bucket.rate * MINUTE:.0f}"
        headers[f"anthropic-ratelimit-{dimension}-remaining"] = str(left if name == "requests" else round(left, -3))
        headers[f"anthropic-ratelimit-{dimension}-reset"] = full_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return headers


def costs(prompt: Prompt, answer: SimAnswer) -> dict[str, float]:
    """What a call takes from each bucket: the real output; ``max_tokens`` reserves nothing."""
    del prompt
    return {"requests": 1, "input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
