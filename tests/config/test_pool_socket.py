"""A command finds the pool of its folder where that works on the very configuration that the command has."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.config.pool_socket import find_pool, listening, pool_socket
from holdfast.config.up_file import HOME

FILE = Path("holdfast.toml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    HOME.mkdir()
    FILE.write_text("[worker]\nconcurrency = 5\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def pool() -> Iterator[Path]:
    with listening(pool_socket(env={})) as listener:
        yield Path(listener.getsockname())


def test_a_command_finds_the_pool_of_its_folder(pool: Path) -> None:
    assert find_pool(env={}) == find_pool(FILE, {}) == pool


def test_nobody_but_this_user_reaches_it(pool: Path) -> None:
    assert stat.S_IMODE(pool.stat().st_mode) == 0o600


@pytest.mark.usefixtures("pool")
def test_a_command_that_means_another_storage_finds_none() -> None:
    assert find_pool(env={"HOLDFAST_DATABASE_URL": "postgresql://elsewhere/jobs"}) is None
    assert find_pool(env={"HOLDFAST_REDIS_URL": "redis://elsewhere"}) is None
    FILE.write_text("[worker]\nconcurrency = 6\n", encoding="utf-8")
    assert find_pool(env={}) is None


@pytest.mark.usefixtures("pool")
def test_in_another_folder_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert find_pool(tmp_path / FILE, {}) is None


def test_what_a_killed_pool_left_answers_nobody_and_makes_way() -> None:
    path = pool_socket(env={})
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    assert find_pool(env={}) is None
    with listening(path):
        assert find_pool(env={}) == path
    assert not path.exists()


def test_a_configuration_that_comes_through_a_pipe_is_left_to_who_loads_it() -> None:
    os.mkfifo("pipe.toml")
    assert find_pool(Path("pipe.toml"), {}) is None
