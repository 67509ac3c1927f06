"""The whole sentence is read: a dead letter tells the reason wherever it stands, and a wait is as long as was said."""

import time
from email.utils import formatdate

from field.answers import chat, error, one
from field.case import Answer, Case, Right


def dead(name: str, answer: Answer, *says: str) -> Case:
    return Case(name, one(), [[answer]], others=Right(state="dead", says=says))


def waits(name: str, answer: Answer, least: float, most: float) -> Case:
    """Case whose job is asked again after so many seconds."""
    return Case(name, one(), [[answer, chat()]], others=Right(state="delayed", waits=(least, most)), held=True)


def in_two_minutes() -> str:
    return formatdate(time.time() + 120, usegmt=True)


TEXT = {"content-type": "text/plain"}
LIMITED = {"error": {"message": "limit reached", "type": "tokens", "code": "rate_limit_exceeded"}}
CASES = [
    dead(
        "reason-in-metadata-raw",  # OpenRouter
        Answer(
            {
                "error": {
                    "message": "the provider returned an error",
                    "code": 400,
                    "metadata": {"raw": '{"error":{"message":"the schema has no root"}}', "provider_name": "P"},
                }
            },
            400,
        ),
        "the schema has no root",
    ),
    dead(
        "reason-in-detail",  # FastAPI, vLLM
        Answer(
            {
                "detail": [
                    {"loc": ["body", "top_k"], "msg": "must be at least 1", "type": "value_error"},
                    {"loc": ["body", "seed"], "msg": "must be whole", "type": "value_error"},
                ]
            },
            422,
        ),
        "top_k",
        "must be at least 1",
        "seed",
        "must be whole",
    ),
    dead("reason-in-a-detail-text", Answer({"detail": "the frobnicator is off"}, 400), "the frobnicator is off"),
    dead(
        "reason-in-errors", Answer({"errors": [{"message": "the frobnicator is off"}]}, 400), "the frobnicator is off"
    ),
    dead("reason-in-message", Answer({"message": "the frobnicator is off", "code": 7}, 400), "the frobnicator is off"),
    dead("reason-in-a-word", Answer({"error": "the frobnicator is off"}, 400), "the frobnicator is off"),
    dead("reason-in-plain-text", Answer(b"the frobnicator is off", 400, headers=TEXT), "the frobnicator is off"),
    dead(
        "reason-in-an-array",
        Answer([{"error": {"code": 400, "message": "the frobnicator is off", "status": "INVALID_ARGUMENT"}}], 400),
        "the frobnicator is off",
    ),
    dead(
        "reason-of-amazon",
        Answer(
            {"message": "the frobnicator is off"},
            400,
            headers={"x-amzn-errortype": "ValidationException:http://internal"},
        ),
        "the frobnicator is off",
    ),
    dead(
        "reason-in-base-resp",
        Answer({"base_resp": {"status_code": 2013, "status_msg": "the frobnicator is off"}}, 400),
        "the frobnicator is off",
    ),
    waits(
        "wait-in-words",
        error(429, "limit reached, try again in 1m15s", type="tokens", code="rate_limit_exceeded"),
        70,
        95,
    ),
    waits("wait-in-a-float", Answer(LIMITED, 429, headers={"retry-after": "61.5"}), 58, 85),
    waits("wait-in-milliseconds", Answer(LIMITED, 429, headers={"retry-after-ms": "65000"}), 60, 85),
    waits("wait-in-a-date", Answer(LIMITED, 429, headers={"retry-after": in_two_minutes}), 100, 140),
    waits(
        "wait-of-google",
        Answer(
            [
                {
                    "error": {
                        "code": 429,
                        "message": "quota",
                        "status": "RESOURCE_EXHAUSTED",
                        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "64s"}],
                    }
                }
            ],
            429,
        ),
        60,
        85,
    ),
    waits("wait-of-years", Answer(LIMITED, 429, headers={"retry-after": "999999999"}), 0, 3_700),
]
