"""Tables are read by their rows, one job each; what cannot be read so says which call can."""

import io
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

import row_tables as tables
from holdfast.client import AsyncHoldfast, Holdfast, InvalidJobs
from holdfast.client.installation import Installation
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest
from holdfast.store.jobs import find_detail
from producing import StandInWorker

NAN = float("nan")
TABLES = [tables.PandasFrame, tables.PolarsFrame, tables.ArrowTable, tables.DataSet]


class Question(NamedTuple):
    prompt: str
    max_tokens: int | None = None


@dataclass
class Chapter:
    text: str
    number: int


def stored(installation: Installation, batch) -> list:
    return [installation.ready().read(find_detail, job.inner) for job in batch.jobs]


def prompts(details: list) -> list[str]:
    return [detail.request.turns[0].parts[0].text for detail in details]


@pytest.mark.parametrize("table", TABLES)
def test_each_row_of_a_table_is_a_job(hf: Holdfast, installation: Installation, table) -> None:
    frame = table({"custom_id": ["a", "b"], "prompt": ["one", "two"], "max_tokens": [50, None]})
    details = stored(installation, hf.submit(frame, model="smart"))
    assert prompts(details) == ["one", "two"]
    assert [detail.job.custom_id for detail in details] == ["a", "b"]
    assert [detail.request.max_tokens for detail in details] == [50, None]


def test_what_is_missing_is_absent(hf: Holdfast, installation: Installation) -> None:
    columns = {"prompt": ["one", "two", "three"], "max_tokens": [5.0, NAN, tables.NAType()], "system": ["x", None, NAN]}
    details = stored(installation, hf.submit(tables.PandasFrame(columns), model="smart"))
    assert [detail.request.max_tokens for detail in details] == [5, None, None]
    assert [detail.request.system for detail in details] == ["x", None, None]
    details = stored(installation, hf.submit([{"prompt": "one", "max_tokens": NAN}], model="smart"))
    assert details[0].request.max_tokens is None


def test_an_empty_cell_is_no_prompt(hf: Holdfast) -> None:
    with pytest.raises(InvalidJobs, match=r"jobs\[1\]: prompt: is missing: the value is empty"):
        hf.submit(["one", NAN], model="smart")


def test_columns_say_what_holds_what_and_the_rest_is_metadata_on_request(hf, installation) -> None:
    frame = tables.PandasFrame({"question": ["one"], "row": [tables.Int64(7)], "topic": ["kelp"], "page": [3]})
    batch = hf.submit(frame, model="smart", columns={"prompt": "question", "custom_id": "row"}, metadata=True)
    (detail,) = stored(installation, batch)
    assert (detail.job.custom_id, prompts([detail])) == ("7", ["one"])
    assert detail.job.metadata == {"topic": "kelp", "page": "3"}
    (detail,) = stored(
        installation, hf.submit(frame, model="smart", columns={"prompt": "question"}, metadata=["topic"])
    )
    assert detail.job.metadata == {"topic": "kelp"}


def test_a_template_makes_prompts_of_columns(hf: Holdfast, installation: Installation) -> None:
    chapters = [Chapter("It began.", 1), Chapter("It ended.", 2)]
    batch = hf.submit(chapters, model="smart", template="Summarise chapter {number}: {text}")
    assert prompts(stored(installation, batch)) == ["Summarise chapter 1: It began.", "Summarise chapter 2: It ended."]


def test_rows_may_be_anything_with_named_values(hf: Holdfast, installation: Installation) -> None:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    found = database.execute("select 'three' as prompt, 9 as max_tokens")
    batch = hf.submit([Question("one"), {"prompt": "two"}, *found], model="smart")
    details = stored(installation, batch)
    assert prompts(details) == ["one", "two", "three"]
    assert [detail.request.max_tokens for detail in details] == [None, None, 9]


def test_structs_say_nothing_of_their_empty_members(hf: Holdfast, installation: Installation) -> None:
    turns = [{"role": "user", "content": "one", "name": None, "tool_calls": None}]
    assert prompts(stored(installation, hf.submit(tables.DataSet({"messages": [turns]}), model="smart"))) == ["one"]


