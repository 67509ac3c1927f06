"""Batches through the unmodified SDK: each line its own answer, a bad line its own error, and repeats one batch."""

import json

import openai
import pytest

from api.openai.conftest import batch_of, jobs, line_of, lines_of, until

LANE = "smart.batch"


def ended(client: openai.OpenAI, batch: str):
    """Wait until a batch has ended."""
    until(lambda: client.batches.retrieve(batch).status in {"completed", "failed", "expired", "cancelled"})
    return client.batches.retrieve(batch)


def in_progress(client: openai.OpenAI, batch: str) -> None:
    until(lambda: client.batches.retrieve(batch).status == "in_progress")


def contents(client: openai.OpenAI, file: str | None) -> list[dict]:
    assert file is not None
    return [json.loads(line) for line in client.files.content(file).text.splitlines()]


def test_a_batch_goes_through_its_life(client, answering) -> None:
    batch = batch_of(client, lines_of(["one", "two", "three"]), metadata={"run": "7"})
    assert (batch.status, batch.endpoint, batch.completion_window) == ("validating", "/v1/chat/completions", "24h")
    assert batch.metadata == {"run": "7"}
    assert (batch.output_file_id, batch.error_file_id, batch.errors) == (None, None, None)
    done = ended(client, batch.id)
    assert (done.status, done.request_counts.to_dict()) == ("completed", {"total": 3, "completed": 3, "failed": 0})
    assert done.error_file_id is None
    assert done.created_at <= done.in_progress_at <= done.completed_at
    assert done.expires_at == batch.created_at + 86_400
    lines = contents(client, done.output_file_id)
    assert [line["custom_id"] for line in lines] == ["0", "1", "2"]
    said = [line["response"]["body"]["choices"][0]["message"]["content"] for line in lines]
    assert said == ["ONE", "TWO", "THREE"]
    assert {line["response"]["status_code"] for line in lines} == {200}
    assert lines[0]["holdfast"]["route"] == "anthropic/claude-opus-4-8"


def test_an_output_file_is_shown_and_can_be_deleted(client, answering) -> None:
    done = ended(client, batch_of(client, lines_of(["one"])).id)
    file = client.files.retrieve(done.output_file_id)
    assert (file.purpose, file.bytes) == ("batch_output", len(client.files.content(file.id).content))
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)


BAD = [
    (b"not json", "invalid_json_line", None),
    (b'{"method": "POST", "url": "/v1/chat/completions"}', "missing_required_parameter", "custom_id"),
    (line_of("good", "again"), "duplicate_custom_id", "custom_id"),
    (line_of("url", "x", url="/v1/embeddings"), "mismatched_url", "url"),
    (line_of("method", "x", method="GET"), "invalid_method", "method"),
    (line_of("model", "x", model="no such"), "model_not_found", "body.model"),
    (line_of("messages", None), "invalid_request", "body.messages"),
]  # fmt: skip


def test_a_bad_line_costs_only_itself_and_all_are_reported_at_once(client, answering) -> None:
    content = b"\n".join([line_of("good", "good"), b"", *(line for line, _, _ in BAD), line_of("last", "last")])
    done = ended(client, batch_of(client, content).id)
    assert (done.status, done.request_counts.to_dict()) == ("completed", {"total": 9, "completed": 2, "failed": 7})
    assert [(each.line, each.code, each.param) for each in done.errors.data] == [
        (number, code, param) for number, (_, code, param) in enumerate(BAD, 3)
    ]
    assert [line["custom_id"] for line in contents(client, done.output_file_id)] == ["good", "last"]
    errors = contents(client, done.error_file_id)
    assert [line["error"]["code"] for line in errors] == [code for _, code, _ in BAD]
    assert [line["custom_id"] for line in errors[-3:]] == ["method", "model", "messages"]
    assert {line["response"]["status_code"] for line in errors} == {400}


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{}\n{}", "missing_required_parameter"), (b"\n \n", "empty_file"), (b"x", "invalid_json_line")],
)
def test_a_batch_fails_where_no_line_of_it_can_run(client, content, code) -> None:
    done = ended(client, batch_of(client, content).id)
    assert (done.status, done.errors.data[0].code, done.output_file_id) == ("failed", code, None)
    assert done.failed_at is not None


