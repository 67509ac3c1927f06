"""OpenAI Chat Completions, the provider's side. Error and limit shapes here serve the Responses API too."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.lab.providers.limiter import MINUTE, RateBucket
from holdfast.lab.providers.prompt import ErrorAnswer, Prompt, SimAnswer, wrong

PATH = "/v1/chat/completions"
REQUEST_ID = "x-request-id"
OVERLOADED = ErrorAnswer(503, "The server is overloaded.", "server_is_overloaded", "server_error")
SPEND = ErrorAnswer(429, "You have run out of credits.", "credit_balance_exhausted", "insufficient_quota")
RAMP = ErrorAnswer(429, "Your traffic grew too fast.", "slow_down", "rate_limit_error")
TOO_LONG = ErrorAnswer(400, "This model's maximum context length is 200000 tokens.", "context_length_exceeded")

CODES: Mapping[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("server_error", "server_is_overloaded"),
}
FIRST_SERVER_ERROR = 500
MOST_STOPS = 4

FIELDS = frozenset(
    "model messages max_completion_tokens max_tokens stop temperature top_p "  # noqa: SIM905  so many names read best as words
    "response_format tools tool_choice parallel_tool_calls reasoning_effort verbosity service_tier metadata "
    "store seed safety_identifier user n prompt_cache_key prompt_cache_options presence_penalty "
    "frequency_penalty logit_bias logprobs top_logprobs stream modalities audio prediction web_search_options".split()
)


def read(body: Mapping[str, Any]) -> Prompt:
    """Read a request. Raises RequestRefused where the provider would answer 400."""
    for name in ("model", "messages"):
        if not body.get(name):
            raise wrong(f"Missing required parameter: '{name}'.", "missing_required_parameter")
    for name in body.keys() - FIELDS:
        raise wrong(f"Unknown parameter: '{name}'.", "unknown_parameter")
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > MOST_STOPS:
        raise wrong("Invalid 'stop': array too long.", "array_above_max_length")
    return Prompt(
        model=str(body["model"]),
        text=_last_text(body["messages"]),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        schema=_shape(body.get("response_format") or {}),
        tool=_forced_tool(body),
    )


def _last_text(turns: Any) -> str:
    if not isinstance(turns, list) or not isinstance(turns[-1], dict):
        raise wrong("Invalid type for 'messages': expected an array of objects.", "invalid_type")
    content = turns[-1].get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong("Invalid value for 'messages[-1].content'.", "invalid_type")
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def _shape(wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    match wanted.get("type"):
        case "json_schema":
            named = wanted.get("json_schema") or {}
            if "name" not in named:
                raise wrong("Missing required parameter: 'response_format.json_schema.name'.")
            schema: Mapping[str, Any] = named.get("schema", {})
            return schema
        case "json_object":
            return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return None


def _forced_tool(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    choice = body.get("tool_choice")
    functions = [tool["function"] for tool in body.get("tools") or () if tool.get("type") == "function"]
    tools = {function["name"]: function.get("parameters", {}) for function in functions}
    if choice == "required" and tools:
        return next(iter(tools.items()))
    if isinstance(choice, dict):
        name = str((choice.get("function") or {}).get("name"))
        if name not in tools:
            raise wrong(f"Tool choice '{name}' not found in 'tools'.", "invalid_value")
        return name, tools[name]
    return None


def write(model: str, answer: SimAnswer, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.tool is not None:
        name, given = answer.tool
        function = {"name": name, "arguments": orjson.dumps(given).decode()}
        message["tool_calls"] = [{"id": f"call_sim{number:08x}", "type": "function", "function": function}]
    finish = "length" if answer.cut else "tool_calls" if answer.tool else "stop"
    return {
        "id": f"chatcmpl-sim{number:08x}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def refuse_to_answer(body: dict[str, Any]) -> dict[str, Any]:
    """Turn a success body into one in which the model declines."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "refusal": "I cannot help with that.",
        "annotations": [],
    }
    return {**body, "choices": [{**body["choices"][0], "message": message}]}


def without_content(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "choices": []}


def failed(body: dict[str, Any]) -> dict[str, Any]:
    return error(OVERLOADED, body["id"])


def error(refusal: ErrorAnswer, request_id: str) -> dict[str, Any]:
    del request_id  # it travels in a header only
    default = ("server_error" if refusal.status >= FIRST_SERVER_ERROR else "invalid_request_error", None)
    kind, code = CODES.get(refusal.status, default)
    return {
        "error": {
            "message": refusal.message,
            "type": refusal.type or kind,
            "param": None,
            "code": refusal.code or code,
        }
    }


def limit_headers(buckets: Mapping[str, RateBucket], now: float) -> dict[str, str]:  # noqa: ARG001  the port's
    """What is left, as of the last refill: requests, and tokens of both directions together."""
    headers: dict[str, str] = {}
    for name, bucket in buckets.items():
        if name == "output_tokens":
            continue
        dimension = "requests" if name == "requests" else "tokens"
        headers[f"x-ratelimit-limit-{dimension}"] = f"{bucket.rate * MINUTE:.0f}"
        headers[f"x-ratelimit-remaining-{dimension}"] = str(max(0, int(bucket.level)))
        headers[f"x-ratelimit-reset-{dimension}"] = f"{bucket.full_in() * 1000:.0f}ms"
    return headers


def costs(prompt: Prompt, answer: SimAnswer) -> dict[str, float]:
    """What a call takes from each bucket: tokens of both directions, with ``max_tokens`` reserved up front."""
    reserved = max(prompt.max_tokens or 0, answer.output_tokens)
    return {"requests": 1, "input_tokens": answer.input_tokens + reserved, "output_tokens": reserved}
