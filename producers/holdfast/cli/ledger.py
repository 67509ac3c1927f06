"""``holdfast ledger``: what was accepted is accounted for."""

from typer import Exit

from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import draw_ledger


def ledger() -> None:
    """Print the invariants, counted afresh from SQL. Exit status 1 when one of them does not hold."""
    view = backend().ledger()
    show(view, draw_ledger)
    if not view["holds"]:
        raise Exit(1)
