"""``holdfast status``: everything on one page."""

from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import draw_status


def status() -> None:
    """Show storage, workers, lanes and routes."""
    show(backend().status(), draw_status)