def test_requests_that_die_stand_in_the_error_file_as_theirs(client, worker, store) -> None:
    batch = batch_of(client, lines_of(["one", "two"]))
    in_progress(client, batch.id)
    worker.bury(LANE, jobs=1, body=b'{"error": {"message": "no", "type": "t", "code": "bad_parameter"}}')
    counts = client.batches.retrieve(batch.id).request_counts
    assert (counts.total, counts.completed, counts.failed) == (2, 0, 1)
    worker.answer(LANE)
    done = ended(client, batch.id)
    [error] = contents(client, done.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("0", 400)
    assert error["response"]["body"]["error"]["code"] == "bad_parameter"
    assert [line["custom_id"] for line in contents(client, done.output_file_id)] == ["1"]


def test_a_cancelled_batch_keeps_what_was_done(client, worker) -> None:
    batch = batch_of(client, lines_of(["one", "two", "three"]))
    in_progress(client, batch.id)
    worker.answer(LANE, jobs=1)
    assert client.batches.cancel(batch.id).status in {"cancelling", "cancelled"}
    done = ended(client, batch.id)
    assert (done.status, done.request_counts.completed) == ("cancelled", 1)
    assert (done.cancelling_at, done.cancelled_at) != (None, None)
    assert {line["error"]["code"] for line in contents(client, done.error_file_id)} == {"batch_cancelled"}
    assert client.batches.cancel(batch.id).status == "cancelled"


def test_a_batch_expires_with_its_completion_window(client, worker, store, sweeping) -> None:
    batch = batch_of(client, lines_of(["one", "two"]), completion_window="2s")
    in_progress(client, batch.id)
    worker.answer(LANE, jobs=1)
    done = ended(client, batch.id)
    assert (done.status, done.request_counts.to_dict()) == ("expired", {"total": 2, "completed": 1, "failed": 1})
    assert [line["error"]["code"] for line in contents(client, done.error_file_id)] == ["batch_expired"]


def test_a_creation_that_the_sdk_repeats_is_one_batch(client, store) -> None:
    file = client.files.create(file=("in.jsonl", lines_of(["one"])), purpose="batch")
    ask = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    first = client.batches.create(**ask)
    for tries in (1, 2):
        again = client.batches.create(**ask, extra_headers={"x-stainless-retry-count": str(tries)})
        assert again.id == first.id
    assert client.batches.create(**ask).id != first.id
    until(lambda: len(jobs(store)) == 2)


def test_batches_are_listed_by_pages(client) -> None:
    ids = [batch_of(client, lines_of(["one"])).id for _ in range(5)]
    assert [batch.id for batch in client.batches.list(limit=2)] == ids[::-1]


@pytest.mark.parametrize(
    ("wrong", "kind", "param"),
    [
        ({"input_file_id": "file-abc"}, openai.NotFoundError, "id"),
        ({"endpoint": "/v1/audio/speech"}, openai.BadRequestError, "endpoint"),
        ({"completion_window": "soon"}, openai.BadRequestError, "completion_window"),
        ({"metadata": {"a": 1}}, openai.BadRequestError, "metadata.a"),
    ],
)
def test_a_creation_that_is_wrong_raises_what_openai_would_raise(client, wrong, kind, param) -> None:
    file = client.files.create(file=("in.jsonl", lines_of(["one"])), purpose="batch")
    ask = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    with pytest.raises(kind) as refused:
        client.batches.create(**{**ask, **wrong})
    assert refused.value.param == param


@pytest.mark.parametrize("name", ["batch_abc", "batch_" + "0" * 32])
def test_what_no_batch_is_called_is_not_found(client, name) -> None:
    for look in (client.batches.retrieve, client.batches.cancel):
        with pytest.raises(openai.NotFoundError, match="No such Batch object"):
            look(name)


def test_responses_and_embeddings_run_as_batches_too(client, worker, store) -> None:
    asked = line_of("a", "x", url="/v1/responses", body={"model": "smart", "input": "hello"})
    responses = batch_of(client, asked, endpoint="/v1/responses")
    in_progress(client, responses.id)
    worker.answer(LANE)
    [line] = contents(client, ended(client, responses.id).output_file_id)
    assert line["response"]["body"]["output"][0]["content"][0]["text"] == "HELLO"
    asked = line_of("a", "x", url="/v1/embeddings", body={"model": "openai/gpt-5.4", "input": "hello"})
    embeddings = batch_of(client, asked, endpoint="/v1/embeddings")
    in_progress(client, embeddings.id)
    worker.respond(b'{"object": "list", "data": [{"embedding": [1]}]}', lane="openai/gpt-5.4.batch")
    [line] = contents(client, ended(client, embeddings.id).output_file_id)
    assert line["response"]["body"]["data"] == [{"embedding": [1]}]


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(client, answering) -> None:
    marked = ended(client, batch_of(client, b"\xef\xbb\xbf" + lines_of(["one", "two"])).id)
    assert marked.request_counts.to_dict() == {"total": 2, "completed": 2, "failed": 0}
    apart = ended(client, batch_of(client, b"\xef\xbb\xbf\r\n" + lines_of(["one"])).id)
    assert apart.request_counts.to_dict() == {"total": 1, "completed": 1, "failed": 0}


def test_an_idempotency_key_names_one_batch_and_is_refused_for_another(client) -> None:
    keyed = {"extra_headers": {"Idempotency-Key": "mine"}}
    files = [client.files.create(file=("in.jsonl", lines_of([text])), purpose="batch").id for text in ("one", "two")]
    ask = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **keyed}
    made = {client.batches.create(input_file_id=files[0], **ask).id for _ in range(2)}
    with pytest.raises(openai.ConflictError, match="another request"):
        client.batches.create(input_file_id=files[1], **ask)
    assert len(made) == 1


