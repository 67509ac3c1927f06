"""Files that no producer meant to write: endless lines, bytes that are no text, JSON without bottom."""

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from cli.conftest import jsonl
from holdfast.cli.jsonl_input import BOM, LONGEST_LINE, InputLine, JsonlInput, bounded
from holdfast.config import SecretUnavailable, load, read_secret
from holdfast.config.config_file import LARGEST_FILE
from holdfast.config.secrets import LARGEST
from holdfast.lab.drill.catalogue import find
from holdfast.model.errors import ConfigError, InvalidRequest

MEMORY = 400 * 1024 * 1024  # bytes: the command itself, a line of the longest kind, and a copy of it


def test_a_line_that_is_too_long_is_one_bad_line_and_the_next_is_read(cli, worker, tmp_path) -> None:
    source = tmp_path / "in.jsonl"
    good = json.dumps({"model": "smart", "prompt": "a"})
    with source.open("w") as file:
        file.write(f'{good}\n{{"prompt": "{"x" * LONGEST_LINE}"}}\n{good}')
    ended = cli("submit", source, "--json")
    assert (ended.json["jobs"], ended.json["invalid"]) == (2, 1)
    assert "line 2: is longer than 33554432 bytes" in ended.err


def test_of_a_line_that_is_too_long_only_the_beginning_is_ever_held() -> None:
    class Endless(io.RawIOBase):
        """Blanks without end of line, a gigabyte of them."""

        left = 1024

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            if not self.left:
                return 0
            self.left -= 1
            size = min(len(buffer), 1024 * 1024)
            buffer[:size] = b"x" * size
            return size

    lines = [len(line) for line in bounded(io.BufferedReader(Endless(), 1024 * 1024))]
    assert lines == [LONGEST_LINE + 1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\xff\xfe" * 1_000, "is no JSON"),
        (b"\x7fELF\n\n\n\x00", "is no JSON"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"model": "smart", "prompt": ' + b'{"a":' * 500 + b"1" + b"}" * 501, "nested too deeply"),
        (b'{"model": "smart", "tools": ' + b"[" * 200 + b"]" * 200 + b"}", "nested too deeply"),
        (b'{"model": "smart", "prompt": "\\ud800"}', "half a surrogate pair"),
        (b'{"model": "smart", "prompt": "a", "max_tokens": 1e999}', "is no JSON"),
        (b"NaN", "is no JSON"),
        (b"{oops}", "is no JSON"),
        (b"[1]", "expected an object, got list"),
    ],
)
def test_what_is_no_line_is_named_with_its_number(cli, worker, tmp_path, content, says) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(json.dumps({"model": "smart", "prompt": "a"}).encode() + b"\n" + content)
    cli("submit", source)
    worker.answer()
    assert cli("run", source, "-o", out).status == 3
    lines = jsonl(out)
    assert lines[0]["status"] == "succeeded"
    assert says in lines[1]["error"]["message"]


def test_a_byte_order_mark_is_no_problem(tmp_path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(BOM + b'{"prompt": "x", "model": "m"}\r\n\r\n{"prompt": "y"}')
    with JsonlInput(source) as read:
        lines = list(read.lines())
    assert [(line.number, orjson.loads(line.text)["prompt"]) for line in lines if isinstance(line, InputLine)] == [
        (1, "x"),
        (3, "y"),
    ]


def test_a_configuration_without_end_is_not_read_to_its_end(tmp_path) -> None:
    with pytest.raises(ConfigError, match=f"expected at most {LARGEST_FILE} bytes"):
        load(Path("/dev/zero"), {})


def test_a_secret_without_end_is_none() -> None:
    with pytest.raises(SecretUnavailable, match=f"more than {LARGEST} bytes"):
        read_secret("file:/dev/zero")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "cannot be read"),
        (b" " * (4 * 1024 * 1024 + 1), "more than"),
    ],
)
def test_a_scenario_that_is_none_is_named(tmp_path, content, says) -> None:
    file = tmp_path / "odd.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match=says):
        find(str(file))


def test_a_command_reads_a_gigabyte_of_one_line_in_bounded_memory(settings, tmp_path) -> None:
    """Measured in a process of its own. (Its ru_maxrss would begin with the memory of the one that started it.)"""
    source = tmp_path / "in.jsonl"
    with source.open("wb") as file:
        file.write(b'{"prompt": "')
        file.truncate(1024**3)  # a gigabyte of NUL, which costs the disk nothing
    peak_of_this_program = "next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))"
    script = "import sys; from holdfast.cli.main import run\n"
    script += f"try:\n    run()\nfinally:\n    print({peak_of_this_program}, file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", script, "submit", source, "--config", str(settings.source)],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    peak = int(ended.stderr.split()[-1]) * 1024
    assert "line 1: is longer than" in ended.stderr
    assert peak < MEMORY


LINE = '{"model": "smart", "prompt": "Grüße"}\n'


@pytest.mark.parametrize(
    "content",
    [
        LINE.encode("utf-16"),
        LINE.encode("utf-8-sig"),
        b"\xfe\xff" + LINE.encode("utf-16-be"),
        gzip.compress(LINE.encode()),
        gzip.compress(LINE.encode("utf-16")),
    ],
    ids=["utf-16", "with a byte order mark", "utf-16, the other way round", "gzip", "utf-16 in gzip"],
)
def test_a_file_in_another_encoding_or_packing_is_read(cli, worker, tmp_path, content) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(content)
    cli("submit", source)
    worker.answer()
    assert cli("run", source, "-o", out).status == 0
    assert [line["reply"]["text"] for line in jsonl(out)] == ["GRÜSSE"]


@pytest.mark.parametrize(
    ("content", "said", "command"),
    [
        (LINE.encode("utf-32"), "is written in UTF-32", "iconv -f UTF-32"),
        (LINE.encode("utf-16-le"), "is written in UTF-16LE", "iconv -f UTF-16LE"),
        (LINE.encode("utf-16-be"), "is written in UTF-16BE", "iconv -f UTF-16BE"),
        (b"\x28\xb5\x2f\xfdrest", "is packed with zstd", "zstd -dc"),
        (lzma.compress(LINE.encode()), "is packed with xz", "xz -dc"),
        (bz2.compress(LINE.encode()), "is packed with bzip2", "bzip2 -dc"),
        (b"PK\x03\x04rest", "is a zip archive", "unzip -p"),
        (gzip.compress(gzip.compress(LINE.encode(), mtime=0), mtime=0), "is packed with gzip, twice", "gzip -dc"),
        (gzip.compress(LINE.encode(), mtime=0)[:-9], "is packed with gzip, and damaged", "Fetch it again"),
        (b'[{"prompt": "a"},\n {"prompt": "b"}]\n', "is a JSON array", "jq -c '.[]'"),
        (b'[\n  {"prompt": "a"}\n]\n', "is a JSON array", "jq -c '.[]'"),
        (b'{\n  "prompt": "a"\n}\n', "over several lines", "jq -c ."),
    ],
)
def test_what_is_no_json_lines_is_told_with_the_command_that_makes_it_so(cli, tmp_path, content, said, command) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(content)
    ended = cli("submit", source)
    assert ended.status == 2
    assert said in ended.err
    assert command in ended.err


def test_a_line_that_is_no_utf_8_says_where_and_how_to_convert_it(cli, tmp_path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(LINE.encode() + '{"prompt": "é"}'.encode("latin-1"))
    assert "not UTF-8 at column 13; convert the file, as with iconv" in cli("submit", source).err
