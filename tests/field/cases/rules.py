"""Answers are held against what their job asks, repaired with the validator's words, moved, or kept as they came."""

import json

from field.answers import chat, chat_line, claude, claude_line, one, plain, responses, responses_line, said, text_block
from field.case import Answer, Case, Right, has
from holdfast.model.route import Api

WORDS = "An earlier answer of yours was not taken"
MUST = {"must": [{"one_of": ["yes", "no"]}]}
REPAIR = MUST | {"repair": True}
TOLD = {"told": ["repair 1 of 2"], "first_fault": "bad_output"}
BAD = chat("maybe")
KEPT = json.dumps(BAD.body).encode()


def mended(answer: Answer) -> Answer:
    """The answer to a request that tells what was wrong."""
    return Answer(answer.body, when=has(WORDS))


CASES = [
    Case("rule-kept", one(**MUST), [[chat("yes")]], others=Right(calls=1, text="yes")),
    Case("rule-broken-elsewhere", one(**MUST), [[BAD], [chat("no")]], others=Right(route=2, text="no")),
    Case(
        "rule-broken-everywhere",
        one(**MUST),
        [[BAD], [BAD]],
        others=Right(state="dead", fault="bad_output", says=["must[0], one_of"], response=[KEPT]),
        not_sent=[WORDS.encode()],
    ),
    Case("repaired-plain", one(**REPAIR), [[mended(chat("yes")), BAD]], others=Right(calls=2, text="yes", **TOLD)),
    Case(
        "repaired-chat",
        {"only": chat_line({"role": "user", "content": "hi"}) | REPAIR},
        [[mended(chat("yes")), BAD]],
        others=Right(calls=2, text="yes", **TOLD),
        sent=[b'"content":"' + WORDS.encode(), b'\\"yes\\", \\"no\\"'],
    ),
    Case(
        "repaired-messages",
        {"only": claude_line() | REPAIR},
        [[mended(claude(text_block("yes"))), claude(text_block("maybe"))]],
        Api.ANTHROPIC,
        others=Right(calls=2, text="yes", **TOLD),
    ),
    Case(
        "repaired-responses",
        {"only": responses_line() | REPAIR},
        [[mended(responses(said("yes"))), responses(said("maybe"))]],
        Api.OPENAI_RESPONSES,
        others=Right(calls=2, text="yes", **TOLD),
    ),
    Case(
        "repaired-schema",
        {"only": plain(response_format={"type": "json_object"}) | {"repair": True}},
        [[mended(chat("{}")), chat("no JSON")]],
        others=Right(calls=2, text="{}", **TOLD),
    ),
    Case(
        "repaired-twice-then-elsewhere",
        one(**REPAIR),
        [[BAD], [chat("yes")]],
        others=Right(calls=4, route=2, text="yes", first_fault="bad_output"),
        calls_to_first=3,
    ),
    Case(
        "repaired-twice-in-vain",
        one(**REPAIR),
        [[BAD]],
        others=Right(state="dead", calls=3, fault="bad_output", response=[KEPT]),
    ),
]
