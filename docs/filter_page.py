"""The page of docs/filters.md: the filters of ``client/list_filters.py`` as people read them."""

from collections.abc import Iterator, Mapping

from holdfast.client.list_filters import CHOICES, LISTS, ValueKind
from holdfast.model.audit_action import AuditAction

INTRODUCTION = """\
# Lists and their filters

<!-- Written by `python docs/generate.py` from client/list_filters.py. Change the table there, not this page. -->

A filter has one name and one meaning in every list that has it: in a query of HTTP (`?created_after=2h`), as an option
of a command (`--created-after 2h`), as an argument in Python (`hf.jobs(created_after="2h")`), and in the body of a bulk
action on dead letters (`{"created_after": "2h"}`). Each narrows. A name that a list does not know is refused, with the
nearest one.

| list | HTTP | command | Python |
| --- | --- | --- | --- |
| jobs | `GET /api/v1/jobs` | `holdfast job list` | `hf.jobs(…)` |
| dead letters | `GET /api/v1/dlq`, `/dlq/groups`, and bulk actions | `holdfast dlq …` | `hf.jobs(state="dead")` |
| batches | `GET /api/v1/batches` | `holdfast batch list` | `hf.batches(…)` |
| events | `GET /api/v1/events` | `holdfast events` | `hf.events(…)` |
| webhook deliveries | `GET /api/v1/webhooks/deliveries` | `holdfast webhook deliveries` | |
| audit: what operators did, and what was refused | `GET /api/v1/audit` | `holdfast audit` | |

"""
RULES = """
- A **time** is so long ago (`90m`, `2h`, `7d`), an ISO 8601 date (UTC where it names no zone), or seconds since 1970;
  in Python also a `datetime` or a `timedelta`. `…_after` holds the moment itself, `…_before` does not.
- Filters marked *again* may be given again (`?state=dead&state=expired`, in Python a list): any of the values fits.
- `--job`, `--after` and `--before` of earlier releases go on working.

**Pages.** Lists are newest first, `limit` at a time. `next` is the `cursor` of the next page, and null on the last one.
A cursor names the last entry of its page, so that nothing that is made, ends or is deleted between two pages moves
others: each entry that was there when the first page was read comes once, and what was made later is on a new first
page. Events are oldest first, and `after` is their cursor: the id of the last event that was read, `oldest` or
`newest`.

**Nothing new.** Every list has a weak `ETag` of its page. Hand it back as `If-None-Match`, and a page that says the
same is answered with 304 and no body.
"""


ELSEWHERE: Mapping[ValueKind, str] = {  # more than a cell can hold
    ValueKind.FAULT: "a kind of [fault](faults.md)",
    ValueKind.ACTION: "an act, below",
}


def filter_page() -> str:
    heads = ["filter", "option", "value", *LISTS, "means"]
    rule = ["---", "---", "---", *([":-:"] * len(LISTS)), "---"]
    return INTRODUCTION + "".join(map(_line, [heads, rule, *_rows()])) + RULES + _acts()


def _rows() -> Iterator[list[str]]:
    names = dict.fromkeys(each.name for filters in LISTS.values() for each in filters)
    for name in names:
        found = {list_: each for list_, filters in LISTS.items() for each in filters if each.name == name}
        kinds = dict.fromkeys(each.kind for each in found.values())
        one = next(iter(found.values()))
        value = " or ".join(map(_value, kinds)) + (" *again*" if one.many else "")
        meanings = " ".join(dict.fromkeys(each.about for each in found.values()))
        yield [f"`{name}`", f"`{one.option}`", value, *("yes" if list_ in found else "" for list_ in LISTS), meanings]


def _value(kind: ValueKind) -> str:
    choices = CHOICES.get(kind)
    if choices is None:
        return {ValueKind.TEXT: "text", ValueKind.TIME: "time"}.get(kind, f"id of a {kind.lower()}")
    return ELSEWHERE.get(kind) or ", ".join(f"`{each}`" for each in choices)


def _acts() -> str:
    return f"\n**Acts.** {', '.join(f'`{each}`' for each in AuditAction)}.\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
