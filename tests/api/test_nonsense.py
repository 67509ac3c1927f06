"""Whatever is sent, the answer is a problem document or a good one, and never an error of ours."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.keys import opened
from holdfast.config import load
from producing import configured
from servers import postgres

NASTY = [
    "", " ", "\x00", "a\x00b", "ä", "\U0001f600", "\ud7ff", "'", '"', "%", "%00", "../../etc/passwd", "..%2f", "null",
    "-1", "0", "1e309", "nan", "inf", "-inf", str(2**63), str(-(2**63) - 1), str(10**40), "9" * 5_000, "1e-320",
    "0001-01-01", "9999-12-31T23:59:59-23:59", "0000-00-00", "2026-11-28T99:99", "default", "dead", "x" * 10_000,
    "job_" + "0" * 32, "job_" + "f" * 32, "batch_" + "0" * 32, "smart.batch", "smart.", ".", "openai/\x00.batch",
    "openai/x.batch", "openai/" + "y" * 3_000, "anthropic/\x01", "smart", "smart; drop table job", "(a,b)", "{}",
]  # fmt: skip
ODD_NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e-320, 1e308, 1.5e300]
WORDS = st.sampled_from(NASTY) | st.text(max_size=20)
KEYS = (
    "model prompt messages role content tools jobs custom_id metadata priority expires_in batch name first system "
    "max_tokens response_format type json_schema schema stop temperature top_p effort user native mapping on_refusal "
    "body url method params input request turns parts tool_choice id fault lane tenant limit all dry_run per_minute "
    "text created_after finished_before function parameters input_schema description image_url source data"
)
NAMES = st.sampled_from(KEYS.split())
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from(ODD_NUMBERS) | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | WORDS, inner, max_size=5),
    max_leaves=12,
)
LIKELY = st.fixed_dictionaries(
    {"model": st.sampled_from(["smart", "openai/x", "nobody"])},
    optional={
        "prompt": WORDS,
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["user", "tool", "x"]), "content": VALUES})
        ),
        "tools": st.lists(VALUES, max_size=3),
        "metadata": st.dictionaries(WORDS, WORDS | VALUES, max_size=3),
        "expires_in": st.sampled_from([*ODD_NUMBERS, "5m", "9" * 400 + "d"]),
        "max_tokens": st.sampled_from(ODD_NUMBERS),
        "temperature": st.sampled_from(ODD_NUMBERS),
        "response_format": VALUES,
        "custom_id": WORDS,
        "request": VALUES,
        "body": VALUES,
        "params": VALUES,
    },
)
LISTS = st.fixed_dictionaries(
    {"jobs": st.lists(LIKELY | VALUES, max_size=3)},
    optional={
        "expires_in": st.sampled_from(ODD_NUMBERS),
        "first": st.sampled_from(ODD_NUMBERS),
        "name": WORDS,
        "batch": WORDS,
    },
)
BULKS = st.dictionaries(NAMES, VALUES, max_size=4) | st.fixed_dictionaries(
    {"all": st.just(True), "dry_run": st.booleans()},
    optional={"per_minute": st.sampled_from(ODD_NUMBERS), "limit": st.sampled_from(ODD_NUMBERS), "tenant": WORDS},
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Idempotency-Key", "Prefer", "If-None-Match", "Content-Type", "Accept", "X-Api-Key", "Authorization"]
    ),
    st.sampled_from(
        ["", "x", "wait=", "wait=0", "W/", "a" * 10_000, "é", "multipart/form-data; boundary=", "text/plain",
         "application/json; charset=utf-7", "Bearer", "Bearer hf_", "Basic !"]
    ),
    max_size=3,
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request, tmp_path_factory) -> Iterator[tuple[Any, list[tuple[str, str, list[str]]]]]:
    """An application, and its operations: method, path, names of query parameters."""
    directory = tmp_path_factory.mktemp("nonsense")
    known = configured(directory)
    with postgres() if request.param == "postgres" else nullcontext() as url:
        if url:
            known = load(known.source, {"HOLDFAST_DATABASE_URL": url})
        with opened(known) as api:
            yield api, operations(api)


def operations(api) -> list[tuple[str, str, list[str]]]:
    paths = api.get("/openapi.json").json()["paths"]
    return [
        (method, path, [each["name"] for each in about.get("parameters", ()) if each["in"] == "query"])
        for path, methods in paths.items()
        for method, about in methods.items()
    ]


def fine(answer, *what: object) -> None:
    """A good answer, or a problem document that is the caller's own."""
    assert answer.status_code < 500, (what, answer.text[:600])
    if answer.status_code >= 400:
        if str(answer.url.path).startswith("/v1/"):  # the doors for other APIs' clients write errors as those do
            assert answer.json()["error"]["type"], what
            return
        assert answer.headers["content-type"] == "application/problem+json", (what, answer.text[:300])
        assert answer.json()["code"], what


