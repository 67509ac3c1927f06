"""The audit log as operators see it: who did what, when, to what."""

from dataclasses import asdict

from holdfast.client.backend import View
from holdfast.client.views import page
from holdfast.model.errors import InvalidRequest
from holdfast.model.iso_time import iso
from holdfast.model.records import AuditFilter, AuditRecord
from holdfast.store import Store
from holdfast.store.audit import list_audit

PREFIX = "act_"  # what ids begin with outside
LONGEST = 18  # digits of an id


def audit_page(store: Store, where: AuditFilter, limit: int, cursor: str | None = None) -> View:
    """Return a page of acts, newest first. Raises InvalidRequest."""
    found = store.read(list_audit, limit, None if cursor is None else read_cursor(cursor), **asdict(where))
    return page("acts", [act_view(each) for each in found], limit)


def read_cursor(text: str) -> int:
    """Read an act's id. Raises InvalidRequest.

    >>> read_cursor("act_12")
    12
    """
    digits = text.removeprefix(PREFIX)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST):
        raise InvalidRequest("cursor", f"expected the id of an act, such as {PREFIX}12, got {text[:60]!r}.")
    return int(digits)


def act_view(act: AuditRecord) -> View:
    """Show an act. ``what`` is what was written beside it."""
    return {
        "id": f"{PREFIX}{act.id}",
        "created_at": iso(act.at),
        "actor": act.actor,
        "action": act.action,
        "what": act.what,
        "jobs": act.jobs,
    }
