"""How an estimate of a rate limit is written into the hash of its bucket, and read from it."""

from collections.abc import Mapping
from dataclasses import fields

from holdfast.policy import latency_sign
from holdfast.policy.rate_estimate import RateEstimate, Stage


def dump(learned: RateEstimate) -> dict[str, str]:
    """Write every field of the hash that belongs to the learner."""
    written = {f"learn.{each.name}": _text(getattr(learned, each.name)) for each in fields(RateEstimate)}
    written["learn.latency"] = latency_sign.dump(learned.latency)
    written["learn.marks"] = " ".join(f"{at!r}:{count}" for at, count in learned.marks)
    written["requests.per_ms"] = written.pop("learn.per_ms")
    written["requests.capacity"] = written.pop("learn.capacity")
    return written


def parse(hash_: Mapping[str, str]) -> RateEstimate | None:
    """Read what ``dump`` wrote, from the whole hash of the bucket; None: nothing was learned here yet.

    Raises: ValueError: a field holds what ``dump`` does not write.
    """
    if "learn.stage" not in hash_:
        return None
    counts = {name: int(hash_.get(f"learn.{name}", 0)) for name in _COUNTS}  # older code counted less
    times = {name: float(hash_[f"learn.{name}"]) for name in _NUMBERS}
    return RateEstimate(
        stage=Stage(hash_["learn.stage"]),
        per_ms=float(hash_["requests.per_ms"]),
        capacity=float(hash_["requests.capacity"]),
        latency=latency_sign.parse(hash_["learn.latency"]),
        marks=tuple(_mark(text) for text in hash_["learn.marks"].split()),
        **times,  # type: ignore[arg-type]  # names and types come from the class itself
        **counts,
    )


def _mark(text: str) -> tuple[float, int]:
    at, _, count = text.partition(":")
    return float(at), int(count)


_COUNTS = tuple(each.name for each in fields(RateEstimate) if each.type is int)
_NUMBERS = tuple(
    each.name for each in fields(RateEstimate) if each.type is float and each.name not in {"per_ms", "capacity"}
)


def _text(value: float | str) -> str:
    return str(value) if isinstance(value, int | str) else repr(value)
