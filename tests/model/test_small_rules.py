"""Rules that stand once: durations, text that can be stored, bounds on JSON, loopback names, environment names."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from holdfast.model.durations import UNITS, parse_duration
from holdfast.model.environment import VARIABLES
from holdfast.model.json_bounds import MOST_BRACKETS, has_too_many_brackets, is_deeper
from holdfast.model.loopback import is_loopback
from holdfast.model.storable import is_storable, storable

ROOT = Path(__file__).parents[2]
SOURCE = [file for root in ("shared", "producers", "workers") for file in (ROOT / root).rglob("*.py")]


@pytest.mark.parametrize("name", ["durations", "storable", "json_bounds", "loopback"])
def test_examples_hold(name):
    ran = doctest.testmod(importlib.import_module(f"holdfast.model.{name}"))
    assert ran.attempted > 0
    assert ran.failed == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), (".5h", 1800), ("1.h", 3600), ("7d", 604_800), ("500ms", 0.5),
     ("90", 90), ("1.5", 1.5), ("0", 0), (" 5 m ", 300)],
)  # fmt: skip
def test_a_number_and_a_unit_are_a_duration(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "s", ".", "m5", "5 months", "5M", "-5s", "1e3s", "nan", "inf", "5m30s"])
def test_everything_else_is_none(text):
    assert parse_duration(text) is None


def test_no_other_module_has_a_grammar_of_durations():
    """The one of ``wire/durations.py`` is that of providers' headers: ``6m0s``."""
    units = re.compile(r"\((?:\?:)?ms\|")
    named = {file.relative_to(ROOT).as_posix() for file in SOURCE if units.search(file.read_text(encoding="utf-8"))}
    assert set(UNITS) == {"ms", "s", "m", "h", "d"}
    assert named == {"shared/holdfast/model/durations.py", "shared/holdfast/wire/durations.py"}


@pytest.mark.parametrize("text", ["", "ä", "\U0001f600", "\ud7ff", "\ufffe", "\x01"])
def test_text_that_can_be_kept_is_kept_as_it_is(text):
    assert is_storable(text)
    assert storable(text) == text


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "ä\ud83dä"])
def test_text_that_cannot_be_kept_gets_stand_ins(text):
    assert not is_storable(text)
    kept = storable(text)
    assert is_storable(kept)
    assert kept.encode()


@pytest.mark.parametrize("leaf", ["x", 1, None, [], {}])
def test_depth_counts_lists_and_objects(leaf):
    value, levels = leaf, int(leaf in ([], {}))
    for _ in range(20):
        value, levels = ([value] if levels % 2 else {"a": value, "b": 1}), levels + 1
    assert not is_deeper(value, levels)
    assert is_deeper(value, levels - 1)


def test_brackets_are_counted_in_bytes():
    assert not has_too_many_brackets(b"[" * MOST_BRACKETS + b"]" * MOST_BRACKETS)
    assert has_too_many_brackets(b"[" * MOST_BRACKETS + b"{")
    assert not has_too_many_brackets(b"x" * (2 * MOST_BRACKETS))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_this_machine_has_several_names(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "0.0.0.0", "::", "10.0.0.1", "localhost.org", "127.0.0.1.org"])
def test_other_names_may_be_anybodys(host):
    assert not is_loopback(host)


def test_every_variable_that_the_code_names_is_in_the_one_list():
    """Those of the lab's own configurations hold keys of simulated providers, and are read as ``env:NAME``."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in SOURCE)
    named = set(re.findall(r"\bHOLDFAST_[A-Z][A-Z_]*", text)) - {"HOLDFAST_DEMO_KEY", "HOLDFAST_DRILL_KEY"}
    assert named == set(VARIABLES)
