"""Views drawn for people. Every function takes JSON values, as ``--json`` would print them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

View = Mapping[str, Any]
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


def draw_jobs(view: View) -> "RenderableType":
    """Draw a page of jobs."""
    rows = (
        (job["id"], job["custom_id"], paint(job["state"]), job["lane"], job["fault"] or job["why_waiting"], short(job))
        for job in view["jobs"]
    )
    drawn = table(("job", "custom id", "state", "lane", "why", "made"), rows, empty="no jobs")
    return group(drawn, f"more: --cursor {view['next']}") if view["next"] else drawn


def draw_job(job: View) -> "RenderableType":
    """Draw one job with its attempts and how it ended."""
    facts = {
        "job": job["id"],
        "state": Markup(paint(job["state"]) + (f", {plain(job['why_waiting'])}" if job["why_waiting"] else "")),
        "model": f"{job['model']} (lane {job['lane']})",
        "batch": job["batch"] and f"{job['batch']}, place {job['position']}",
        "custom id": job["custom_id"],
        "made": job["created_at"],
        "starts": job["available_at"] if job["state"] == "delayed" else None,
        "ended": job["finished_at"],
        "cost": f"${job['cost_usd']:.6f}" if job["cost_usd"] else None,
        "error": job["error"] and f"{job['error']['kind']}: {job['error']['message']}",
        "changed": "; ".join(f"{each['field']}: {each['note']}" for each in job["mapping"]) or None,
    }
    return group(facts_table(facts), draw_attempts(job["attempts"]), *reply_of(job))


def draw_attempts(attempts: Iterable[View]) -> "Table | str":
    """Draw the timeline of a job's calls."""
    rows = (
        (
            f"{each['generation']}.{each['number']}",
            each["route"],
            each["started_at"],
            "" if each["seconds"] is None else f"{each['seconds']:.2f} s",
            each["outcome"] or "running",
            each["fault"],
            each["message"],
        )
        for each in attempts
    )
    return table(("attempt", "route", "began", "took", "outcome", "fault", "message"), rows, empty="no attempts yet")


def reply_of(job: View) -> list[str]:
    return ["", plain(job["reply"]["text"])] if job["reply"] else []


def draw_batches(view: View) -> "RenderableType":
    """Draw a page of batches."""
    rows = ((each["id"], each["name"], each["total"], counted(each["counts"]), short(each)) for each in view["batches"])
    drawn = table(("batch", "name", "jobs", "of which", "made"), rows, empty="no batches")
    return group(drawn, f"more: --cursor {view['next']}") if view["next"] else drawn


def draw_batch(batch: View) -> "RenderableType":
    """Draw one batch."""
    facts = {"batch": batch["id"], "name": batch["name"], "made": batch["created_at"], "jobs": batch["total"]}
    return facts_table(facts | {paint(state): count for state, count in batch["counts"].items() if count})


def draw_lanes(lanes: Iterable[View]) -> "Table | str":
    """Draw the backlog by lane."""
    rows = (
        (
            lane["name"],
            paint("paused", "yellow") if lane["paused"] else "",
            lane["window"],
            counted(lane["counts"]),
            empty_in(lane),
        )
        for lane in lanes
    )
    return table(("lane", "", "in Redis", "jobs", "empty in"), rows, empty="no lane has had a job yet")


def empty_in(lane: View) -> str:
    """Say when a lane will be empty, or why nobody can tell.

    >>> empty_in({"drain_eta_seconds": 5025.0, "drain_eta_why": "at 12.0 jobs/s, as lately"})
    '1 h 23 min (at 12.0 jobs/s, as lately)'
    >>> empty_in({"drain_eta_seconds": None, "drain_eta_why": "waits for a/m until 12:00:30 UTC"})
    'waits for a/m until 12:00:30 UTC'
    """
    seconds, why = lane["drain_eta_seconds"], str(lane["drain_eta_why"])
    if seconds is None:
        return why
    return f"{lasting(seconds)} ({why})" if seconds else ""


def lasting(seconds: float) -> str:
    """Say a time in the two largest units that matter.

    >>> [lasting(seconds) for seconds in (0.4, 59.6, 61.0, 7260.0, 200_000.0)]
    ['1 s', '1 min', '1 min 1 s', '2 h 1 min', '2 d 7 h']
    """
    left = max(1, round(seconds))
    parts: list[tuple[int, str]] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:2] if count)


def draw_routes(routes: Iterable[View]) -> "Table | str":
    """Draw the routes with what the gate keeps of them."""
    rows = (
        (
            route["name"],
            paint(route["state"]),
            route["override"] and f"forced {route['override']}",
            route["in_flight"],
            ", ".join(route["models"]),
            "; ".join(obstacles(route)),
        )
        for route in routes
    )
    return table(("route", "breaker", "override", "in flight", "serves", "now"), rows, empty="no routes are configured")


