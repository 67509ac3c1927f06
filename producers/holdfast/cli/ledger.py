"""``holdfast ledger``: what was accepted is accounted for."""

from typer import Exit

from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, paint, view_table


def ledger() -> None:
    """Print the invariants, counted afresh from SQL. Exit status 1 when one of them does not hold."""
    view = backend().ledger()
    show(view, draw_ledger)
    if not view["holds"]:
        raise Exit(1)


LINES: Columns = {
    "": "name",
    " ": lambda line: paint("holds", "green") if line["holds"] else paint("BROKEN", "red"),
    "invariant": "sentence",
    "figures": lambda line: ", ".join(f"{name} {count}" for name, count in line["figures"].items()),
    "see": lambda line: " ".join(line["offenders"][:3]),
}


def draw_ledger(view: View) -> Drawing:
    """Draw the invariants."""
    return view_table(view["lines"], LINES, empty="no lines")
