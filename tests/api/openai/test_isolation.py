"""Whatever one tenant keeps through OpenAI's API, another one can neither see, use, cancel nor delete."""

import openai
import pytest

from api.keys import add_key
from api.openai.conftest import batch_of, given_up, jobs, lines_of, until
from producing import served

SECRET = "theirs-4711"
LANE = "smart.batch"


@pytest.fixture
def two(settings, store):
    """Clients of two tenants at the same server."""
    keys = [add_key(store, tenant) for tenant in ("theirs", "mine")]
    with served(settings) as url:
        yield [openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=20) for key in keys]


def test_another_tenants_files_and_batches_are_not_found(two, worker, store) -> None:
    theirs, mine = two
    batch = batch_of(theirs, lines_of([SECRET, SECRET]), metadata={"secret": SECRET})
    until(lambda: len(jobs(store)) == 2)
    worker.answer(LANE, jobs=1)
    worker.bury(LANE, jobs=1)
    until(lambda: theirs.batches.retrieve(batch.id).status == "completed")
    done = theirs.batches.retrieve(batch.id)
    before = theirs.files.content(done.output_file_id).content
    for file in (batch.input_file_id, done.output_file_id, done.error_file_id):
        for look in (mine.files.retrieve, mine.files.content, mine.files.delete):
            with pytest.raises(openai.NotFoundError) as refused:
                look(file)
            assert SECRET not in refused.value.response.text
    for look in (mine.batches.retrieve, mine.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            look(batch.id)
    with pytest.raises(openai.NotFoundError):
        mine.batches.create(input_file_id=batch.input_file_id, endpoint="/v1/chat/completions", completion_window="24h")
    assert (mine.files.list().data, mine.batches.list().data) == ([], [])
    assert mine.batches.list(after=batch.id).data == mine.files.list(after=batch.input_file_id).data == []
    assert theirs.files.content(done.output_file_id).content == before
    assert theirs.batches.retrieve(batch.id).to_dict() == done.to_dict()


def test_a_repeat_finds_nobody_elses_file_batch_or_call(two, worker, store, beside) -> None:
    theirs, mine = two
    again = {"extra_headers": {"x-stainless-retry-count": "1"}}
    upload = {"file": ("in.jsonl", lines_of(["one"])), "purpose": "batch"}
    assert theirs.files.create(**upload).id != mine.files.create(**upload, **again).id
    keyed = {"extra_headers": {"Idempotency-Key": "the same for both"}}
    kept = theirs.files.create(**upload, **keyed).id
    other = mine.files.create(file=("in.jsonl", lines_of(["two"])), purpose="batch", **keyed)  # no conflict
    assert other.id != kept
    ask = {"model": "smart", "messages": [{"role": "user", "content": SECRET}]}
    with pytest.raises(openai.APITimeoutError):
        theirs.with_options(timeout=0.5).chat.completions.create(**ask)
    until(lambda: given_up(store))
    call = beside.submit(mine.chat.completions.create, **ask, **again)
    until(lambda: len(jobs(store)) == 2)
    worker.answer("smart.interactive")
    assert call.result().choices[0].message.content == SECRET.upper()
    assert {job.tenant for job in jobs(store)} == {"theirs", "mine"}


def test_only_a_good_key_is_let_in_and_its_scope_is_kept(two, settings, store) -> None:
    stranger = two[0].with_options(api_key="hf_0123456789abcdef_" + "ab" * 24)
    for _ in range(25):  # more than are told one by one: still no RateLimitError
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.models.list()
    assert refused.value.code == "invalid_api_key"
