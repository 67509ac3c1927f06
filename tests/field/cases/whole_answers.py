"""Answers that are whole: each is a success after one call, whatever its words and parts are."""

from field.answers import (
    call,
    chat,
    chat_line,
    claude,
    claude_line,
    one,
    responses,
    responses_line,
    said,
    text_block,
    tool_line,
)
from field.case import Answer, Case, Right
from holdfast.model.route import Api


def finish(word: str | None, is_read_as: str, **more: object) -> Case:
    """One Chat answer with this reason to finish."""
    name = f"finish-{word}".lower().replace(": ", "-").replace("_", "-")
    return Case(name, one(), [[chat(finish=word)]], others=Right(calls=1, finish=is_read_as, text="fine", **more))


# Sources: Together, TGI, SGLang, Mistral, Gemini (FinishReason), Cohere and OpenAI (legacy) reference pages.
FINISHES = [
    finish("eos_token", "stop"),
    finish("eos", "stop"),
    finish("STOP", "stop"),
    finish("stop_sequence", "stop"),
    finish("COMPLETE", "stop"),
    finish("MAX_TOKENS", "length"),
    finish("model_length", "length"),
    finish("SAFETY", "refused"),
    finish("RECITATION", "refused"),
    finish("BLOCKLIST", "refused"),
    finish("content_filter: PROHIBITED_CONTENT", "refused"),
    finish("repetition", "other"),
    finish("launched_next_month", "other"),
    finish("", "stop"),
    finish(None, "stop", told=["finish"]),
]

