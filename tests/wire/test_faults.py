"""What errors of providers mean: their codes, their sentences, their waits, in all their shapes."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.route import Api
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.codes import CODE_TABLES, find_row
from holdfast.wire.codes.lookup import spelling
from holdfast.wire.faults import read_bad_answer, read_fault, refuses
from wire.error_rows import ERROR_ROWS, A, C, ErrorRow, openai, router
from wire.host_error_rows import HOST_ERROR_ROWS

ROWS = (*ERROR_ROWS, *HOST_ERROR_ROWS)
IDS = [f"{number} {row.whose} {row.status} {row.kind}" for number, row in enumerate(ROWS)]


def read(row: ErrorRow) -> Fault:
    return read_fault(row.api, row.status, row.headers, row.raw)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_an_error_is_understood(row: ErrorRow) -> None:
    fault = read(row)
    assert fault.kind is row.kind
    assert fault.retry_after == (None if row.wait is None else pytest.approx(row.wait))
    assert row.says in fault.message
    assert fault.status == row.status
    assert refuses(row.api, row.status, row.headers, row.raw) is (row.kind is FaultKind.REFUSED)


def test_there_are_rows_of_every_provider() -> None:
    assert len(ROWS) >= 240
    assert len({row.whose for row in ROWS}) >= 25


@pytest.mark.parametrize("name", CODE_TABLES)
def test_every_row_of_a_table_names_its_source_and_each_code_stands_there_once(name: str) -> None:
    rows = CODE_TABLES[name]
    assert all(row.source for row in rows)
    spellings = [spelling(row.code) for row in rows]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize("api", Api)
def test_a_code_of_any_provider_is_known_on_every_route(api: Api) -> None:
    for rows in CODE_TABLES.values():
        for row in rows:
            assert find_row(api, row.code) is not None


# ---- what told it


@pytest.mark.parametrize(
    ("status", "body", "evidence"),
    [
        (404, openai(code="model_not_found"), Evidence.CODE),
        (404, openai("the model x does not exist"), Evidence.WORDS),
        (404, openai("no"), Evidence.STATUS),
        (400, openai("insufficient balance"), Evidence.WORDS),
        (402, openai("no"), Evidence.STATUS),
        (429, openai(code="rate_limit_exceeded"), Evidence.CODE),
    ],
)
def test_a_fault_tells_what_told_its_kind(status: int, body: Any, evidence: Evidence) -> None:
    assert read_fault(C, status, {}, orjson.dumps(body)).evidence is evidence


def test_only_a_table_says_that_a_request_is_wrong_everywhere() -> None:
    assert read_fault(C, 400, {}, orjson.dumps(openai(code="invalid_type"))).wrong_everywhere
    assert not read_fault(C, 400, {}, orjson.dumps(openai("every request is wrong"))).wrong_everywhere
    assert not read_fault(C, 500, {}, orjson.dumps(openai(code="invalid_type"))).wrong_everywhere


def test_words_of_the_prompt_are_not_the_providers() -> None:
    prompt = "Say in one sentence why the balance of my account is insufficient and what an overdue payment costs."
    body = orjson.dumps(openai(f"cannot take: {prompt}"))
    assert read_fault(C, 400, {}, body).kind is FaultKind.SPEND_LIMIT
    assert read_fault(C, 400, {}, body, prompt=prompt).kind is FaultKind.INVALID_REQUEST


@pytest.mark.parametrize(("status", "body"), [(403, b"<html>no</html>"), (502, b"  <!doctype html>"), (400, b"<html>")])
def test_a_page_is_told_from_an_apis_answer(status: int, body: bytes) -> None:
    assert read_fault(C, status, {}, body).is_page
    assert not read_fault(C, status, {}, orjson.dumps(openai("no"))).is_page
    assert not read_fault(C, status, {}, b"").is_page
    assert not read_fault(C, status, {}, b"a plain text").is_page
    assert read_fault(C, status, {"content-type": "Text/HTML; charset=utf-8"}, b"<!-- edge -->no").is_page


@pytest.mark.parametrize(
    ("message", "ceiling"),
    [
        ("invalid max_tokens: the range is [1, 8192]", 8192),
        ("max_tokens: 8192 > 4096, the most that this model gives", 4096),
        ("max_tokens is too large: 40000. This model supports at most 16,384 completion tokens", 16384),
        ("max_output_tokens must be from 1 (inclusive) to 8193 (exclusive)", 8192),
        ("too many tokens: max tokens must be less than or equal to 4096 - received 8192", 4096),
        ("You requested up to 65536 tokens, but can only afford 4321", 4321),
        ("'max_tokens' is too large: 9000. The maximum context length is 8192 tokens (9000 > 8192 - 30)", 8162),
        ("prompt is too long: 9 tokens > 8 maximum", None),
        ("inputs tokens + max_new_tokens must be <= 8193, given 10000 and 1000", None),
        ("max_tokens: the range is [1, 99999999999]", None),
        ("temperature must be at most 2", None),
    ],
)
def test_the_maximum_that_would_be_granted_is_read(message: str, ceiling: int | None) -> None:
    assert read_fault(C, 400, {}, orjson.dumps(openai(message))).output_ceiling == ceiling


def test_an_answer_of_a_model_is_never_a_filters() -> None:
    body = orjson.dumps({"message": "this content violates the usage policy", "error": "content_filter"})
    assert refuses(C, 403, {}, body)
    assert not refuses(C, 200, {}, body)


# ---- inside a 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no balance"}}, FaultKind.SPEND_LIMIT),
        ({"base_resp": {"status_code": 1002, "status_msg": "-"}}, FaultKind.RATE_LIMITED),
        ({"base_resp": {"status_code": 1004, "status_msg": "-"}}, FaultKind.AUTH),
        (router(402, "no"), FaultKind.SPEND_LIMIT),
        (router(429, "no"), FaultKind.RATE_LIMITED),
        (router(502, "no"), FaultKind.BAD_ANSWER),
        ({"choices": [{"error": {"code": 429, "message": "no"}, "finish_reason": "error"}]}, FaultKind.RATE_LIMITED),
        ({"error": "the credits are used up"}, FaultKind.SPEND_LIMIT),
        ({"code": 401, "msg": "the token is expired"}, FaultKind.AUTH),
        ({"choices": [{"message": {"content": "insufficient balance"}, "finish_reason": None}]}, FaultKind.BAD_ANSWER),
        ({"base_resp": {"status_code": 0, "status_msg": "insufficient balance"}, "choices": []}, FaultKind.BAD_ANSWER),
    ],
)  # fmt: skip
def test_a_failure_inside_a_200_is_read_and_an_answers_text_is_not(body: Any, kind: FaultKind) -> None:
    fault = read_bad_answer(C, BadAnswer("it is no answer."), {}, body=orjson.dumps(body))
    assert fault.kind is kind
    assert fault.status == 200


def test_the_reason_of_a_200_is_told() -> None:
    body = {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "the balance is insufficient"}}
    fault = read_bad_answer(A, BadAnswer("it is no answer."), {}, body=orjson.dumps(body))
    assert fault.message == "it is no answer. It said: the balance is insufficient"


# ---- anything


names = st.sampled_from(
    ["error", "message", "code", "type", "detail", "details", "errors", "metadata", "raw", "msg", "loc", "innererror",
     "base_resp", "status_code", "status_msg", "violations", "retryDelay", "retry_after", "reason", "status", "param",
     "choices", "headers", "object"]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
bodies = st.binary(max_size=200) | nested.map(lambda value: orjson.dumps(value, default=str) if _fits(value) else b"{")
waits = st.text(max_size=20) | st.sampled_from(["1e999", "-1", "9" * 400, "Mon, 99 Foo 2026", "1m99999999999h", "\x00"])
headers = st.dictionaries(
    st.sampled_from(
        ["retry-after", "retry-after-ms", "date", "ratelimit", "x-ratelimit-reset-tokens", "content-type",
         "x-ratelimit-remaining-tokens", "anthropic-ratelimit-requests-reset", "x-amzn-errortype", "request-id"]
    ),
    waits,
    max_size=5,
)  # fmt: skip


def _fits(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@given(api=st.sampled_from(Api), status=st.integers(100, 599), headers=headers, body=bodies, now=st.floats(0, 4e9))
def test_whatever_comes_is_a_fault(api: Api, status: int, headers: dict[str, str], body: bytes, now: float) -> None:
    fault = read_fault(api, status, headers, body, now=now)
    assert fault.retry_after is None or 0 <= fault.retry_after <= 3600
    assert isinstance(refuses(api, status, headers, body), bool)
    inner = read_bad_answer(api, BadAnswer("no", provider_code="x", told="y"), headers, body=body, now=now)
    assert inner.retry_after is None or 0 <= inner.retry_after <= 3600
    assert len(fault.message) < 500
