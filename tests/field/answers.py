"""Answers and errors in the shapes of the three wire formats, and lines to ask for them."""

from typing import Any

from field.case import Answer, Line, When, any_request

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
TOOL = {
    "name": "weather",
    "description": "Tell the weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def chat(text: str | None = "fine", finish: str | None = "stop", when: When = any_request, **message: Any) -> Answer:
    """A whole answer of the Chat format."""
    said = {"role": "assistant", "content": text, **message}
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}
    return Answer(body, when=when)


def call(arguments: str) -> Answer:
    """A Chat answer that calls one tool."""
    made = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    return chat(None, "tool_calls", tool_calls=[made])


def claude(*content: Any, stop: str = "end_turn", when: When = any_request) -> Answer:
    """A whole answer of the Messages format; text where no block is given."""
    body = {
        "id": "m", "type": "message", "role": "assistant", "model": "m",
        "content": list(content), "stop_reason": stop, "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 3},
    }  # fmt: skip
    return Answer(body, when=when)


def text_block(text: str = "fine") -> dict[str, str]:
    return {"type": "text", "text": text}


def responses(*output: Any, status: str = "completed", when: When = any_request, **more: Any) -> Answer:
    """A whole answer of the Responses format."""
    body = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "error": None,
        "output": list(output), "usage": {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}, **more,
    }  # fmt: skip
    return Answer(body, when=when)


def said(text: str = "fine", **more: Any) -> dict[str, Any]:
    """A message of a Responses answer."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content, **more}


def error(status: int, message: str, *, type: str | None = None, code: Any = None, when: When = any_request) -> Answer:  # noqa: A002  the provider's word
    """An error in OpenAI's shape."""
    return Answer({"error": {"message": message, "type": type, "param": None, "code": code}}, status, when)


def claude_error(status: int, type: str, message: str, when: When = any_request) -> Answer:  # noqa: A002  as above
    """An error in Anthropic's shape."""
    return Answer({"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}, status, when)


def plain(prompt: str = "hi", **more: Any) -> Line:
    return {"prompt": prompt, **more}


def prompts(count: int, **more: Any) -> dict[str, Line]:
    """Lines that have nothing wrong with them."""
    return {f"text-{n}": plain(f"text {n}", **more) for n in range(count)}


def one(**more: Any) -> dict[str, Line]:
    return {"only": plain(**more)}


def chat_line(*messages: Any, url: str = "/v1/chat/completions", **more: Any) -> Line:
    """An OpenAI batch line for Chat Completions."""
    body = {"messages": list(messages) or [{"role": "user", "content": "hi"}], **more}
    return {"method": "POST", "url": url, "body": body}


def tool_line(**more: Any) -> Line:
    return chat_line(tools=[{"type": "function", "function": TOOL}], **more)


def responses_line(**body: Any) -> Line:
    return {"method": "POST", "url": "/v1/responses", "body": {"input": "hi", **body}}


def claude_line(**params: Any) -> Line:
    return {"params": {"max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], **params}}
