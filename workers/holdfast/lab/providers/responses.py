"""OpenAI Responses, the provider's side. Errors, codes and limit headers are those of Chat Completions."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.lab.providers.chat import OVERLOADED, RAMP, REQUEST_ID, SPEND, TOO_LONG, costs, error, limit_headers
from holdfast.lab.providers.prompt import Prompt, SimAnswer, wrong

__all__ = [
    "OVERLOADED", "PATH", "RAMP", "REQUEST_ID", "SPEND", "TOO_LONG", "costs", "error", "failed", "limit_headers",
    "read", "refuse_to_answer", "without_content", "write",
]  # fmt: skip

PATH = "/v1/responses"

FIELDS = frozenset(
    "model input instructions max_output_tokens text reasoning tools "  # noqa: SIM905  so many names read best as words
    "tool_choice parallel_tool_calls store metadata previous_response_id truncation background "
    "background_options service_tier temperature top_p safety_identifier user prompt_cache_key "
    "prompt_cache_options include stream max_tool_calls top_logprobs conversation".split()
)


def read(body: Mapping[str, Any]) -> Prompt:
    """Read a request. Raises RequestRefused where the provider would answer 400."""
    for name in ("model", "input"):
        if not body.get(name):
            raise wrong(f"Missing required parameter: '{name}'.", "missing_required_parameter")
    for name in body.keys() - FIELDS:
        raise wrong(f"Unknown parameter: '{name}'.", "unknown_parameter")
    effort = (body.get("reasoning") or {}).get("effort")
    return Prompt(
        model=str(body["model"]),
        text=_last_text(body["input"]),
        max_tokens=body.get("max_output_tokens"),
        schema=_shape((body.get("text") or {}).get("format") or {}),
        tool=_forced_tool(body),
        reasoning=effort not in {None, "none"},
    )


def _last_text(items: Any) -> str:
    if isinstance(items, str):
        return items
    if not isinstance(items, list) or not isinstance(items[-1], dict):
        raise wrong("Invalid type for 'input': expected a string or an array of items.", "invalid_type")
    content = items[-1].get("content", items[-1].get("output", ""))
    if not isinstance(content, list):
        return str(content)
    return "\n".join(part["text"] for part in content if part.get("type") in {"input_text", "text"})


def _shape(wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    match wanted.get("type"):
        case "json_schema":
            for name in ("name", "schema"):
                if name not in wanted:
                    raise wrong(f"Missing required parameter: 'text.format.{name}'.", "missing_required_parameter")
            schema: Mapping[str, Any] = wanted["schema"]
            return schema
        case "json_object":
            return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return None


def _forced_tool(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    choice = body.get("tool_choice")
    tools = {tool["name"]: tool.get("parameters") or {} for tool in body.get("tools") or () if "name" in tool}
    if choice == "required" and tools:
        return next(iter(tools.items()))
    if isinstance(choice, dict) and choice.get("type") == "function":
        name = str(choice.get("name"))
        if name not in tools:
            raise wrong(f"Tool choice '{name}' not found in 'tools'.", "invalid_value")
        return name, tools[name]
    return None


def write(model: str, answer: SimAnswer, number: int) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if answer.reasoning:
        output.append({"id": f"rs_sim{number:08x}", "type": "reasoning", "summary": []})
    if answer.text:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        output.append(_message([part], number))
    if answer.tool is not None:
        name, given = answer.tool
        call = {"id": f"fc_sim{number:08x}", "call_id": f"call_sim{number:08x}", "name": name}
        arguments = orjson.dumps(given).decode()
        output.append({"type": "function_call", **call, "arguments": arguments, "status": "completed"})
    return {
        "id": f"resp_sim{number:08x}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "incomplete" if answer.cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if answer.cut else None,
        "error": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": {
            "input_tokens": answer.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.input_tokens + answer.output_tokens,
        },
    }


def _message(parts: list[dict[str, Any]], number: int) -> dict[str, Any]:
    return {
        "id": f"msg_sim{number:08x}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": parts,
    }


def refuse_to_answer(body: dict[str, Any]) -> dict[str, Any]:
    """Turn a success body into one in which the model declines."""
    return {**body, "output": [_message([{"type": "refusal", "refusal": "I cannot help with that."}], 0)]}


def without_content(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "output": []}


def failed(body: dict[str, Any]) -> dict[str, Any]:
    """Tell a failure of the model: this API does so inside a 200."""
    return {**body, "status": "failed", "output": [], "error": {"code": "server_error", "message": "The model failed."}}
