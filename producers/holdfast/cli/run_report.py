"""How a run ended: how many lines succeeded, why the others did not, and what to do about each cause."""

from collections.abc import Iterator, Mapping

from holdfast.cli.show import say, show
from holdfast.cli.tables import View, fault_words

# What is done about an error that no dead letter stands behind, by its kind.
NEXT: Mapping[str, str] = {
    "expired": "run again with a longer --expires-in and --fresh",
    "cancelled": "run again with --fresh",
    "dropped": "run again with --fresh",
}
INVALID = "invalid_request"


def report(summary: View, *, bad: int, as_data: bool) -> None:
    """Print it: as data, or as sentences on stderr. ``bad``: lines that never became jobs."""
    if as_data:
        show(summary, str)
        return
    cost = f", ${summary['cost_usd']:.4f}" if summary["cost_usd"] else ""
    say(f"{summary['succeeded']:,} of {summary['lines']:,} lines succeeded{cost}: {summary['output']}")
    for line in causes(summary, bad):
        say(line)


def causes(summary: View, bad: int) -> Iterator[str]:
    """Say of each cause how many lines failed of it, and what to do.

    >>> list(causes({"errors": {"invalid_request": 2, "dropped": 1}, "batch": "batch_1"}, 2))
    ['2 lines cannot be jobs: mend as said above and run again', '1 dropped: run again with --fresh']
    >>> list(causes({"errors": {"content_filter": 3}, "batch": "batch_1"}, 0))[0]
    '3 failed: content filter'
    """
    if bad:
        lines = f"{bad:,} lines cannot be jobs" if bad > 1 else "1 line cannot be a job"
        yield f"{lines}: mend as said above and run again"
    dead = 0
    for kind, count in summary["errors"].items():
        count -= bad if kind == INVALID else 0  # noqa: PLW2901 - what is left of it
        if count and kind in NEXT:
            yield f"{count:,} {kind}: {NEXT[kind]}"
        elif count:
            dead += count
            yield f"{count:,} failed: {fault_words(kind)}"
    if dead:
        batch = summary["batch"]
        yield f"each says why in its line of the output; `holdfast dlq groups --batch {batch}` counts the causes"
        yield f"`holdfast dlq replay --batch {batch} --all` has them tried again; then run this again"
