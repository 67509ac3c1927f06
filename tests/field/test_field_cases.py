"""What providers and files really look like, against real processes: each case ends as it should."""

from collections.abc import Callable
from functools import cache

import pytest

from field.case import Case
from field.cases import doors, keyless, money, other_routes, refused_jobs, rules, said_why, whole_answers
from field.known import KNOWN
from field.slice_run import SliceOutcome, run_slice
from field.verdict import wrongs

KINDS = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (whole_answers, refused_jobs, other_routes, money, said_why, doors, keyless, rules)
}


@pytest.fixture(scope="module")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SliceOutcome]:
    """Runs all cases of a kind, the first time that one of them is asked for."""
    return cache(lambda kind: run_slice(KINDS[kind], tmp_path_factory.mktemp(kind)))


def cases() -> list[object]:
    return [
        pytest.param(
            kind,
            case,
            id=f"{kind}: {case.name}",
            marks=[pytest.mark.xfail(strict=True, reason=f"{KNOWN[case.name]} mends it")] if case.name in KNOWN else [],
        )
        for kind, found in KINDS.items()
        for case in found
    ]


@pytest.mark.parametrize(("kind", "case"), cases())
def test_a_case_of_the_field_ends_as_it_should(
    kind: str, case: Case, outcome_of: Callable[[str], SliceOutcome]
) -> None:
    found = wrongs(case, outcome_of(kind))
    assert not found, "\n".join(found)


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for found in KINDS.values() for case in found]
    assert len(names) == len(set(names))
    assert len(names) >= 90


@pytest.mark.parametrize("kind", ["doors"])
def test_lines_come_back_in_the_form_they_went_in(kind: str, outcome_of: Callable[[str], SliceOutcome]) -> None:
    outcome = outcome_of(kind)
    openai, anthropic = outcome.lines["embeddings/only"], outcome.lines["betas/only"]
    assert openai["response"]["status_code"] == 200
    assert openai["response"]["body"]["data"][0]["embedding"] == [0.1, -0.2]
    assert openai["error"] is None
    assert anthropic["result"]["type"] == "succeeded"
    assert anthropic["result"]["message"]["content"][0]["text"] == "fine"
    assert outcome.lines["embeddings-without-url/only"]["error"]
    assert outcome.status == 3
    assert all(line["holdfast"]["attempts"] == 1 for line in (openai, anthropic))
