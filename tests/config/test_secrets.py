"""The configuration says where a key is; what goes wrong is told without the key."""

import stat
import sys
from pathlib import Path

import pytest

from holdfast.config import SecretUnavailable, read_secret


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_MINE", " sk-1\n")
    assert read_secret("env:KEY_OF_MINE") == "sk-1"


def test_a_secret_comes_from_a_file_and_a_rotated_one_is_read_anew(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_text("sk-1\n")
    assert read_secret(f"file:{place}") == "sk-1"
    place.write_text("sk-2\n")
    assert read_secret(f"file:{place}") == "sk-2"


def test_a_secret_comes_from_a_command_without_a_shell() -> None:
    assert read_secret(f"command:{sys.executable} -c 'print(\"sk;1 | x\")'") == "sk;1 | x"


def test_none_is_no_secret() -> None:
    assert read_secret("none") == ""


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("env:NOT_SET_HERE", "the environment variable NOT_SET_HERE is not set"),
        ("file:/not/here", "No such file or directory"),
        ("command:/not/here", "the command could not be run (FileNotFoundError)"),
        ("command:'unclosed", "the command could not be run (ValueError)"),
        ("command:false", "the command ended with status 1"),
        ("command:true", "it is empty"),
    ],
)
def test_each_way_to_fail_is_named(reference: str, why: str) -> None:
    with pytest.raises(SecretUnavailable) as error:
        read_secret(reference)
    assert str(error.value) == f"no secret at {reference}: {why}."


def test_a_text_that_is_no_reference_is_not_repeated() -> None:
    with pytest.raises(SecretUnavailable) as error:
        read_secret("sk-ant-CANARY")
    assert "CANARY" not in str(error.value)


def test_what_a_failing_command_printed_is_not_repeated(tmp_path: Path) -> None:
    script = tmp_path / "leak"
    script.write_text("#!/bin/sh\necho CANARY; echo CANARY >&2; exit 3\n")
    script.chmod(stat.S_IRWXU)
    with pytest.raises(SecretUnavailable) as error:
        read_secret(f"command:{script}")
    assert "CANARY" not in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretUnavailable, match="not UTF-8"):
        read_secret(f"file:{tmp_path / 'key'}")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("sk-one\nsk-two", "a line break"),
        ("sk-a\x00b", "control character"),
        ('"sk-a"', "stands in quotes"),
        ("\u201csk-a\u201d", "stands in quotes"),
        ("Bearer sk-a", "the word Bearer"),
        ("ANTHROPIC_API_KEY=sk-a", "begins with ANTHROPIC_API_KEY="),
        ("export OPENAI_API_KEY=sk-a", "begins with export OPENAI_API_KEY="),
    ],
)
def test_what_was_pasted_with_more_than_the_key_is_no_secret(tmp_path, value, why) -> None:
    """One with a line break would end every job that goes out with it, as a mistake of our own."""
    file = tmp_path / "key"
    file.write_text(value)
    with pytest.raises(SecretUnavailable, match=why) as told:
        read_secret(f"file:{file}")
    assert "sk-" not in str(told.value)


@pytest.mark.parametrize("value", ['{\n "Version": 1,\n "SecretAccessKey": "a"\n}', "sk-ant-a\n", "a b=c"])
def test_what_credential_processes_print_and_odd_keys_are_secrets(tmp_path, value) -> None:
    file = tmp_path / "key"
    file.write_text(value)
    assert read_secret(f"file:{file}") == value.strip()
