"""``holdfast status``: everything on one page."""

from collections.abc import Sequence

from holdfast.cli.context import backend
from holdfast.cli.lane import draw_lanes
from holdfast.cli.route import draw_routes
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, facts_table, fault_words, made, plain, stack, view_table

WORKERS: Columns = {
    "worker": "id",
    "host": "host",
    "pid": "pid",
    "lease until": lambda each: made({"created_at": each["lease_until"]}),
}
FAULTS: Columns = {
    "failed in the last 10 min": "route",
    "fault": lambda each: fault_words(each["fault"]),
    "HTTP": "status_code",
    "calls": "calls",
}
CODES: Columns = {"provider": "provider", "unknown code": "code", "calls": "calls"}


def status() -> None:
    """Show storage, workers, lanes and routes."""
    show(backend().status(), draw_status)


def draw_status(view: View) -> Drawing:
    """Draw everything on one page."""
    return stack(
        facts_table({"database": view["database_url"], "Redis": view["redis_url"] or "not running"}),
        "",
        view_table(view["workers"], WORKERS, empty="no worker runs: start one with `holdfast up` or `holdfast worker`"),
        "",
        draw_lanes(view),
        "",
        draw_routes(view),
        *(plain(route["outage"]["sentence"]) for route in view["routes"] if route["outage"]),
        *(plain(lane["paused_by"]) for lane in view["lanes"] if lane["paused_by"]),
        *draw_faults(view["faults"]),
        *draw_codes(view["unknown_codes"]),
        *(plain(warning) for warning in view["warnings"]),
    )


def draw_faults(faults: Sequence[View]) -> list[Drawing]:
    """Draw the calls that failed in the last minutes; nothing where none did."""
    return ["", view_table(faults, FAULTS, empty="")] if faults else []


def draw_codes(codes: Sequence[View]) -> list[Drawing]:
    """Draw what providers said that no table of ours knows; nothing where there is nothing."""
    return ["", view_table(codes, CODES, empty="")] if codes else []
