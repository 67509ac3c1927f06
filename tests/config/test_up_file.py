"""Who is up in a folder: the process that holds the lock, never one that has come by the id of a killed one."""

import os

from holdfast.config.up_file import HOME, UP, is_up, told_up


def test_an_id_that_a_killed_one_left_is_nobodys(tmp_path, monkeypatch) -> None:
    """`holdfast down` would end whatever process has that id by now."""
    monkeypatch.chdir(tmp_path)
    HOME.mkdir()
    UP.write_text(str(os.getppid()))
    assert is_up() is None


def test_who_is_up_is_found_until_it_ends(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_up() is None
    with told_up():
        assert is_up() == os.getpid()
    assert is_up() is None
    assert not UP.exists()