def test_pictures_run_as_a_batch_on_a_route_that_makes_them(client, worker) -> None:
    asked = line_of("a", None, url="/v1/images/generations", body={"model": "openai/gpt-5.4", "prompt": "a kelp"})
    batch = batch_of(client, asked, endpoint="/v1/images/generations")
    in_progress(client, batch.id)
    worker.respond(b'{"created": 1, "data": [{"b64_json": "aGk="}]}', lane="openai/gpt-5.4.batch")
    [line] = contents(client, ended(client, batch.id).output_file_id)
    assert line["response"]["body"]["data"] == [{"b64_json": "aGk="}]


def test_a_batch_tells_its_tokens_and_its_model_once_it_has_ended(client, answering) -> None:
    batch = batch_of(client, b"not json\n" + lines_of(["one", "two"]))
    assert (batch.usage, batch.model) == (None, None)
    done = ended(client, batch.id)
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens) == (20, 8, 28)
    assert (done.usage.input_tokens_details.cached_tokens, done.usage.output_tokens_details.reasoning_tokens) == (0, 0)
    assert done.model == "claude-opus-4-8"


def test_output_files_expire_when_their_owner_says_so(client, answering, store) -> None:
    done = ended(
        client, batch_of(client, lines_of(["one"]), output_expires_after={"anchor": "created_at", "seconds": 3_600}).id
    )
    file = client.files.retrieve(done.output_file_id)
    assert file.expires_at == file.created_at + 3_600
    back = "update batch_order set ended_at = ended_at - 3600000000"
    store.write(lambda tx: tx.connection.exec_driver_sql(back))
    for look in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            look(file.id)


@pytest.mark.parametrize("said", [{"anchor": "created_at", "seconds": 5}, {"anchor": "x", "seconds": 3_600}, {}])
def test_an_expiry_that_openai_would_refuse_is_refused(client, said) -> None:
    with pytest.raises(openai.BadRequestError, match="output_expires_after"):
        batch_of(client, lines_of(["one"]), output_expires_after=said)
