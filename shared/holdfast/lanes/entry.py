"""A window entry: the dramatiq message that says "look at job N now", and the need that the gate reads beside it."""

import time
from collections.abc import Iterable
from math import inf

import orjson

from holdfast.lanes.message_signer import MessageSigner
from holdfast.model.job import Need, Offer

ACTOR = "run_job"
FOR_EVER = "inf"
DEADLINE = "@"  # stands where a route would, and is none
# To write the object anew for each of a window's jobs takes four times as long.
MESSAGE = (
    b'{"queue_name":%b,"actor_name":"' + ACTOR.encode() + b'","args":[%b],"kwargs":{},'
    b'"options":{"redis_message_id":%b},"message_id":%b,"message_timestamp":%d}'
)


def write_entry(offer: Offer, signer: MessageSigner | None) -> tuple[str, bytes, str]:
    """Return a job's id, its message, and its need with the signature of all that the gate reads."""
    need = write_need(offer.need)
    signature = signer.sign(offer.lane, offer.id, need) if signer else ""
    return offer.id, write_message(offer), f"{need}\n{signature}" if signature else need


def write_message(offer: Offer) -> bytes:
    """Return the dramatiq message of a job, in the members that dramatiq's own ``Message`` encodes (dramatiq 2).

    Its ``redis_message_id`` is the job's id: a window holds an id once.
    """
    job = orjson.dumps(offer.id)
    return MESSAGE % (orjson.dumps(offer.lane), job, job, job, time.time() * 1000)


def write_need(need: Need) -> str:
    r"""Two numbers, the deadline if there is one, then routes to leave out, each with the end of that, between tabs.

    >>> write_need(Need(120, 1000, {"anthropic/opus": 1700000000.5, "openai/gpt": None}))
    '120\t1000\tanthropic/opus\t1700000000.500000\topenai/gpt\tinf'
    >>> write_need(Need(120, 1000, expires_at=1700000009.0))
    '120\t1000\t@\t1700000009.000000'
    """
    parts = [str(max(0, need.input_tokens)), str(max(0, need.output_tokens))]
    if need.expires_at is not None:
        parts += [DEADLINE, f"{need.expires_at:.6f}"]
    for route, until in need.avoid.items():
        parts += [route, FOR_EVER if until is None else f"{until:.6f}"]
    return "\t".join(parts)


def in_order(offers: Iterable[Offer]) -> list[Offer]:
    """The order of a lane: the nearest deadline first, then the oldest. Ids tell the age."""
    return sorted(offers, key=lambda offer: (inf if (due := offer.need.expires_at) is None else due, offer.id))
