"""What is written goes out as it was written, to the endpoint of its url; what cannot is refused at the door."""

from field.answers import chat, chat_line, claude, claude_line, responses, responses_line, said, text_block
from field.case import REFUSED_AT_THE_DOOR, Answer, Case, Right
from holdfast.model.route import Api

VECTORS = (
    b'{"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, -0.20000000000000001]}],'
    b' "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}}'
)
SCHEMA = {
    "type": "object",
    "properties": {"zeta": {"type": "string"}, "alpha": {"type": "string"}},
    "required": ["zeta", "alpha"],
    "additionalProperties": False,
}
ANSWERED = '{"zeta":"r","alpha":"a"}'
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
JPG = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/4AAQ"}}
TOMORROW = {"zeta": 1, "alpha": [0.1, 100000000000000000001]}


def endpoint(name: str, url: str, body: dict, answer: bytes, **more) -> Case:
    """Case that passes through to an endpoint without a neutral reading."""
    line = {"method": "POST", "url": url, "body": body}
    right = Right(calls=1, response=[answer])
    return Case(name, {"only": line}, [[Answer(answer)]], others=right, sent=[url.removeprefix("/v1").encode()], **more)


CASES = [
    Case("azure-url", {"only": chat_line(url="/chat/completions")}, [[chat()]], others=Right(calls=1, text="fine")),
    endpoint("embeddings", "/v1/embeddings", {"input": ["a", "b"]}, VECTORS),
    endpoint(
        "moderations",
        "/v1/moderations",
        {"input": "a"},
        b'{"id": "modr-1", "model": "m", "results": [{"flagged": false, "categories": {"violence": false}}]}',
    ),
    endpoint(
        "completions",
        "/v1/completions",
        {"prompt": "Once", "max_tokens": 5},
        b'{"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [{"text": " upon",'
        b' "index": 0, "logprobs": null, "finish_reason": "length"}], "usage": {"prompt_tokens": 1,'
        b' "completion_tokens": 1, "total_tokens": 2}}',
    ),
    endpoint(
        "rerank",
        "/v1/rerank",
        {"query": "a", "documents": ["b", "c"]},
        b'{"id": "r", "results": [{"index": 1, "relevance_score": 0.9}], "model": "m"}',
    ),
    Case(
        "embeddings-without-url",
        {"only": {"body": {"input": "hi"}}},
        [[Answer(VECTORS)]],
        others=Right(state=REFUSED_AT_THE_DOOR, says=["url"]),
        calls_to_first=0,
    ),
    Case(
        "messages-to-embeddings",
        {
            "only": {
                "method": "POST",
                "url": "/v1/embeddings",
                "body": {"messages": [{"role": "user", "content": "hi"}]},
            }
        },
        [[Answer(VECTORS)]],
        others=Right(state=REFUSED_AT_THE_DOOR, says=["input"]),
        calls_to_first=0,
    ),
    Case(
        "a-path-that-nobody-allowed",
        {"only": {"method": "POST", "url": "/v1/fine_tuning/jobs", "body": {"x": 1}}},
        [[chat()]],
        others=Right(state=REFUSED_AT_THE_DOOR, says=["/fine_tuning/jobs"]),
        calls_to_first=0,
    ),
    Case(
        "betas",
        {"only": claude_line(betas=["x-2026-01-01"])},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1),
        sent=[b"anthropic-beta: x-2026-01-01"],
        not_sent=[b'"betas"'],
    ),
    Case(
        "headers-of-a-line",
        {"only": {**claude_line(), "headers": {"anthropic-beta": "y-2026-02-02"}}},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1),
        sent=[b"anthropic-beta: y-2026-02-02"],
    ),
    Case(
        "a-header-that-logs-in",
        {"only": {**chat_line(), "headers": {"authorization": "Bearer sk-other"}}},
        [[chat()]],
        others=Right(state=REFUSED_AT_THE_DOOR, says=["authorization"]),
        calls_to_first=0,
    ),
    Case(
        "jpg",
        {"only": chat_line({"role": "user", "content": [JPG]})},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1, told=["image/jpeg"]),
        sent=[b"image/jpeg"],
        not_sent=[b"image/jpg"],
    ),
    Case(
        "schema-order-chat",
        {"only": chat_line(response_format=FORMAT)},
        [[chat(ANSWERED)]],
        others=Right(calls=1),
        in_order=[b'"zeta"', b'"alpha"'],
    ),
    Case(
        "schema-order-responses",
        {"only": chat_line(response_format=FORMAT)},
        [[responses(said(ANSWERED))]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1),
        in_order=[b'"zeta"', b'"alpha"'],
    ),
    Case(
        "schema-order-claude",
        {"only": chat_line(response_format=FORMAT)},
        [[claude(text_block(ANSWERED))]],
        Api.ANTHROPIC,
        others=Right(calls=1),
        in_order=[b'"zeta"', b'"alpha"'],
    ),
    Case(
        "tomorrows-field-chat",
        {"only": chat_line(launched_next_month=TOMORROW)},
        [[chat()]],
        others=Right(calls=1),
        sent=[b'{"zeta": 1, "alpha": [0.1, 100000000000000000001]}'],
    ),
    Case(
        "tomorrows-field-responses",
        {"only": responses_line(launched_next_month=TOMORROW)},
        [[responses(said())]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=1),
        sent=[b'{"zeta": 1, "alpha": [0.1, 100000000000000000001]}'],
    ),
    Case(
        "tomorrows-block-claude",
        {"only": claude_line(messages=[{"role": "user", "content": [{"type": "launched_next_month", "x": TOMORROW}]}])},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1),
        sent=[b'{"type": "launched_next_month", "x": {"zeta": 1, "alpha": [0.1, 100000000000000000001]}}'],
    ),
    Case(
        "tomorrows-tool-claude",
        {"only": claude_line(tools=[{"type": "computer_20290101", "name": "computer"}])},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1),
        sent=[b'{"type": "computer_20290101"'],
    ),
    Case(
        "tomorrows-field-elsewhere",
        {"only": chat_line(launched_next_month=TOMORROW)},
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1, told=["launched_next_month"]),
        not_sent=[b"launched_next_month"],
    ),
    Case(
        "a-line-for-claude-by-url",
        {
            "only": {
                "method": "POST",
                "url": "/v1/messages",
                "body": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
            }
        },
        [[claude(text_block())]],
        Api.ANTHROPIC,
        others=Right(calls=1, text="fine"),
    ),
]