@pytest.mark.parametrize(
    ("table", "options", "why"),
    [
        ({"prompt": ["a"], "topic": ["b"]}, {}, "columns: 'topic' is not known here. metadata=True keeps"),
        ({"prompt": ["a"], "max_token": [1]}, {}, "Did you mean max_tokens?"),
        ({"text": ["a"]}, {"metadata": True}, r"none of the columns \('text'\) holds the prompt"),
        ({"text": ["a"]}, {"columns": {"prompt": "txt"}}, "the table has no column 'txt'. Did you mean 'text'?"),
        ({"text": ["a"]}, {"columns": {"text": "prompt"}}, "the other way round: columns={'prompt': 'text'}"),
        ({"text": ["a"]}, {"columns": {"promt": "text"}}, "'promt' is no key of a job. Did you mean prompt?"),
        ({"text": ["a"]}, {"template": "{txt}"}, "has no column 'txt'"),
        ({"text": ["a"]}, {"template": "{"}, "template: cannot be read"),
        ({"text": ["a"]}, {"template": "{text}", "columns": {"prompt": "text"}}, "Leave one of them out"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_sentence_for_all_its_rows(hf: Holdfast, table, options, why) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        hf.submit(tables.PandasFrame(table), model="smart", **options)
    assert not isinstance(caught.value, InvalidJobs)


def test_a_row_without_what_the_template_needs_is_named(hf: Holdfast) -> None:
    with pytest.raises(InvalidJobs, match=r"jobs\[1\]: template: needs 'text', and this row has none"):
        hf.submit(tables.PandasFrame({"text": ["a", None]}), model="smart", template="{text}")


async def one_by_one() -> AsyncIterator[str]:
    for prompt in ("one", "two"):
        yield prompt


async def never() -> None: ...


@pytest.mark.parametrize(
    ("jobs", "call"),
    [
        (tables.LazyFrame(), r"submit\(jobs.collect\(\), ...\)"),
        (tables.DatasetDict(train=tables.DataSet({})), r"submit\(jobs\['train'\], ...\)"),
        (Path("prompts.jsonl"), r'submit\(open\(path, "rb"\), ...\)'),
        (io.StringIO("{}"), r'open\(path, "rb"\)'),
        (one_by_one(), r"await AsyncHoldfast\(\).submit"),
        (5, "not int"),
    ],
)
def test_what_has_no_rows_says_which_call_makes_some(hf: Holdfast, jobs, call) -> None:
    with pytest.raises(TypeError, match=call):
        hf.submit(jobs, model="smart")


def test_a_coroutine_is_to_be_awaited(hf: Holdfast) -> None:
    with pytest.raises(TypeError, match="write submit\\(await"):
        hf.submit(coroutine := never())
    coroutine.close()


def test_a_file_of_lines_is_read_by_its_lines(hf: Holdfast, installation: Installation) -> None:
    lines = io.BytesIO(b'{"prompt": "one"}\n{"prompt": "two"}\n')
    assert prompts(stored(installation, hf.submit(lines, model="smart"))) == ["one", "two"]


async def test_asynchronous_iterables_are_read_too(settings: Settings) -> None:
    async with AsyncHoldfast(settings) as hf:
        batch = await hf.submit(one_by_one(), model="smart")
        StandInWorker(hf.sync.backend.installation.ready()).answer()
        assert [answer.text async for answer in batch.results(timeout=120)] == ["ONE", "TWO"]


def test_a_row_without_a_prompt_says_so(hf: Holdfast) -> None:
    frame = tables.PandasFrame({"text": ["a", None]})
    with pytest.raises(InvalidJobs, match=r"jobs\[1\]: prompt: is missing: the value is empty"):
        hf.submit(frame, model="smart", columns={"prompt": "text"})


def test_columns_of_one_name_are_refused_where_one_would_be_lost(hf: Holdfast) -> None:
    frame = tables.PandasFrame({"prompt": ["a"], "other": ["b"]})
    frame.columns = ["prompt", "prompt"]
    with pytest.raises(InvalidRequest, match="several columns called 'prompt'"):
        hf.submit(frame, model="smart")
