"""What an earlier run learned of a limit is the start of the next one, fades with time, and may be wrong."""

from dataclasses import replace

import pytest

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.policy.learned_limit import (
    HALF_LIFE,
    KEEP_TOLD,
    REFRESH,
    LearnedLimit,
    LimitSource,
    aged_rate,
    restored,
    restored_fields,
    source_of,
    to_keep,
)
from holdfast.policy.rate_estimate import START_BURST, START_PER_MS, Stage, begin, observe_limit, observe_use
from holdfast.policy.rate_limit import per_minute
from policy.provider_limiter import Fleet, ProviderLimiter

LIMIT = LearnedLimit("provider/main:m", Stage.LEARNED, per_minute=24_000, burst=40)


def run(kept: LearnedLimit, limit: float, jobs: int, **more):
    return Fleet(jobs, ProviderLimiter(limit, limit), start=restored(kept, 0.0), **more).run()


@pytest.mark.parametrize("seed", range(4))
def test_the_first_second_of_the_next_run_uses_nearly_all_of_what_was_learned(seed: int) -> None:
    fleet = Fleet(4_000, ProviderLimiter(400, 400), start=restored(LIMIT, 0.0), seed=seed)
    assert fleet.run().sent_in_first_second >= 0.8 * 400
    assert fleet.refused <= 10


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limit", [5, 50, 200])
def test_a_limit_that_is_no_longer_so_high_costs_few_refusals(limit: float, seed: int) -> None:
    assert run(LIMIT, limit, int(20 * limit), seed=seed).refused <= 10


@pytest.mark.parametrize("kept", [10, 50, 400])
def test_a_limit_that_is_higher_by_now_is_grown_into(kept: float) -> None:
    kept_limit = replace(LIMIT, per_minute=60 * kept)
    assert run(kept_limit, 4 * kept, int(120 * kept)).learned.per_ms >= 2 * kept / 1000


def test_a_rate_that_nobody_refused_is_reached_again_at_once_and_grows_on() -> None:
    kept = replace(LIMIT, stage=Stage.GROWING, per_minute=120_000)
    again, anew = run(kept, 1e9, 10_000), Fleet(10_000, ProviderLimiter(1e9, 1e9)).run()
    assert again.sent_in_first_second > 2 * anew.sent_in_first_second
    assert again.learned.per_ms > 2.0


def test_half_of_what_is_known_is_forgotten_in_a_week() -> None:
    assert aged_rate(LIMIT) == pytest.approx(0.4)
    later = aged_rate(replace(LIMIT, age=HALF_LIFE))
    assert later / START_PER_MS == pytest.approx((0.4 / START_PER_MS) ** 0.5)
    assert aged_rate(replace(LIMIT, age=20 * HALF_LIFE)) == pytest.approx(START_PER_MS, rel=0.01)


def test_a_limit_below_the_start_of_those_that_nobody_knows_is_kept_to_at_once() -> None:
    estimate = restored(replace(LIMIT, per_minute=600, burst=10), 0.0)
    assert (estimate.stage, estimate.per_ms, estimate.capacity) == (Stage.GUESSED, 0.01, 10)


def test_a_run_begins_as_if_nothing_was_learned_until_its_first_calls_are_through() -> None:
    estimate = restored(LIMIT, 0.0)
    assert (estimate.per_ms, estimate.capacity) == (START_PER_MS, START_BURST)
    assert estimate.kept == pytest.approx(0.4)


def test_what_a_header_told_last_time_is_told_again_before_it_counts_as_told() -> None:
    kept = replace(LIMIT, stage=Stage.TOLD, per_minute=60_000 * per_minute(24_000).per_ms)
    estimate = restored(kept, 0.0)
    assert estimate.stage is Stage.RESTORED
    told, _ = observe_limit(estimate, LimitSeen(24_000), now_ms=300.0, sent_ms=0.0, taken=9)
    assert (told.stage, told.per_ms, told.kept) == (Stage.TOLD, per_minute(24_000).per_ms, 0.0)
    for step in range(1, 200):
        estimate = observe_use(estimate, now_ms=step * 50.0, taken=step * 20)
    assert estimate.per_ms <= 1.000001 * kept.per_minute / 60_000


def test_token_limits_that_headers_told_count_for_a_day() -> None:
    told = LearnedLimit("provider/main:m", told={Dimension.INPUT_TOKENS: 60_000 * per_minute(600_000).per_ms})
    assert float(restored_fields(told, 0.0)["input_tokens.per_ms"]) == pytest.approx(per_minute(600_000).per_ms)
    assert restored_fields(replace(told, age=KEEP_TOLD), 0.0) == {}


def test_sql_is_written_to_where_a_rate_changed_or_its_age_did() -> None:
    assert to_keep(None, LIMIT) == LIMIT
    assert to_keep(LIMIT, replace(LIMIT, per_minute=24_100)) is None
    assert to_keep(LIMIT, higher := replace(LIMIT, per_minute=30_000)) == higher
    assert to_keep(replace(LIMIT, age=REFRESH + 1), LIMIT) == LIMIT
    assert to_keep(LIMIT, told := replace(LIMIT, told={Dimension.INPUT_TOKENS: 9.0})) == told


def test_a_rate_that_nobody_refused_yet_does_not_replace_a_limit_that_was_met() -> None:
    growing = replace(LIMIT, stage=Stage.GROWING)
    assert to_keep(LIMIT, replace(growing, per_minute=20_000)) is None
    assert to_keep(LIMIT, higher := replace(growing, per_minute=48_000)) == higher


def test_people_are_told_where_a_limit_is_from() -> None:
    assert source_of(begin(0.0)) is LimitSource.USE
    restored_limit = restored(LIMIT, 0.0)
    assert source_of(restored_limit) is LimitSource.EARLIER_RUN
    assert source_of(replace(restored_limit, stage=Stage.GUESSED)) is LimitSource.EARLIER_RUN
    assert source_of(replace(restored_limit, stage=Stage.GUESSED, refused=1)) is LimitSource.REFUSALS
    assert source_of(replace(restored_limit, stage=Stage.TOLD)) is LimitSource.HEADERS
