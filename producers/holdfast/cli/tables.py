"""What drawings for people are made of: tables, facts, states in colour. They take views, as ``--json`` prints them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

    Drawing: TypeAlias = RenderableType
else:
    Drawing = object  # annotations are read when a module is imported, and rich only when something is drawn

View = dict[str, Any]
Columns = Mapping[str, str | Callable[[View], object]]
SHORT = 10  # characters of a cell that is not cut in two: a state, a moment, a figure
LONGEST_WHOLE = 48  # characters: any id, and most routes, with room for the rest at 80 columns
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
STATES = ("queued", "delayed", "running", "succeeded", "dead", "cancelled", "expired")
COLORS = {
    "succeeded": "green",
    "dead": "red",
    "expired": "red",
    "cancelled": "yellow",
    "delayed": "yellow",
    "running": "cyan",
    "closed": "green",
    "half_open": "yellow",
    "open": "red",
    "forced_open": "red",
    "disabled": "yellow",
}


class Markup(str):
    """Text with our own colours in it. All other text is shown as it is."""

    __slots__ = ()


def counted(counts: Mapping[str, int]) -> Markup:
    """Say how many jobs are in which state, without the zeros."""
    return Markup(", ".join(f"{counts[state]} {paint(state)}" for state in STATES if counts.get(state)) or "none")


def paint(word: str, color: str | None = None) -> Markup:
    """Mark up a state's name with its colour."""
    color = color or COLORS.get(word)
    return Markup(f"[{color}]{word}[/]" if color else word)


def plain(text: object) -> Markup:
    """Keep rich from reading markup, and the terminal from obeying controls, in what others wrote."""
    from rich.markup import escape

    return text if isinstance(text, Markup) else Markup(escape(printable(str(text))))


def printed(cell: str) -> str:
    """Return what a cell looks like without its colours."""
    from rich.text import Text

    return Text.from_markup(cell).plain if isinstance(cell, Markup) else cell


def printable(text: str) -> str:
    r"""Show control characters instead of sending them to the terminal.

    >>> printable("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return text.translate(CONTROLS)


def made(view: View) -> str:
    """Say when something was made: today's to the second, what is older by its date. UTC."""
    return moment(str(view["created_at"]), f"{datetime.now(UTC):%Y-%m-%d}")


def moment(at: str, today: str) -> str:
    """Write a date of JSON for people.

    >>> moment("2026-11-30T12:05:43.120Z", "2026-11-30"), moment("2026-11-30T12:05:43.120Z", "2026-12-01")
    ('12:05:43', '2026-11-30')
    """
    date, _, clock = at.partition("T")
    return clock[:8] if date == today else date


def table(heads: Iterable[str], rows: Iterable[Iterable[object]], *, empty: str) -> "Table | str":
    """Draw rows, or say ``empty``. The first column, by which a row is named, stays whole to be copied."""
    from rich.table import Table

    cells = [["" if cell is None else plain(cell) for cell in row] for row in rows]
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        most = LONGEST_WHOLE if place == 0 else SHORT
        whole = all(len(printed(row[place])) <= most for row in cells)
        drawn.add_column(head, overflow="fold", no_wrap=whole)
    for row in cells:
        drawn.add_row(*row)
    return drawn if drawn.row_count else empty


def view_table(views: Iterable[View], columns: Columns, *, empty: str) -> "Table | str":
    """Draw a row a view. A column is a key of the view, or what makes a cell of it."""
    rows = ((view[cell] if isinstance(cell, str) else cell(view) for cell in columns.values()) for view in views)
    return table(columns, rows, empty=empty)


def paged(drawn: Drawing, view: View) -> Drawing:
    """Add to a page how to see the next one."""
    return stack(drawn, f"more: --cursor {view['next']}") if view["next"] else drawn


def facts_table(facts: Mapping[str, object]) -> "Table":
    """Draw names and values, leaving out what is not known."""
    from rich.table import Table

    drawn = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value is not None:
            drawn.add_row(name, plain(value))
    return drawn


def stack(*parts: Drawing) -> "Group":
    """Draw one below the other."""
    from rich.console import Group

    return Group(*parts)


def fault_words(code: str | None) -> str:
    """Tell a kind of fault, or how else a job ended, for people; nothing where there is none.

    >>> fault_words("too_long"), fault_words(None)
    ('request too long', '')
    """
    from holdfast.policy.fault_rules import kind_words

    return kind_words(code) if code else ""


def usd(amount: float) -> str:
    """Write dollars to the cent, and less than one to three digits.

    >>> [usd(amount) for amount in (1234.5, 0.5, 0.00123456, 0.0)]
    ['1,234.50', '0.50', '0.00123', '0.00']
    """
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:.3g}"  # noqa: PLR2004 - a dime


def said(sentence: str) -> Callable[[View], str]:
    """Return what says what an act does to the thing that it names, with its warning."""

    def draw(view: View) -> str:
        name = view.get("name") or view.get("id")
        warning = f" ({view['warning']})" if view.get("warning") else ""
        return plain(sentence.format(name) + warning)

    return draw


def draw_acted(view: View) -> str:
    """Say what was done to one thing."""
    name = next(key for key in ("id", "name") if key in view)
    words = (f"{key} {value}" for key, value in view.items() if key not in {name, "warning", "status_url"})
    warning = f" ({view['warning']})" if view.get("warning") else ""
    return plain(f"{view[name]}: {', '.join(words)}{warning}")
