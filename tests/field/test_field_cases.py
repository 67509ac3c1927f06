"""What providers and files really look like, against real processes: each case ends as it should."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from field.cases import doors, keyless, money, other_routes, refused_jobs, rules, said_why, whole_answers
from field.slice_run import SliceOutcome, run_slice
from field.verdict import wrongs

KINDS = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (refused_jobs, other_routes, whole_answers, doors, money, rules, said_why, keyless)
}


@pytest.mark.parametrize("kind", KINDS)
def test_cases_of_the_field_end_as_they_should(kind: str, tmp_path: Path, subtests: pytest.Subtests) -> None:
    outcome = run_slice(KINDS[kind], tmp_path)
    for case in KINDS[kind]:
        with subtests.test(case=case.name):
            found = wrongs(case, outcome)
            assert not found, "\n".join(found)
    ALSO.get(kind, lambda _: None)(outcome)


def lines_come_back_in_the_form_they_went_in(outcome: SliceOutcome) -> None:
    openai, anthropic = outcome.lines["embeddings/only"], outcome.lines["betas/only"]
    assert openai["response"]["status_code"] == 200
    assert openai["response"]["body"]["data"][0]["embedding"] == [0.1, -0.2]
    assert openai["error"] is None
    assert anthropic["result"]["type"] == "succeeded"
    assert anthropic["result"]["message"]["content"][0]["text"] == "fine"
    assert outcome.lines["embeddings-without-url/only"]["error"]
    assert outcome.status == 3
    assert all(line["holdfast"]["attempts"] == 1 for line in (openai, anthropic))


ALSO: Mapping[str, Callable[[SliceOutcome], None]] = {"doors": lines_come_back_in_the_form_they_went_in}


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for found in KINDS.values() for case in found]
    assert len(names) == len(set(names))
    assert len(names) >= 90
