"""A parameter or a value that nothing knows is an error that says what may have been meant, never a filter less."""

import pytest


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("jobs", "states=dead", "query.states: is not known here. Did you mean state?"),
        ("jobs", "state=died", "Did you mean dead?"),
        ("jobs", "fault=rate_limit", "Did you mean rate_limited?"),
        ("batches", "tennant=a", "query.tennant: is not known here. Did you mean tenant?"),
        ("batches", "state=dead", "query.state: is not known here. Known are created_after"),
        ("dlq", "lanes=smart.batch", "Did you mean lane?"),
        ("jobs", "created_before=-1", "expected 90m, 2h or 7d ago"),
        ("events", "kinds=job.dead", "Did you mean kind?"),
        ("events", "kind=job.died", "Did you mean job.dead?"),
    ],
)
def test_a_typing_error_in_a_query_is_told_with_what_was_meant(api, path, query, said) -> None:
    answer = api.get(f"/api/v1/{path}?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("time", [False, -1, "-1", "yesterday"])
def test_what_is_no_time_is_refused_in_a_bulk_action(api, time) -> None:
    answer = api.post("/api/v1/dlq/replay", json={"lane": "smart.batch", "finished_before": time})
    assert answer.status_code == 422
    assert "finished_before" in answer.json()["detail"]


def test_a_typing_error_in_a_bulk_action_is_told_as_well(api) -> None:
    answer = api.post("/api/v1/dlq/replay", json={"lanes": "smart.batch"})
    assert (answer.status_code, "body.lanes: is not known here. Did you mean lane" in answer.json()["detail"]) == (
        422,
        True,
    )