CHAT = [
    Case(
        "finish-no-resources",
        one(),
        [[chat(finish="insufficient_system_resource"), chat()]],
        others=Right(calls=2, first_fault="overloaded", text="fine"),
    ),
    Case("empty-stop", one(), [[chat("")]], others=Right(calls=1, text="", finish="stop")),
    Case("null-content", one(), [[chat(None)]], others=Right(calls=1, text="", finish="stop")),
    Case(
        "only-reasoning",
        one(),
        [[chat(None, reasoning_content="hm")]],
        others=Right(calls=1, text="", reasoning="hm"),
    ),
    Case("reasoning-by-another-name", one(), [[chat(reasoning="hm")]], others=Right(calls=1, reasoning="hm")),
    Case(  # Mistral's reasoning models: content in parts
        "thinking-in-parts",
        one(),
        [[chat([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, text_block()])]],
        others=Right(calls=1, text="fine", reasoning="hm"),
    ),
    Case("refusal-beside-content", one(), [[chat(None, refusal="no")]], others=Right(calls=1, finish="refused")),
    Case(
        "blocked-without-a-choice",
        one(),
        [
            [
                Answer(
                    {"id": "c", "object": "chat.completion", "model": "m", "choices": [], "usage": {"prompt_tokens": 5}}
                )
            ]
        ],
        others=Right(calls=1, finish="refused"),
    ),
    Case(
        "two-choices",
        {"only": chat_line(n=2)},
        [
            [
                Answer(
                    {
                        "id": "c",
                        "object": "chat.completion",
                        "created": 1,
                        "model": "m",
                        "choices": [
                            {"index": n, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                            for n, text in enumerate(["first", "second"])
                        ],
                        "usage": {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11},
                    }
                )
            ]
        ],
        others=Right(calls=1, text="first", response=[b"second"]),
    ),
    Case(
        "usage-is-null",
        one(),
        [[Answer({**chat().body, "usage": None})]],
        others=Right(calls=1, text="fine"),
    ),
    Case(
        "usage-beyond-64-bits",
        one(),
        [
            [
                Answer(
                    {
                        **chat().body,
                        "usage": {"prompt_tokens": 2**64, "completion_tokens": 2**64, "total_tokens": 2**65},
                    }
                )
            ]
        ],
        others=Right(calls=1, text="fine"),
    ),
    Case(
        "minus-infinity",
        {"only": chat_line(logprobs=True)},
        [
            [
                Answer(
                    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
                    b'{"role":"assistant","content":"fine"},"logprobs":{"content":[{"token":"a","logprob":-Infinity,'
                    b'"top_logprobs":[]}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}'
                )
            ]
        ],
        others=Right(calls=1, text="fine", response=[b'"logprob":-Infinity']),
    ),
    Case(
        "fenced-json",
        {"only": chat_line(response_format={"type": "json_object"})},
        [[chat('```json\n{"a": 1}\n```')]],
        others=Right(calls=1, text='{"a": 1}', told=["fence"], response=[b"```json"]),
    ),
]

TOOLS = [
    Case(
        "arguments-encoded-twice",
        {"only": tool_line()},
        [[call('"{\\"city\\": \\"Oslo\\"}"')]],
        others=Right(calls=1, arguments={"city": "Oslo"}, told=["unwrapped"]),
    ),
    Case(
        "arguments-as-an-object",  # Ollama's own shape, through some gateways
        {"only": tool_line()},
        [
            [
                chat(
                    None,
                    "tool_calls",
                    tool_calls=[
                        {"id": "a", "type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}
                    ],
                )
            ]
        ],
        others=Right(calls=1, arguments={"city": "Oslo"}),
    ),
    Case(
        "a-call-without-an-id",
        {"only": tool_line()},
        [
            [
                chat(
                    None,
                    "tool_calls",
                    tool_calls=[{"type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}],
                )
            ]
        ],
        others=Right(calls=1, arguments={"city": "Oslo"}),
    ),
    Case(
        "a-call-that-finished-as-stop",
        {"only": tool_line()},
        [[chat(None, "stop", tool_calls=call('{"city": "Oslo"}').body["choices"][0]["message"]["tool_calls"])]],
        others=Right(calls=1, arguments={"city": "Oslo"}, finish="tool_calls"),
    ),
    Case(
        "big-integer",
        {"only": tool_line()},
        [[call('{"wei": 100000000000000000001}')]],
        others=Right(calls=1, arguments={"wei": 100000000000000000001}, response=[b"100000000000000000001"]),
    ),
]

CLAUDE = [
    Case("empty-claude", one(), [[claude()]], Api.ANTHROPIC, others=Right(calls=1, text="", finish="stop")),
    Case(
        "window-exceeded",
        one(),
        [[claude(text_block("so far"), stop="model_context_window_exceeded")]],
        Api.ANTHROPIC,
        others=Right(calls=1, text="so far", finish="length"),
    ),
    Case(
        "unknown-block",
        one(),
        [[claude({"type": "launched_next_month", "x": 1}, text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1, text="fine", response=[b"launched_next_month"]),
    ),
    Case(
        "citations",
        {"only": claude_line()},
        [
            [
                claude(
                    {
                        **text_block(),
                        "citations": [
                            {
                                "type": "char_location",
                                "cited_text": "it holds",
                                "document_index": 0,
                                "document_title": None,
                                "start_char_index": 0,
                                "end_char_index": 8,
                            }
                        ],
                    }
                )
            ]
        ],
        Api.ANTHROPIC,
        others=Right(calls=1, text="fine", response=[b"cited_text"]),
    ),
    Case(
        "server-tool-blocks",
        {"only": claude_line()},
        [
            [
                claude(
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                    text_block(),
                )
            ]
        ],
        Api.ANTHROPIC,
        others=Right(calls=1, text="fine", response=[b"web_search_tool_result"]),
    ),
    Case(
        "redacted-thinking",
        {"only": claude_line()},
        [[claude({"type": "redacted_thinking", "data": "c2VjcmV0"}, text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1, text="fine", response=[b"c2VjcmV0"]),
    ),
    Case(
        "stop-unheard-of",
        one(),
        [[claude(text_block(), stop="coffee_break")]],
        Api.ANTHROPIC,
        others=Right(calls=1, finish="other", text="fine"),
    ),
]

RESPONSES = [
    Case(
        "responses-incomplete",
        {"only": responses_line()},
        [[responses(said("so far"), status="incomplete", incomplete_details={"reason": "max_output_tokens"})]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1, text="so far", finish="length"),
    ),
    Case(
        "responses-unknown-item",
        {"only": responses_line()},
        [[responses({"type": "launched_next_month", "id": "x_1"}, said())]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1, text="fine", response=[b"launched_next_month"]),
    ),
    Case(
        "responses-only-reasoning",
        {"only": responses_line()},
        [[responses({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]})]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1, text="", reasoning="hm", response=[b"rs_1"]),
    ),
    Case(
        "responses-phases",
        {"only": responses_line()},
        [[responses(said("let me look", phase="commentary"), said("fine", phase="final_answer"))]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1, text="fine", response=[b"let me look"]),
    ),
    Case(
        "responses-failed",
        {"only": responses_line()},
        [[responses(status="failed", error={"code": "server_error", "message": "it broke"}), responses(said())]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=2, first_fault="bad_answer", text="fine"),
    ),
]

CASES = [*FINISHES, *CHAT, *TOOLS, *CLAUDE, *RESPONSES]
