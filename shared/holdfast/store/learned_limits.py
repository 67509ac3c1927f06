"""Limits that workers learned, from one run to the next."""

from collections.abc import Iterable
from typing import Any

from holdfast.model.call_result import Dimension
from holdfast.policy.learned_limit import LearnedLimit
from holdfast.policy.rate_estimate import Stage
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

LIMITS = Statement("""
    select bucket, stage, requests_per_minute, burst, told_requests, told_input_tokens, told_output_tokens, learned_at
    from learned_limit order by bucket
""")
KEEP = Statement("""
    insert into learned_limit (bucket, stage, requests_per_minute, burst,
        told_requests, told_input_tokens, told_output_tokens, learned_at)
    values (:bucket, :stage, :requests_per_minute, :burst,
        :told_requests, :told_input_tokens, :told_output_tokens, :learned_at)
    on conflict (bucket) do update set stage = excluded.stage, requests_per_minute = excluded.requests_per_minute,
        burst = excluded.burst, told_requests = excluded.told_requests, told_input_tokens = excluded.told_input_tokens,
        told_output_tokens = excluded.told_output_tokens, learned_at = excluded.learned_at
""")
FORGET = Statement("delete from learned_limit where substr(bucket, 1, :length) = :prefix")


def read_limits(tx: Transaction) -> dict[str, LearnedLimit]:
    """Return what is kept, by bucket."""
    return {row.bucket: _limit(row, tx.now) for row in tx.run(LIMITS)}


def keep_limits(tx: Transaction, limits: Iterable[LearnedLimit]) -> None:
    """Write what was learned in place of what was known of the same buckets."""
    for limit in limits:
        tx.run(
            KEEP,
            bucket=limit.bucket,
            stage=limit.stage,
            requests_per_minute=limit.per_minute,
            burst=limit.burst,
            learned_at=tx.now - to_micros(limit.age),
            told_requests=limit.told.get(Dimension.REQUESTS),
            told_input_tokens=limit.told.get(Dimension.INPUT_TOKENS),
            told_output_tokens=limit.told.get(Dimension.OUTPUT_TOKENS),
        )


def forget_limits(tx: Transaction, provider: str) -> None:
    """Delete what was learned of a provider's limits."""
    tx.run(FORGET, prefix=f"{provider}/", length=len(provider) + 1)


def _limit(row: Any, now: int) -> LearnedLimit:
    told = {
        Dimension.REQUESTS: row.told_requests,
        Dimension.INPUT_TOKENS: row.told_input_tokens,
        Dimension.OUTPUT_TOKENS: row.told_output_tokens,
    }
    return LearnedLimit(
        row.bucket,
        None if row.stage is None else Stage(row.stage),
        row.requests_per_minute,
        row.burst,
        {each: units for each, units in told.items() if units is not None},
        max(0.0, to_seconds(now - row.learned_at)),
    )
