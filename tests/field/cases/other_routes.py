"""What one route refuses, another one is asked for before a job is buried."""

from field.answers import (
    chat,
    claude,
    claude_error,
    error,
    one,
    prompts,
    text_block,
    tool_line,
)
from field.case import Answer, Case, Right
from holdfast.model.route import Api

SECOND = Right(route=2)
INVALID = "invalid_request_error"


def elsewhere(name: str, refusal: Answer, *, count: int = 1, **more) -> Case:
    """Case whose first route refuses all, and whose second one answers."""
    api = more.pop("api", Api.OPENAI_CHAT)
    good = claude(text_block()) if api is Api.ANTHROPIC else chat()
    lines = more.pop("lines", None) or (one() if count == 1 else prompts(count))
    return Case(name, lines, [[refusal], [good]], api, others=more.pop("right", SECOND), **more)


CASES = [
    elsewhere(
        "organisation-disabled-400",
        claude_error(400, INVALID, "the organisation of this key was disabled"),
        count=20,
        api=Api.ANTHROPIC,
        parked=True,
        calls_to_first=25,
    ),
    elsewhere(
        "wrong-key-400",  # xAI's shape
        Answer(
            {"code": "the client named an invalid argument", "error": "an incorrect API key was given: xa***ey"}, 400
        ),
        count=20,
        right=Right(route=2),
        parked=True,
        calls_to_first=25,
    ),
    elsewhere(
        "no-tools-here",
        error(400, "library/small:4b does not support tools", type="api_error"),
        lines={"only": tool_line()},
    ),
    elsewhere(
        "maximum-over-ceiling",
        error(400, "invalid max_tokens: the range is [1, 8192]", type=INVALID),
        lines=one(max_tokens=64_000),
    ),
    elsewhere(
        "too-long-sglang",
        error(400, "the input of 9000 tokens is longer than the context of the model (8192)", type=INVALID),
    ),
    elsewhere(
        "too-long-tgi",
        error(422, "input validation: inputs tokens + max_new_tokens must be <= 8193, given 11000", type="validation"),
    ),
    elsewhere(
        "too-long-kimi",
        error(400, "the request exceeded the model's token limit: 262144 (requested: 263000)", type=INVALID),
    ),
    elsewhere("too-long-cohere", error(400, "too many tokens: size limit exceeded by 1200", type=INVALID)),
    elsewhere(
        "too-long-page",
        Answer(b"<html><h1>413 Payload Too Large</h1></html>", 413, headers={"content-type": "text/html"}),
    ),
    elsewhere(
        "decommissioned-400",
        error(400, "the model was taken out of service", type=INVALID, code="model_decommissioned"),
        count=5,
    ),
    elsewhere(
        "no-such-model-404", error(404, "there is no such model here", type=INVALID, code="model_not_found"), count=5
    ),
    elsewhere("a-wrong-path-404", Answer(b"404 page not found", 404, headers={"content-type": "text/plain"}), count=5),
    elsewhere("a-wrong-method-405", Answer({"detail": "Method Not Allowed"}, 405), count=5),
    elsewhere("not-implemented-501", error(501, "this server has no such thing"), count=5),
    elsewhere("gone-410", error(410, "this model has been retired"), count=5),
    elsewhere(
        "a-field-is-not-known-422",
        Answer(
            {"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted", "type": "value_error.extra"}]},
            422,
        ),
    ),
    elsewhere(
        "a-plain-text-400",
        Answer(b"unsupported parameter: reasoning_effort", 400, headers={"content-type": "text/plain"}),
    ),
    elsewhere("a-code-of-tomorrow-400", error(400, "something", type=INVALID, code="launched_next_month")),
    elsewhere("a-status-of-tomorrow", error(479, "something")),
    elsewhere(
        "not-in-this-country-403",
        error(403, "not offered where you are", type="request_forbidden", code="unsupported_country_region_territory"),
        count=5,
    ),
    elsewhere(
        "a-precondition-400",
        Answer(
            [
                {
                    "error": {
                        "code": 400,
                        "message": "the place of the user is not supported",
                        "status": "FAILED_PRECONDITION",
                    }
                }
            ],
            400,
        ),
        count=5,
    ),
    elsewhere(
        "a-page-401",
        Answer(b"<html><h1>401 Authorization Required</h1></html>", 401, headers={"content-type": "text/html"}),
        count=5,
        calls_to_first=8,
    ),
    elsewhere(
        "content-risk-400",  # DashScope
        error(400, "the content was found to be a risk", type="data_inspection_failed", code="data_inspection_failed"),
        lines=one(on_refusal="reroute"),
        parked=False,
    ),
    elsewhere(
        "prompt-filtered-400",  # Azure's filter, with on_refusal at its default: the refusal is the result
        error(400, "the prompt was filtered", code="content_filter"),
        right=Right(calls=1, route=1, finish="refused"),
    ),
    Case(
        "our-own-maximum-over-ceiling",
        one(),
        [
            [
                claude_error(400, INVALID, "max_tokens: 8192 > 4096, the most that this model gives"),
                claude(text_block()),
            ]
        ],
        Api.ANTHROPIC,
        others=Right(calls=2, text="fine"),
    ),
    Case(
        "ceiling-alone",
        one(max_tokens=64_000),
        [[error(400, "invalid max_tokens: the range is [1, 8192]", type=INVALID), chat()]],
        others=Right(calls=2, text="fine", told=["8192"]),
        sent=[b"8192"],
    ),
    Case(
        "refused-by-both",
        one(),
        [[error(400, "first reason", type=INVALID)], [error(400, "second reason", type=INVALID)]],
        others=Right(state="dead", calls=2, says=["first reason", "second reason"]),
    ),
]