BOUNDED = settings(
    max_examples=int(os.environ.get("HOLDFAST_FUZZ", "100")),  # more on request; always the same ones by default
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@BOUNDED
@given(data=st.data())
def test_odd_queries_paths_and_headers(house, data) -> None:
    api, known = house
    method, path, names = data.draw(st.sampled_from(known))
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + quote(data.draw(WORDS).encode(errors="replace"), safe="%/") + rest.partition("}")[2]
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=2)) if names else []
    query = {name: data.draw(st.lists(WORDS, min_size=1, max_size=2)) for name in chosen}
    query = {name: [each.encode(errors="replace").decode() for each in values] for name, values in query.items()}
    headers = {name: value.encode() for name, value in data.draw(HEADERS).items()}
    if path.endswith("/events"):
        headers["Accept"] = b"application/json"  # the stream of them has no end
    body = {"json": {}} if method == "post" else {}
    fine(api.request(method, path, params=query, headers=headers, **body), method, path, query, headers)


@BOUNDED
@given(body=LIKELY | LISTS | VALUES, headers=HEADERS)
def test_odd_submits(house, body, headers) -> None:
    api, _ = house
    content = written(body)
    fine(api.post("/api/v1/jobs", content=content, headers={n: v.encode() for n, v in headers.items()}), content[:400])


@BOUNDED
@given(action=st.sampled_from(["replay", "drain", "drop"]), body=BULKS | VALUES)
def test_odd_bulk_actions(house, action, body) -> None:
    api, _ = house
    content = written(body)
    headers = {"content-type": "application/json"}
    fine(api.post(f"/api/v1/dlq/{action}", content=content, headers=headers), action, content[:400])


@BOUNDED
@given(content=st.binary(max_size=200), path=st.sampled_from(["/api/v1/jobs", "/api/v1/dlq/replay"]))
def test_bytes_that_are_no_json(house, content, path) -> None:
    api, _ = house
    fine(api.post(path, content=content, headers={"content-type": "application/json"}), path, content)


def written(value: Any) -> bytes:
    """JSON, with what only some writers would write: NaN, numbers beyond all bounds, half characters."""
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "content",
    [
        b'{"model": "smart", "prompt": "\\u0000"}',
        b'{"model": "smart", "prompt": "\\ud800"}',
        b'{"model": "smart", "prompt": "a", "prompt": "b"}',
        b'{"model": "smart", "prompt": 1e999}',
        b'{"model": "smart", "prompt": NaN}',
        b'{"model": "smart", "prompt": "a", "temperature": -0}',
        b'{"model": "smart", "prompt": "a", "max_tokens": ' + b"9" * 10_000 + b"}",
        b'{"model": "smart", "prompt": "a", "metadata": {"\\u0000": "\\u0000"}}',
        b'{"jobs": [{"model": "smart", "prompt": "a", "custom_id": "\\u0000"}]}',
        b'{"jobs": [{"model": "smart", "prompt": "a"}], "name": "\\u0000"}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/dlq/drop"])
def test_odd_json_one_by_one(house, content, path) -> None:
    api, _ = house
    fine(api.post(path, content=content, headers={"content-type": "application/json"}), path, content[:100])


def test_what_was_accepted_can_be_read(house) -> None:
    api, _ = house
    odd = {"model": "openai/ü", "prompt": "\x00\ufffe\U0001f600", "custom_id": "'; drop table job; --"}
    fine(api.post("/api/v1/jobs", content=written(odd)))
    assert odd["custom_id"] in [job["custom_id"] for job in orjson.loads(api.get("/api/v1/jobs").content)["jobs"]]
    fine(api.get("/api/v1/dlq/groups"))
    assert api.get("/api/v1/ledger").json()["holds"]
