"""The OpenAPI document is one from which clients can be made, and every answer is as it says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from holdfast.api.native.fleet_answers import AliveView
from holdfast.api.native.job_requests import JobRequest
from holdfast.wire.batch_line import OUTER
from holdfast.wire.neutral import KEYS

ALWAYS = {"400", "401", "403", "404", "422", "429", "500", "503"}
OPEN = {
    "OperationView",  # a dry run tells its plan beside
    *("ResponseFormat", "NamedSchema", "AnswerSchema", "FunctionTool", "ToolFunction", "ChatMessage", "MessagePart"),
}
PROBES = {"/livez", "/readyz", "/metrics"}


@pytest.fixture
def document(api) -> dict[str, Any]:
    return api.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_it_is_valid_openapi_31(document) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_reference_resolves(document) -> None:
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    found = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert found
    assert found <= names


def test_operations_are_named_by_what_they_do_and_each_once(document) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert {"submit_jobs", "show_job", "list_jobs", "cancel_job", "list_results"} <= set(names)


def test_no_object_is_a_choice_of_others_which_generators_of_clients_take_for_a_union(document) -> None:
    objects = {name: each for name, each in document["components"]["schemas"].items() if "properties" in each}
    assert [name for name, each in objects.items() if {"oneOf", "anyOf", "allOf"} & each.keys()] == []


def test_every_answer_and_every_error_has_a_schema(document) -> None:
    for path, operation in operations(document):
        assert path in PROBES or operation["responses"].keys() >= ALWAYS, path
        for status, answer in operation["responses"].items():
            schemas = [content["schema"] for content in answer.get("content", {}).values()]
            assert schemas or status in {"204", "304"}, (path, status)
            assert path.endswith("/response") or all(schemas), (path, status)  # a provider's body is anything
            if int(status) >= 400:
                assert answer["content"].keys() == {"application/problem+json"}


def test_bodies_and_the_models_of_this_server_are_told(document) -> None:
    for path, operation in operations(document):
        if path == "/api/v1/jobs" and "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert [each["$ref"].rpartition("/")[2] for each in schema["anyOf"]] == ["JobRequest", "JobListRequest"]
    names = document["components"]["schemas"]["JobRequest"]["properties"]["model"]["enum"]
    assert {"smart", "anthropic/claude-opus-4-8", "gpt-5.4"} <= set(names)


@pytest.mark.parametrize(("model", "follows_it"), [("claude-opus-4-8", False), ("smart", True), ("gpt-5.4", True)])
def test_a_conversation_that_no_route_of_its_model_could_carry_is_not_promised(document, model, follows_it) -> None:
    job = {"model": model, "messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}
    assert (not follows(document, "JobRequest", job)) is follows_it
    assert not follows(document, "JobRequest", job | {"messages": job["messages"][1:]})


def test_what_a_job_may_say_is_what_is_read() -> None:
    assert set(JobRequest.model_fields) <= {*OUTER, *KEYS}


def follows(document: dict[str, Any], name: str, value: Any) -> list[str]:
    """What is wrong with an answer; members that the document does not know are."""
    whole = {**document, "$ref": f"#/components/schemas/{name}"}
    strict = {**whole, "components": {"schemas": {key: closed(key, each) for key, each in schemas(document)}}}
    return [error.message for error in Draft202012Validator(strict).iter_errors(value)]


def schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from document["components"]["schemas"].items()


def closed(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    known = "properties" in schema and name not in OPEN
    return {**schema, "additionalProperties": False} if known else schema


def test_answers_are_as_the_document_says(api, worker, document) -> None:
    job = api.post("/api/v1/jobs", json={"model": "smart", "prompt": "a"}).json()
    dead = api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": "b"}]}).json()
    shown = {
        "SubmittedJob": job,
        "SubmittedJobs": dead,
        "JobView": api.get(job["status_url"]).json(),
        "CancelledJob": api.post(f"{dead['jobs'][0]['status_url']}/cancel").json(),
    }
    worker.answer()
    shown |= {
        "BatchView": api.get(dead["status_url"]).json(),
        "BatchesPage": api.get("/api/v1/batches").json(),
        "CancelledBatch": api.post(f"{dead['status_url']}/cancel").json(),
        "ResultsPage": api.get(f"{dead['status_url']}/results", headers={"Accept": "application/json"}).json(),
        "DeadGroups": api.get("/api/v1/dlq/groups").json(),
        "OperationView": api.post("/api/v1/dlq/replay", json={"all": True}).json(),
        "EventsPage": api.get("/api/v1/events", headers={"Accept": "application/json"}).json(),
        "LaneList": api.get("/api/v1/lanes").json(),
        "LanePaused": api.post("/api/v1/lanes/smart.batch/pause").json(),
        "RouteList": api.get("/api/v1/routes").json(),
        "RouteForced": api.post("/api/v1/routes/openai/gpt-5.4/open").json(),
        "StatusView": api.get("/api/v1/status").json(),
        "LedgerView": api.get("/api/v1/ledger").json(),
        "ReadyView": api.get("/readyz").json(),
        "AliveView": api.get("/livez").json(),
        "ProblemDocument": api.get("/api/v1/jobs/nothing").json(),
    }
    assert {name: follows(document, name, value) for name, value in shown.items()} == {name: [] for name in shown}
    views = [each.json() for each in (api.get(job["status_url"]), api.get(dead["jobs"][0]["status_url"]))]
    assert [follows(document, "JobView", view) for view in views] == [[], []]
    for page in (api.get("/api/v1/jobs").json(), api.get("/api/v1/dlq").json()):
        assert follows(document, "JobsPage", page) == []


def test_a_closed_schema_would_notice_a_new_member(document) -> None:
    assert follows(document, "AliveView", {"status": "alive", "more": 1})
    assert AliveView.__name__ in document["components"]["schemas"]


def test_a_path_tells_all_its_methods(api) -> None:
    answer = api.put("/api/v1/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_the_page_needs_no_key_no_script_and_no_other_host(api, document) -> None:
    answer = api.get("/docs")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.findall(r"(?:src|href)=(?!'[/#])", answer.text)
    for path, operation in operations(document):
        assert f"<code>{path}</code>" in answer.text
        assert f"id='{operation['operationId']}'" in answer.text


@pytest.mark.parametrize(
    ("job", "taken"),
    [
        ({"response_format": {"type": "grammar", "grammar": "g"}}, True),
        ({"response_format": {"type": "text"}}, True),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}}, True),
        ({"response_format": {"type": "json_schema"}}, False),
        ({"response_format": {"type": "json_object", "json_schema": {}}}, False),
        ({"response_format": {"json_schema": None}}, False),
        ({"tools": [{"type": "function", "function": {"name": "f", "new": 1}, "newer": 2}]}, True),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": None}}]}, True),
        ({"not_before": 31_536_001}, True),
        ({"not_before": 0}, True),
        ({"not_before": 400_000_000}, False),
        ({"not_before": 1_800_000_000}, True),
        ({"not_before": 260_000_000_000}, False),
        ({"expires_in": 31_536_001}, True),
        ({"expires_in": 400_000_000}, False),
        ({"expires_in": "9999h"}, True),
        ({"expires_in": "99999h"}, False),
        ({"repair": True}, False),
        ({"repair": True, "must": []}, False),
        ({"repair": True, "must": [{"min_length": 1}]}, True),
        ({"repair": True, "response_format": {"type": "json_object"}}, True),
        ({"repair": True, "response_format": {"type": "grammar"}}, False),
        ({"repair": None, "must": None}, True),
        ({"must": {}}, False),
        ({"must": [{"regex": ""}]}, True),
        ({"must": [{"one_of": [0]}]}, False),
        ({"must": [{"one_of": [0], "json_path": "$.a"}]}, True),
        ({"max_tokens": 10_000_001}, False),
        ({"prompt": None}, False),
        ({"prompt": None, "messages": [{"role": "user", "content": ["a"]}]}, True),
        ({"prompt": None, "messages": [{"role": "user", "content": []}]}, False),
        ({"prompt": None, "messages": [{"role": "usr", "content": "a"}]}, False),
        ({"messages": [{"role": "user", "content": "a"}]}, False),
        ({"tools": [{"type": "AAA", "function": {"name": "f"}}]}, False),
    ],
)
@pytest.mark.parametrize("model", ["smart", "claude-opus-4-8"])
def test_what_the_document_takes_is_taken_and_nothing_else(api, document, model, job, taken) -> None:
    body = {"model": model, "prompt": "a", **job}
    assert (not follows(document, "JobRequest", body)) is taken
    assert api.post("/api/v1/jobs", json=body).is_success is taken
