"""The page of docs/codes.md: the tables of ``wire/codes`` as people read them."""

from collections.abc import Iterator

from holdfast.wire.codes import CODE_TABLES
from holdfast.wire.codes.code_row import CodeRow

INTRODUCTION = """\
# Codes of providers' errors

<!-- Written by `python docs/generate.py` from wire/codes. Change the tables there, not this page. -->

What a code in an error of a provider means to Holdfast ([faults.md](faults.md) says what is done about each kind). A
code is found in any case, with or without its dashes and underscores, and on a route of any provider: gateways hand
codes on. *(status)* says no more than the HTTP status beside it. Where *or as it says* stands, the message beside the
code may say more: a rate limit whose sentence speaks of a spent balance is one of money. An error without any of these
codes is read by its wording, as a hint, and by its status; other jobs and other routes then show whose fault it is.
"""
HEAD = """
## {}

| code | means | source |
| --- | --- | --- |
"""


def code_page() -> str:
    return INTRODUCTION + "".join(HEAD.format(name) + "".join(_rows(rows)) for name, rows in CODE_TABLES.items())


def _rows(rows: tuple[CodeRow, ...]) -> Iterator[str]:
    """A line for all codes of one meaning and source."""
    meanings = dict.fromkeys((_meaning(row), row.source) for row in rows)
    for meaning, source in meanings:
        codes = ", ".join(f"`{row.code}`" for row in rows if (_meaning(row), row.source) == (meaning, source))
        yield f"| {codes} | {meaning} | {source} |\n"


def _meaning(row: CodeRow) -> str:
    kind = "(status)" if row.kind is None else f"`{row.kind}`"
    return kind + (", or as it says" if row.is_vague else "") + (", on every route" if row.wrong_everywhere else "")