def obstacles(route: View) -> list[str]:
    """Say in words what keeps calls from a route now.

    >>> obstacles({"breakers": [{"scope": "route:a/b", "state": "open", "retry_in": 2.5}], "buckets": []})
    ['open for 2.5 s more']
    """
    said: list[str] = []
    for breaker in route["breakers"]:
        if breaker["state"] in {"open", "half_open"}:
            kind, _, _ = breaker["scope"].partition(":")
            name = "" if kind == "route" else f"{kind} "
            wait = breaker["retry_in"]
            until = f" for {wait:.1f} s more" if wait else ", a probe is under way"
            said.append(f"{name}{breaker['state'].replace('_', '-')}{until}")
    said += [f"rate limited for {each['paused_for']:.1f} s more" for each in route["buckets"] if each["paused_for"] > 0]
    return said


def draw_groups(groups: Iterable[View]) -> "Table | str":
    """Draw dead letters by lane and fault."""
    rows = ((each["jobs"], each["fault"], each["lane"], each["oldest"], each["newest"]) for each in groups)
    return table(("jobs", "fault", "lane", "oldest", "newest"), rows, empty="no dead letters")


def draw_bulk(view: View) -> str:
    """Say what a bulk action does, or would do."""
    doing = f"would {view['action']}" if view["dry_run"] else f"{view['action']}:"
    over = f", over {view['minutes']} minutes" if view.get("minutes", 0) > 1 else ""
    return f"{doing} {view['jobs']} dead letters{over}" + (f", into {plain(view['to'])}" if "to" in view else "")


def draw_keys(view: View) -> "Table | str":
    """Draw API keys; their secrets are not there to be drawn."""
    rows = (
        (
            key["id"],
            key["name"],
            paint(key["state"], "green" if key["state"] == "good" else "red"),
            key["tenant"] or "(all)",
            " ".join(key["scopes"]),
            key["expires_at"],
            key["used_at"],
        )
        for key in view["keys"]
    )
    heads = ("key", "name", "", "tenant", "may", "until", "last used")
    return table(heads, rows, empty="no keys: `holdfast key create` makes one")


def draw_ledger(view: View) -> "RenderableType":
    """Draw the invariants."""
    rows = (
        (
            line["name"],
            paint("holds", "green") if line["holds"] else paint("BROKEN", "red"),
            line["sentence"],
            ", ".join(f"{name} {count}" for name, count in line["figures"].items()),
            " ".join(line["offenders"][:3]),
        )
        for line in view["lines"]
    )
    return table(("", "", "invariant", "figures", "see"), rows, empty="no lines")


def draw_status(view: View) -> "RenderableType":
    """Draw everything on one page."""
    facts = {"database": view["database_url"], "Redis": view["redis_url"] or "not running"}
    return group(
        facts_table(facts),
        "",
        draw_workers(view["workers"]),
        "",
        draw_lanes(view["lanes"]),
        "",
        draw_routes(view["routes"]),
        *draw_codes(view["unknown_codes"]),
        *(plain(warning) for warning in view["warnings"]),
    )


def draw_codes(codes: Sequence[View]) -> "list[RenderableType]":
    """Draw what providers said that no table of ours knows; nothing where there is nothing."""
    if not codes:
        return []
    rows = ((each["provider"], each["code"], each["calls"]) for each in codes)
    return ["", table(("provider", "unknown code", "calls"), rows, empty="")]


def draw_workers(workers: Iterable[View]) -> "Table | str":
    """Draw live worker processes."""
    rows = ((each["id"], each["host"], each["pid"], each["lease_until"]) for each in workers)
    return table(
        ("worker", "host", "pid", "lease until"), rows, empty="no worker runs: start one with `holdfast worker`"
    )


def draw_acted(view: View) -> str:
    """Say what was done to one thing."""
    name = next(key for key in ("id", "name") if key in view)
    words = (f"{key} {value}" for key, value in view.items() if key not in {name, "warning", "status_url"})
    return plain(f"{view[name]}: {', '.join(words)}" + warned(view))


def warned(view: View) -> str:
    return f" ({view['warning']})" if view.get("warning") else ""


def draw_config(view: View) -> str:
    """Print the configuration as indented JSON: it is deep, and people know the form."""
    import orjson

    return plain(orjson.dumps(view, option=orjson.OPT_INDENT_2).decode())


def draw_config_check(view: View) -> str:
    source = view["source"] or "no configuration file: defaults and environment"
    return plain(f"{source}: {len(view['models'])} models, {len(view['providers'])} providers, no errors")


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


def printable(text: str) -> str:
    r"""Show control characters instead of sending them to the terminal.

    >>> printable("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return text.translate(CONTROLS)


def short(view: View) -> str:
    return str(view["created_at"])[:19].replace("T", " ")


def table(heads: Iterable[str], rows: Iterable[Iterable[object]], *, empty: str) -> "Table | str":
    """Draw rows, or say ``empty``."""
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        drawn.add_column(head, overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else plain(cell) for cell in row))
    return drawn if drawn.row_count else empty


def facts_table(facts: Mapping[str, object]) -> "Table":
    """Draw names and values, leaving out what is not known."""
    from rich.table import Table

    drawn = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value is not None:
            drawn.add_row(name, plain(value))
    return drawn


def group(*parts: "RenderableType") -> "Group":
    from rich.console import Group

    return Group(*parts)
