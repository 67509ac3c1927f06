"""One job is turned down on a route that answers all others: its trouble is its own, and it ends."""

from field.answers import chat, chat_line, claude, claude_error, error, plain, prompts, responses, responses_line, said
from field.case import Answer, Case, Right, any_request, has
from holdfast.model.route import Api

SOON = 45.0  # seconds; they take one or two, on a machine that has nothing else to do
PICTURE = chat_line(
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "what"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
    }
)
PAGE = b"<!DOCTYPE html><html><head><title>blocked</title></head></html>"
HTML = {"content-type": "text/html"}


def one_bad(name: str, bad: Answer, *, count: int = 20, line: dict | None = None, api: Api = Api.OPENAI_CHAT, **right):
    """Case in which one of ``count`` jobs gets ``bad`` each time, and the others an answer."""
    good = claude({"type": "text", "text": "fine"}) if api is Api.ANTHROPIC else chat()
    lines = {"bad": line or plain("POISON"), **prompts(count)}
    told = Right(state="dead", **right)
    return Case(name, lines, [[bad, good]], api, {"bad": told}, parked=False, seconds=SOON)


POISON = has("POISON")
CASES = [
    one_bad(
        "one-picture-starves-a-route",
        error(404, "none of the endpoints takes pictures", code=404, when=has("image_url")),
        line=PICTURE,
        says=["none of the endpoints takes pictures"],
    ),
    Case(
        "one-max-tokens-402",
        {"bad": plain("big", max_tokens=32_000), **prompts(20, max_tokens=100)},
        [[error(402, "the balance allows fewer output tokens than asked for", code=402, when=has("32000")), chat()]],
        right={"bad": Right(state="dead", says=["balance allows fewer"])},
        parked=False,
        seconds=SOON,
    ),
    # The first failure may come before there is anybody to compare with: then it is the next five that count.
    one_bad("poison-500", error(500, "internal error", when=POISON), calls_at_most=6, fault="exhausted"),
    one_bad("poison-502-page", Answer(PAGE, 502, POISON, HTML), calls_at_most=6, fault="exhausted"),
    one_bad(
        "poison-overloaded",
        claude_error(529, "overloaded_error", "too much", POISON),
        api=Api.ANTHROPIC,
        calls_at_most=6,
    ),
    one_bad("firewall-403", Answer(PAGE, 403, POISON, HTML), calls_at_most=6),
    one_bad("a-403-of-one", error(403, "this content needs another tier", when=POISON), calls_at_most=6),
    one_bad("a-413-page", Answer(b"<html><h1>413 Request Entity Too Large</h1></html>", 413, POISON, HTML), calls=1),
    one_bad("a-424-of-one", error(424, "the model failed on this input", when=POISON), calls_at_most=6),
    one_bad("a-429-of-one", error(429, "this request is larger than your limit", when=POISON), calls_at_most=8),
    one_bad("a-400-without-a-body", Answer(b"", 400, POISON), calls_at_most=6),
    # A job asks at most four times: twice where its second call goes out before ten others have failed, once as one of
    # the probes, and once when they are believed.
    Case(
        "every-line-is-malformed",
        prompts(60, temperature=0.5),
        [
            [
                error(
                    400,
                    "Unsupported parameter: 'temperature' with this model",
                    code="unsupported_parameter",
                )
            ]
        ],
        others=Right(
            state="dead", fault="invalid_request", calls_at_most=4, says=["Unsupported parameter: 'temperature'"]
        ),
        seconds=75.0,
    ),
    # Its second call may end before any that was sent later than its first is known to be answered: an outage may have
    # begun with it, so that a third settles it.
    one_bad("no-content-200", Answer(b"", 200, POISON), calls_at_most=3),
    one_bad("a-page-instead-of-an-answer", Answer(PAGE, 200, POISON, HTML), calls_at_most=3),
    Case(
        "safety-403",
        {"bad": plain("BAD"), **prompts(9)},
        [
            [
                Answer(
                    {"code": "no permission", "error": "violates usage rules. Failed check: SAFETY_CHECK_TYPE_X"},
                    403,
                    has("BAD"),
                ),
                chat(),
            ]
        ],
        right={"bad": Right(finish="refused", calls=1)},
        parked=False,
        seconds=SOON,
    ),
    Case(
        "stale-item-404",
        {"bad": responses_line(input=[{"type": "item_reference", "id": "rs_gone"}]), "good": responses_line()},
        [
            [
                error(404, "item with id rs_gone not found", type="invalid_request_error", when=has("rs_gone")),
                responses(said()),
            ]
        ],
        Api.OPENAI_RESPONSES,
        {"bad": Right(state="dead", calls=1, says=["rs_gone not found"])},
        parked=False,
        seconds=SOON,
    ),
    Case(
        "lost-previous-response",
        {"bad": responses_line(previous_response_id="resp_gone"), "good": responses_line()},
        [
            [
                error(
                    400,
                    "previous response with id resp_gone not found",
                    code="previous_response_not_found",
                    when=has("resp_gone"),
                ),
                responses(said()),
            ]
        ],
        Api.OPENAI_RESPONSES,
        {"bad": Right(state="dead", calls=1, says=["resp_gone"])},
        seconds=SOON,
    ),
    Case(
        "gone-file-404",
        {
            "bad": {
                "params": {
                    "max_tokens": 9,
                    "messages": [
                        {
                            "role": "user",
                            "content": [{"type": "document", "source": {"type": "file", "file_id": "file_g"}}],
                        }
                    ],
                }
            },
            **prompts(9),
        },
        [
            [
                claude_error(404, "not_found_error", "file not found: file_g", has("file_g")),
                claude({"type": "text", "text": "fine"}),
            ]
        ],
        Api.ANTHROPIC,
        {"bad": Right(state="dead", calls_at_most=2, says=["file_g"])},
        seconds=SOON,
    ),
    Case(
        "slip-of-the-model",  # Groq's tool_use_failed, repeated once, then done
        {"bad": plain("POISON", tools=[{"name": "f", "input_schema": {"type": "object", "properties": {}}}])},
        [
            [
                error(400, "the model called a function wrongly", type="invalid_request_error", code="tool_use_failed"),
                chat(),
            ]
        ],
        others=Right(calls=2, text="fine"),
    ),
    Case(
        "slip-in-json",  # Groq's json_validate_failed, twice: a third call would be for nothing
        {"bad": chat_line(response_format={"type": "json_object"})},
        [[error(400, "no valid JSON was made", type="invalid_request_error", code="json_validate_failed")]],
        others=Right(state="dead", calls=2, says=["no valid JSON"]),
    ),
    Case(
        "broken-arguments",
        {"bad": chat_line(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])},
        [
            [
                chat(
                    None,
                    "tool_calls",
                    any_request,
                    tool_calls=[
                        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"city": "Os'}}
                    ],
                ),
                chat(),
            ]
        ],
        others=Right(calls=2, text="fine"),
    ),
]
