"""Files that are not what they are taken for, and tables that say less than they seem to. One line says what to do, and
nothing is submitted that was not meant.
"""

import os
import threading
from pathlib import Path

import pytest

from holdfast.cli.jsonl_input import InputLine, JsonlInput

JOB = b'{"prompt": "hi", "model": "smart"}'
WHOLE = [  # files that hold no line at all: name, content, what is said, and the way on
    ("a.txt", b"What is a holdfast?\nAnd a stipe?\n", "is text, not JSON lines", "jq -Rc '{prompt: .}' a.txt"),
    ("a.jsonl", b'"What is a holdfast?"\n', "is text, not JSON lines", "jq -c '{prompt: .}' a.jsonl"),
    ("jobs.yaml", b"- prompt: hi\n  model: smart\n", "is text, not JSON lines", "jq"),
    ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\n", "is a PDF", "--file paper.pdf"),
    ("in.jsonl", b"<!DOCTYPE html><title>Log in</title>", "is HTML or XML", "page of a login"),
    ("in.jsonl", bytes(range(256)), "is no text", "CSV or Parquet"),
    ("jobs.xlsx", b"PK\x03\x04....[Content_Types].xml", "is a workbook of Excel", "as CSV"),
    ("in.csv", b"prompt,prompt,model\na,b,smart\n", "several columns called 'prompt'", "Rename"),
    ("in.csv", b'prompt,model\n"a,smart\nb,smart\n', "is no CSV", "A quote that is opened is closed"),
]
LINES = [  # one line that is no job beside one that is
    (JOB + b",", "a comma stands behind the object"),
    (JOB + JOB, "two objects stand on one line; jq -c ."),
    (b"{'prompt': 'hi', 'model': 'smart'}", "single quotes; write it with json.dumps"),
    (b'{"prompt": "hi", "model": "smart", "temperature": NaN}', "NaN is no number of JSON; write null"),
    (b'{"prompt": "hi", "model": "smart", "temperature": -Infinity}', "-Infinity is no number of JSON"),
]


@pytest.mark.parametrize(
    ("name", "content", "said", "on"), WHOLE, ids=[f"{name}: {said}" for name, _, said, _ in WHOLE]
)
def test_a_file_of_another_kind_is_one_line_and_no_job(cli, tmp_path, name, content, said, on) -> None:
    (tmp_path / name).write_bytes(content)
    ended = cli("submit", name, "--model", "smart")
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err
    assert on in ended.err
    assert f"> {name}" not in ended.err, "it would be emptied before it is read"


@pytest.mark.parametrize(("line", "said"), LINES, ids=[said for _, said in LINES])
def test_a_slip_in_a_line_is_named_by_what_mends_it(cli, store, tmp_path, line, said) -> None:
    (tmp_path / "in.jsonl").write_bytes(JOB + b"\n" + line + b"\n")
    ended = cli("submit", "in.jsonl", "--json")
    assert (ended.status, ended.json["jobs"], ended.json["invalid"]) == (3, 1, 1)
    assert "line 2" in ended.err
    assert said in ended.err


def lines_of(source: Path) -> list[object]:
    with JsonlInput(source) as read:
        return [line.text if isinstance(line, InputLine) else str(line) for line in read.lines()]


def test_a_row_with_more_cells_than_columns_is_no_job_cut_short(cli, store, tmp_path) -> None:
    (tmp_path / "in.csv").write_text("prompt,note\nHello, world,x\nfine,y\n")
    ended = cli("submit", "in.csv", "--model", "smart", "--json")
    assert (ended.status, ended.json["jobs"]) == (3, 1)
    assert "line 2: has 3 cells, and the header names 2. A text with a separator in it stands in quotes." in ended.err


def test_rows_of_csv_are_told_by_the_line_on_which_they_begin(cli, store, tmp_path) -> None:
    (tmp_path / "in.csv").write_text('prompt,model\n"two\nlines",smart\n\nhi,nobody\n')
    assert "line 5: model: there is no model 'nobody'" in cli("submit", "in.csv").err


@pytest.mark.parametrize("header", [",prompt,model", "id (old),prompt,model", "prompt,model"])
def test_a_file_that_is_called_csv_is_read_as_csv(tmp_path, header) -> None:
    """A DataFrame writes its index as a column without a name."""
    row = "hi,smart" if header.startswith("prompt") else "1,hi,smart"
    (tmp_path / "in.csv").write_text(f"{header}\n{row}\n")
    (line,) = lines_of(tmp_path / "in.csv")
    assert b'"prompt":"hi"' in line


@pytest.mark.parametrize("template", ["{text.upper}", "{text.__class__}", "{}", "{0}"])
def test_a_template_names_columns_and_nothing_of_python(cli, tmp_path, template) -> None:
    (tmp_path / "in.csv").write_text("text,n\nhi,1\n")
    ended = cli("submit", "in.csv", "--model", "smart", "--template", template)
    assert ended.status == 2
    assert "the table has no column" in ended.err


def test_a_template_without_a_column_would_ask_the_same_of_every_row(cli, tmp_path) -> None:
    (tmp_path / "in.csv").write_text("text,n\nhi,1\n")
    ended = cli("submit", "in.csv", "--model", "smart", "--template", "Sum up: ")
    assert ended.status == 2
    assert "names no column" in ended.err
    assert "'Sum up: {text}'" in ended.err


def test_a_named_pipe_is_read_as_a_shell_gives_it(tmp_path) -> None:
    """``holdfast run <(jq …)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(JOB + b"\n",))
    writer.start()
    assert lines_of(pipe) == [JOB + b"\n"]
    writer.join()


def test_a_device_without_end_is_not_read(cli) -> None:
    ended = cli("submit", "/dev/zero", "--model", "smart")
    assert ended.status == 2
    assert "is a device" in ended.err


def test_an_input_that_grows_while_it_is_read_is_told(tmp_path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(JOB + b"\n")
    with JsonlInput(source) as read:
        read.digest()
        assert len(list(read.lines())) == 1
        assert not read.changed
        with source.open("ab") as more:
            more.write(JOB + b"\n")
        assert len(list(read.lines())) == 2
        assert read.changed
