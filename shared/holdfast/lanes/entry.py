"""A window entry: the dramatiq message that says "look at job N now", and the need that the gate reads beside it."""

import time

from dramatiq.message import Message

from holdfast.lanes.seal import VERSION, Seal
from holdfast.model.job import Need, Offer

ACTOR = "run_job"
FOR_EVER = "inf"


def write_entry(offer: Offer, seal: Seal | None) -> tuple[str, bytes, str]:
    """A job's id, its message and its need, both signed."""
    need = write_need(offer.need)
    signature = seal.sign(offer.lane, offer.id, need) if seal else ""
    return offer.id, write_message(offer, signature), f"{need}\n{signature}" if signature else need


def write_message(offer: Offer, signature: str) -> bytes:
    """The dramatiq message of a job. Its ``redis_message_id`` is the job's id: an id is in a window at most once."""
    message: Message[None] = Message(
        queue_name=offer.lane,
        actor_name=ACTOR,
        args=(offer.id,),
        kwargs={},
        options={"redis_message_id": offer.id, "version": VERSION, "signature": signature},
        message_id=offer.id,
        message_timestamp=int(time.time() * 1000),
    )
    return message.encode()


def write_need(need: Need) -> str:
    r"""Two numbers, then a route and the end of its avoidance for each route to leave out, all between tabs.

    >>> write_need(Need(120, 1000, {"anthropic/opus": 1700000000.5, "openai/gpt": None}))
    '120\t1000\tanthropic/opus\t1700000000.500000\topenai/gpt\tinf'
    """
    parts = [str(max(0, need.input_tokens)), str(max(0, need.output_tokens))]
    for route, until in need.avoid.items():
        parts += [route, FOR_EVER if until is None else f"{until:.6f}"]
    return "\t".join(parts)
