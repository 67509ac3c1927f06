"""What Holdfast knows of a waiting call, as headers beside the answer in the shape that its client reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from holdfast.client.ended_job import EndedJob

MOST_MAPPING = 4_000  # characters of a header; clients stop reading long ones
DONE_HERE = frozenset({"stream", "stream_options"})  # dropped on the way to the provider, and made good by us


def fact_headers(ended: EndedJob) -> dict[str, str]:
    """Return the job's id, the route that answered, attempts, cost, and what the way there changed or dropped."""
    facts: Mapping[str, Any] = ended.facts
    notes = [note for note in facts["mapping"] if note["field"] not in DONE_HERE]
    told = {
        "x-holdfast-job": facts["id"],
        "x-holdfast-route": facts["route"],
        "x-holdfast-attempts": facts["attempts"],
        "x-holdfast-cost-usd": facts["cost_usd"],
        "x-holdfast-mapping": mapping_header(notes) if notes else None,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def mapping_header(notes: Sequence[Mapping[str, str]]) -> str:
    """Write notes as one line of ASCII JSON; where they are too many, the last says how many are left out.

    >>> mapping_header([{"field": "seed", "note": "dropped"}])
    '[{"field":"seed","note":"dropped"}]'
    """
    for shown in range(len(notes), -1, -1):
        left = len(notes) - shown
        more = [{"field": "", "note": f"{left} more: see the job"}] if left else []
        text = ascii_json([*notes[:shown], *more])
        if len(text) <= MOST_MAPPING:
            break
    return text


def ascii_json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if text.isascii() else "".join(c if c < "\x7f" else _escaped(c) for c in text)


def _escaped(sign: str) -> str:
    units = sign.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
