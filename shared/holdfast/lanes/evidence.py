"""What the fleet remembers of calls so that one job's failure can be held against what others' calls came to.

Per target (a route with one credential) Redis keeps when its latest reply came and when the call for it was sent, and
of each job that failed there of late when its first failed call was sent. settle.lua writes both, in the same step as
the permits; a lost Redis forgets them, and until there is something to compare with nothing counts against a job.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio.client import Pipeline

from holdfast.lanes.keys import Keys
from holdfast.model.attempt import Attempt
from holdfast.model.job import Permit
from holdfast.policy.comparison import FEW, LATELY, Comparison
from holdfast.policy.fault_rules import is_failure

MEMORY = 600.0  # seconds; settle.lua follows it. Older failures say nothing of what others' calls come to now


def target_of(permit: Permit) -> str:
    """Name what a permit was for: a route and a credential."""
    return f"{permit.route} {permit.credential}"


def failing_job(attempt: Attempt) -> str:
    """Name a job's generation: a replay is judged anew."""
    return f"{attempt.job.id}:{attempt.job.generation}"


def sent_at(attempt: Attempt, now: float) -> float:
    """When a call was sent, in seconds on the gate's clock."""
    return (now if attempt.ended_at is None else attempt.ended_at) - attempt.seconds


def evidence_arguments(attempts: Iterable[Attempt], now: float) -> list[Any]:
    """The last part of settle.lua's arguments: latest replies by target, then failures."""
    replies: dict[str, tuple[float, float]] = {}
    failures: list[Any] = []
    for attempt in attempts:
        target, sent = target_of(attempt.permit), sent_at(attempt, now)
        if attempt.is_reply:
            known = replies.get(target, (0.0, 0.0))
            replies[target] = max(known[0], sent), max(known[1], sent + attempt.seconds)
        elif attempt.fault is not None and is_failure(attempt.fault):
            failures += [target, failing_job(attempt), repr(sent)]
    said = [text for target, (sent, came) in replies.items() for text in (target, repr(sent), repr(came))]
    return [len(replies), *said, len(failures) // 3, *failures]


def ask_evidence(pipe: Pipeline, keys: Keys, attempt: Attempt) -> None:
    """Put the questions into a pipeline whose answers ``comparison_of`` reads."""
    target = target_of(attempt.permit)
    pipe.hget(keys.replies, target)
    pipe.zscore(keys.failing(target), failing_job(attempt))
    pipe.zrevrange(keys.failing(target), 0, FEW + 1, withscores=True)


def comparison_of(attempt: Attempt, rows: Sequence[Any], now: float) -> Comparison:
    """Hold a failed call against what the fleet remembers. ``rows``: the answers to ``ask_evidence``."""
    replied, first, newest = rows
    sent = sent_at(attempt, now)
    since = sent if first is None or first < now - MEMORY else min(first, sent)
    reply_sent, reply_came = _readable(replied)
    others = [at for job, at in newest if job != failing_job(attempt)]
    since_reply = sum(at > (reply_sent or now - MEMORY) for at in others)
    lately = sum(at > now - LATELY for at in others)
    return Comparison(attempt.permit.credential, since, reply_sent, reply_came, since_reply, lately)


def _readable(replied: str | None) -> tuple[float | None, float | None]:
    """When a call was sent and its reply came. What nobody of us wrote says nothing."""
    try:
        sent, came = map(float, (replied or "").split())
    except ValueError:
        return None, None
    return sent, came
