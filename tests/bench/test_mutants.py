"""The list of mutants lives: each still fits the code, is a change, and names tests that are there."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "bench"))
from mutants import Mutant, Trial, Verdict, holds, mutants, table  # noqa: E402 - no package

sys.path.pop()  # or bench/store.py hides tests/store

MUTANTS = list(mutants())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_fits_the_code_as_it_is(mutant: Mutant) -> None:
    mutated = mutant.mutated(ROOT)  # its text occurs once
    assert mutated != (ROOT / mutant.file).read_text(encoding="utf-8")
    if mutant.file.endswith(".py"):
        ast.parse(mutated)
    paths = [each.partition("::")[0] for each in mutant.tests if each.startswith("tests/")]
    assert paths
    assert all((ROOT / path).exists() for path in paths)


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(mutant.id for mutant in MUTANTS).items() if times > 1] == []


@pytest.fixture
def mutant() -> Mutant:
    return Mutant("store", "S1", "it is off by one", "code.py", "one", "two", ("tests/store",))


@pytest.mark.parametrize(("text", "times"), [("three", 0), ("one and one", 2)])
def test_a_text_that_does_not_occur_once_is_refused(mutant: Mutant, tmp_path: Path, text: str, times: int) -> None:
    (tmp_path / "code.py").write_text(text)
    with pytest.raises(ValueError, match=f"S1: its text occurs {times} times in code.py"):
        mutant.mutated(tmp_path)


@pytest.mark.parametrize(("noticed", "survived", "held"), [(92, 8, True), (91, 9, False)])
def test_the_bars_are_shares_of_what_was_tried(mutant: Mutant, noticed: int, survived: int, *, held: bool) -> None:
    trials = [Trial(mutant, Verdict.NOTICED, 1.0, "a test")] * noticed
    trials += [Trial(mutant, Verdict.SURVIVED, 1.0, "")] * survived
    assert holds(trials) is held
    assert f"| store | 100 | {noticed} | {noticed}% |" in table(trials)
