"""A prompt that is read in company becomes the same job as one that is read alone."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.client.errors import InvalidJobs
from holdfast.client.job_items import read_jobs
from holdfast.client.job_templates import JobTemplates
from holdfast.client.submit_request import JobDefaults
from holdfast.model.job import Priority
from producing import configured

WORDS = st.one_of(
    st.text(min_size=1, max_size=20),
    st.sampled_from(["", " ", "\n\t", "\x00", "\ud800", "a\ud800b", "漢字", "short", "a" * 900, '{"prompt": 1}']),
)
ITEMS = st.lists(st.one_of(WORDS, WORDS, st.just({"prompt": "a line", "max_tokens": 5})), max_size=5)
DEFAULTS = st.builds(
    JobDefaults,
    model=st.sampled_from(["smart", "anthropic/claude-opus-4-8", None]),
    priority=st.sampled_from([None, Priority.INTERACTIVE]),
    expires_in=st.sampled_from([None, 60.0]),
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return configured(tmp_path_factory.mktemp("prompts")).plan


@settings(deadline=None)
@given(ITEMS, DEFAULTS)
def test_company_changes_nothing(plan: Any, items: list[Any], defaults: JobDefaults) -> None:
    alone = [told([item], defaults, plan) for item in items]
    assert told(items, defaults, plan) == together(alone)


def told(items: list[Any], defaults: JobDefaults, plan: Any) -> tuple[list[Any], list[Any]]:
    """What is accepted, and else what is wrong, by place."""
    try:
        jobs = read_jobs(items, defaults, plan, JobTemplates())
    except InvalidJobs as error:
        return [], [(each.index, each.where, each.problem, each.hint) for each in error.problems]
    return [(job.line.model, job.line.priority, job.line.expires_in, job.need, job.body, job.hash) for job in jobs], []


def together(alone: list[tuple[list[Any], list[Any]]]) -> tuple[list[Any], list[Any]]:
    """All or none."""
    problems = [(place, *problem[1:]) for place, (_, found) in enumerate(alone) for problem in found]
    return ([] if problems else [job for jobs, _ in alone for job in jobs]), problems
