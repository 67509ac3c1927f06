"""``holdfast status``: everything on one page."""

from holdfast.cli.desk import desk
from holdfast.cli.show import show
from holdfast.cli.tables import draw_status


def status() -> None:
    """Show storage, workers, lanes and routes."""
    show(desk().status(), draw_status)
