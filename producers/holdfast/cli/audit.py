"""``holdfast audit``: who did what."""

from typing import Annotated

from typer import Option

from holdfast.cli import filters
from holdfast.cli.context import backend
from holdfast.cli.options import PageLimit
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, made, paged, view_table


@filters.audit_filters
def audit(
    *,
    where: filters.AuditWhere,
    limit: PageLimit = 20,
    cursor: Annotated[str | None, Option(help="Go on after this act.", metavar="ACT")] = None,
) -> None:
    """List what operators did and what was refused, newest first."""
    show(backend().audit(where, limit, cursor), draw_acts)


def about(what: object) -> str:
    """Say on a line to what it was done.

    >>> about({"kind": "lane", "name": "smart.batch", "value": None}), about({"id": "key_1", "scopes": ["read"]})
    ('kind lane, name smart.batch', 'id key_1, scopes read')
    """
    if isinstance(what, dict):
        return ", ".join(f"{name} {about(value)}" for name, value in what.items() if value is not None)
    return " ".join(map(about, what)) if isinstance(what, list) else str(what)


ACTS: Columns = {
    "act": "id",
    "at": made,
    "who": "actor",
    "did": "action",
    "to": lambda act: about(act["what"]),
    "jobs": lambda act: act["jobs"] or "",
}


def draw_acts(view: View) -> Drawing:
    """Draw a page of acts."""
    return paged(view_table(view["acts"], ACTS, empty="nobody did anything"), view)
