"""``run`` and ``submit`` read tables: each row is a job, told by columns or by a template."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from cli.conftest import jsonl
from holdfast.cli.input_file import open_input
from holdfast.cli.jsonl_input import InputLine, InvalidLine, JsonlInput
from holdfast.cli.table_input import RowOptions
from holdfast.model.errors import InvalidRequest

FACTS = "id,text,model,max_tokens\n7,Grüße,smart,20\n8,,smart,\n9,two,smart,\n"


def read(path: Path, content: bytes | str, options: RowOptions | None = None) -> list[InputLine | InvalidLine]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with JsonlInput(path, options) as lines:
        return list(lines.lines())


def jobs(lines: list[InputLine | InvalidLine]) -> list[dict[str, object]]:
    return [json.loads(line.text) for line in lines if isinstance(line, InputLine)]


def test_a_csv_file_runs_as_it_is(cli, worker, tmp_path) -> None:
    (tmp_path / "in.csv").write_text(FACTS)
    options = ("--prompt-column", "text", "--id-column", "id")
    assert cli("submit", "in.csv", *options).status == 3
    worker.answer()
    ended = cli("run", "in.csv", "-o", "out.jsonl", *options)
    assert ended.status == 3
    lines = jsonl(tmp_path / "out.jsonl")
    assert [(line["custom_id"], (line["reply"] or {}).get("text")) for line in lines] == [
        ("7", "GRÜSSE"), ("8", None), ("9", "TWO"),
    ]  # fmt: skip
    assert "line 3" in lines[1]["error"]["message"]


def test_cells_are_values_and_other_columns_are_left_out(tmp_path) -> None:
    found = jobs(read(tmp_path / "in.csv", 'prompt,max_tokens,stop,colour\n1,20,"[""a""]",red\n'))
    assert found == [{"prompt": "1", "max_tokens": 20, "stop": ["a"]}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_separated_by_commas_semicolons_or_tabs(tmp_path, separator) -> None:
    text = separator.join(("prompt", "model")) + "\r\n" + separator.join(("hi there", "m")) + "\r\n"
    assert jobs(read(tmp_path / "table.csv", "\ufeff" + text)) == [{"prompt": "hi there", "model": "m"}]


def test_a_template_makes_the_prompt_of_csv_and_of_json_lines(tmp_path) -> None:
    options = RowOptions(template="Sum up: {text}")
    assert jobs(read(tmp_path / "a.csv", "text\none\n", options)) == [{"prompt": "Sum up: one"}]
    packed = gzip.compress(b'{"text": "one", "model": "m"}\n\n? no json\n{"x": 1}\n')
    lines = read(tmp_path / "a.jsonl.gz", packed, options)
    assert jobs(lines) == [{"prompt": "Sum up: one", "model": "m"}]
    assert [(line.number, line.problem) for line in lines if isinstance(line, InvalidLine)] == [
        (3, "is no JSON: Expecting value at column 1."),
        (4, "needs 'text', and this row has none."),
    ]


def test_a_file_that_is_no_utf_8_says_how_to_convert_it(tmp_path) -> None:
    with pytest.raises(InvalidRequest, match=r"is CSV, and not in UTF-8\. Convert it: iconv"):
        read(tmp_path / "in.csv", "prompt\né\n".encode("latin-1"))


def test_another_template_is_another_run(cli, worker, tmp_path) -> None:
    (tmp_path / "in.csv").write_text("text,model\none,smart\n")
    first = cli("submit", "in.csv", "--template", "{text}", "--json").json
    again = cli("submit", "in.csv", "--template", "{text}", "--json").json
    other = cli("submit", "in.csv", "--template", "{text}!", "--json").json
    assert first["batch"] == again["batch"] != other["batch"]
    assert (again["known"], other["known"]) == (1, 0)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "in.parquet").write_bytes(b"PAR1rest")
    with pytest.raises(InvalidRequest, match=r"pip install 'holdfast\[parquet\]'"):
        open_input(tmp_path / "in.parquet")
