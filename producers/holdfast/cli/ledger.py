"""``holdfast ledger``: what was accepted is accounted for."""

from collections.abc import Iterator, Mapping

from typer import Exit

from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import Drawing, Markup, View, paint, plain, stack

# What each invariant means to an operator, and what to do where it does not hold. The names are of docs/guarantees.md.
MEANING: Mapping[str, tuple[str, str]] = {
    "I1": ("every accepted job is accounted for", "Stop no worker and delete nothing: jobs may be missing. Report it."),
    "I2": ("no job ended twice", "A job has two ends, and may have been paid twice. Keep the database and report it."),
    "I5": ("every call to a provider is in the books", "Calls are missing: what was paid is unknown. Report it."),
    "I7": ("tokens and cost add up", "Compare with the providers' bills, and report it."),
    "I8": ("no job is forgotten", "Start a worker (`holdfast worker`) and look again in a minute; then report it."),
    "tally": ("counts shown are the jobs there are", "Only figures of status are wrong, no job is. Report it."),
}
WORDS: Mapping[str, str] = {
    "offenders": "amiss",
    "open": "under way",
    "unknown": "of unknown end",
    "sweeping": "workers at work",
    "drifts": "wrong counts",
}
SHOWN = 3  # jobs that a line names


def ledger() -> None:
    """Count every job and call afresh: is all that was accepted accounted for? Exit status 1 when it is not."""
    view = backend().ledger()
    show(view, draw_ledger)
    if not view["holds"]:
        raise Exit(1)


def draw_ledger(view: View) -> Drawing:
    """Say what holds, what does not, and what to do."""
    broken = [line for line in view["lines"] if not line["holds"]]
    verdict = (
        paint(f"{len(broken)} of {len(view['lines'])} invariants do not hold", "red")
        if broken
        else paint("all that was accepted is accounted for", "green")
    )
    return stack(verdict, *(part for line in view["lines"] for part in line_of(line)))


def line_of(line: View) -> Iterator[Markup]:
    """Draw one invariant: what it means and its figures; where it does not hold also its rule, jobs, and what to do."""
    meaning, advice = MEANING.get(line["name"], (line["sentence"], "Report it."))
    mark = paint("holds ", "green") if line["holds"] else paint("BROKEN", "red")
    yield Markup(f"{mark}  {plain(meaning)} ({line['name']}): {plain(figures(line))}")
    if not line["holds"]:
        yield plain(f"        rule: {line['sentence']}")
        yield plain(f"        see: {' '.join(line['offenders'][:SHOWN]) or 'the figures above'}")
        yield plain(f"        {advice}")


def figures(line: View) -> str:
    """Write the figures of an invariant; a sum as one.

    >>> figures({"name": "I1", "figures": {"accepted": 3, "succeeded": 2, "dead": 0, "live": 1, "offenders": 0}})
    '3 accepted = 2 succeeded + 1 live'
    >>> figures({"name": "I7", "figures": {"calls": 3, "cost_micros": 8435, "unknown": 0, "offenders": 0}})
    '3 calls, 0.008435 USD'
    """
    shown = {name: count for name, count in line["figures"].items() if name != "offenders" or count}
    if line["name"] == "I1":
        accepted = shown.pop("accepted")
        parts = [f"{count:,} {name}" for name, count in shown.items() if count]
        return f"{accepted:,} accepted = {' + '.join(parts) or '0'}"
    said = {name: count for name, count in shown.items() if count}
    micros = said.pop("cost_micros", None)
    words = [f"{count:,} {WORDS.get(name, name.replace('_', ' '))}" for name, count in said.items()]
    words += [f"{micros / 1e6:,.6f} USD"] if micros else []
    return ", ".join(words) or "nothing amiss"
