"""What an operator has to know: read off the dashboard by ``data-testid``, and held against the truth.

A page says of what moment it tells. Every figure has to be what simulators and store knew at that moment, within one
look at them before and after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MARKS = (
    "verdict", "since", "as-of", "clients", "backlog", "oldest-due", "trend", "drain-eta", "ledger",
    "deadlines-at-risk", "cost", "safe-actions", "audit", "flow-chart", "why-waiting", "failure-groups", "alerts",
)  # fmt: skip
ROUTE_MARKS = ("next-probe", "traffic-share", "bucket-fill")
AROUND = 0.8  # seconds before and after a page's moment: a look takes a while, and the truth is noted twice a second
OLD = 2.0  # seconds by which a page may be behind
TREND, MINUTE, SAMPLE = 20.0, 60.0, 6.0  # seconds: of a trend, of shares, and between two samples of the page, at most
BEGAN = 3.0  # seconds: breakers open after some calls
AT_ONCE = 10  # jobs of a second, which come between two moments and may have left again at the next
BURST = 0.2  # of a bucket: a second's jobs come at once, and are filled up again between two moments
PROBE = 2.0  # seconds: workers look for a due probe every second
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """What simulators, store and gate knew. ``at``: seconds since the epoch. Calls and fills are by provider.

    ``cost`` in dollars, by what simulators answered; ``verdicts``: what the breakers make of it.
    """

    at: float
    accepted: int
    backlog: int
    oldest: float
    cost: float
    calls: Mapping[str, int]
    fills: Mapping[str, float]
    verdict: str


@dataclass(frozen=True, slots=True)
class Truth:
    """``states``: verdicts that are right; empty: the one of the breakers. ``down``: providers that are broken now.

    ``stuck``: nothing can run, so that nobody knows when all is done. ``read_at``: when the page was read, in seconds
    since the epoch. No job of a drill fails, and its books balance.
    """

    moments: Sequence[Moment]
    states: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    broken_at: float | None = None
    at_risk: int = 0
    stuck: bool = False
    recovering: bool = False
    read_at: float = 0.0

    def around(self, at: float) -> list[Moment]:
        """Return the moments around one, the nearest before and after it among them."""
        nearest = [
            *[each for each in self.moments if each.at <= at][-1:],
            *[each for each in self.moments if each.at > at][:1],
        ]
        return [each for each in self.moments if abs(each.at - at) <= AROUND or each in nearest]

    def ago(self, at: float, seconds: float) -> list[Moment]:
        """Return the moments from which a figure over the last ``seconds`` may count; the first if all are young."""
        found = [each for each in self.moments if seconds - SAMPLE / 2 <= at - each.at <= seconds + SAMPLE]
        return found or list(self.moments[:1])


READ = """([marks, cardMarks]) => {
    const told = (each) => ({ text: each.textContent.replace(/\\s+/g, " ").trim(), ...each.dataset });
    const of = (where, mark) => [mark, told(where.querySelector(`[data-testid=${mark}]`))];
    const cards = [...document.querySelectorAll("[data-testid=route-card]")];
    return {
        ...Object.fromEntries(marks.map((mark) => of(document, mark))),
        cards: cards.map((card) => ({ ...told(card), ...Object.fromEntries(cardMarks.map((mark) => of(card, mark))) })),
    };
}"""


def answers(page: Any) -> dict[str, Any]:
    """Read every marked element, its text and its data attributes, before the page is told anything newer."""
    told = page.evaluate(READ, [MARKS, ROUTE_MARKS])
    return {**told, "routes": {card["route"].partition("/")[0]: card for card in told.pop("cards")}}


def wrong_answers(told: Told, truth: Truth) -> list[str]:
    """Each of the ten questions whose answer is wrong, as a sentence."""
    return [sentence for question in QUESTIONS for sentence in question(told, truth)]


def moment(told: Told) -> float:
    """The moment that a page tells of."""
    return float(told["as-of"]["value"])


def longest_probe(told: Told) -> float:
    """Seconds until each route that is down was asked again, as a page says."""
    return max((float(card["next-probe"]["value"] or 0) for card in told["routes"].values()), default=0.0)


def is_off(said: float, known: Iterable[float], slack: float) -> bool:
    """Whether a figure is none of those that were true around its moment, nor between two of them."""
    figures = list(known)
    return not min(figures) - slack <= said <= max(figures) + slack


def span(known: Iterable[float], digits: int = 0) -> str:
    figures = list(known)
    return f"{min(figures):.{digits}f} to {max(figures):.{digits}f}"


def is_it_us_since_when(told: Told, truth: Truth) -> Iterator[str]:
    said, since = told["verdict"]["value"], told["since"]["value"]
    right = truth.states or {each.verdict for each in truth.around(moment(told))}
    if said not in right:
        yield f"the verdict is {said}, and should be {' or '.join(sorted(right))}"
    if truth.down and abs(float(since or 0) - (truth.broken_at or 0)) > BEGAN:
        yield f"it began at {truth.broken_at}, and the page says {since or 'nothing'}"
    if (late := truth.read_at - moment(told)) > OLD:
        yield f"the page tells of {late:.1f} s before it was read"


def are_clients_failing(told: Told, truth: Truth) -> Iterator[str]:
    said, waits = told["clients"]["value"], {each.backlog > 0 for each in truth.around(moment(told))}
    right = {"waiting" if each else "served" for each in waits}
    if said not in right:
        yield f"clients are said to be {said}, and should be {' or '.join(sorted(right))}: none failed"


def how_much_waits(told: Told, truth: Truth) -> Iterator[str]:
    backlog, oldest = int(told["backlog"]["value"]), float(told["oldest-due"]["value"])
    known = truth.around(moment(told))
    if is_off(backlog, (each.backlog for each in known), AT_ONCE):
        yield f"{span(each.backlog for each in known)} jobs wait, and the page says {backlog}"
    if is_off(oldest, (each.oldest for each in known), 1.0):
        yield f"the oldest due job is {span(each.oldest for each in known)} s old, and the page says {oldest:.0f}"


def is_it_growing(told: Told, truth: Truth) -> Iterator[str]:
    trend, eta, at = float(told["trend"]["value"]), told["drain-eta"]["value"], moment(told)
    known = [
        (now.backlog - then.backlog) / (now.at - then.at)
        for now in truth.around(at)
        for then in truth.ago(at, TREND)
        if now.at - then.at >= TREND / 2
    ]
    if known and is_off(trend, known, 0.2):
        yield f"the backlog grows by {span(known, 1)}/s, and the page says {trend:.1f}"
    if truth.stuck and eta:
        yield f"nothing can run, and the page says that all is done in {eta} s"
    if not truth.stuck and not eta:
        yield "jobs run, and the page has no time by which all is done"


def where_does_traffic_go(told: Told, truth: Truth) -> Iterator[str]:
    at = moment(told)
    known = truth.around(at)
    pairs = [(now.calls, then.calls) for now in known for then in truth.ago(at, MINUTE) if now.at > then.at]
    for provider, card in told["routes"].items():
        made = [(now[provider] - then[provider]) / (total(now, then) or 1) for now, then in pairs]
        share, fill = float(card["traffic-share"]["value"]), float(card["bucket-fill"]["value"] or "nan")
        if made and is_off(share, made, 0.02):
            yield f"{provider} has {span(made, 2)} of the calls, and the page says {share:.2f}"
        fills = [each.fills[provider] for each in known if provider in each.fills]
        if fills and is_off(fill, [*fills, min(fills) - BURST], 0.02):
            yield f"the bucket of {provider} is filled to {span(fills, 2)}, and the page says {fill:.2f}"


def total(now: Mapping[str, int], then: Mapping[str, int]) -> int:
    return sum(now.values()) - sum(then.values())


def when_is_the_next_probe(told: Told, truth: Truth) -> Iterator[str]:
    for provider, card in told["routes"].items():
        is_open, probe = card["breaker"] in {"open", "half_open"}, card["next-probe"]
        if provider in truth.down and not (is_open and probe["value"] and probe["last"]):
            yield f"{provider} is down; its card says {card['breaker']}, next probe {probe['text']!r}"
        if provider not in truth.down and is_open and not truth.recovering:
            yield f"{provider} is well, and its card says {card['breaker']}"


def probes_that_came_otherwise(told: Told, truth: Truth) -> Iterator[str]:
    """Hold the next probe of each provider that is down against the call that its simulator really got."""
    at = moment(told)
    for provider in truth.down:
        said = float(told["routes"][provider]["next-probe"]["value"] or "inf")
        before = max(each.calls[provider] for each in truth.moments if each.at <= at)
        came = [each.at - at for each in calls_after(truth.moments, provider, before)]
        unsure = 2 if came and came[0] <= AROUND else 1  # whether the first came before the page's moment or after it
        if all(abs(each - said) > PROBE for each in (came[:unsure] or [float("inf")])):
            yield f"{provider} was asked {came[0] if came else float('inf'):.1f} s later, and the page said {said:.1f}"


def calls_after(moments: Iterable[Moment], provider: str, before: int) -> Iterator[Moment]:
    """Yield the moments by which a provider had been asked once more."""
    for each in moments:
        if each.calls[provider] > before:
            before = each.calls[provider]
            yield each


def does_the_equation_hold(told: Told, truth: Truth) -> Iterator[str]:
    ledger, known = told["ledger"], truth.around(moment(told))
    if ledger["value"] != "true" or ledger["accepted"] != ledger["accounted"]:
        yield f"the ledger is said to be: {ledger['text']}"
    if is_off(int(ledger["accepted"]), (each.accepted for each in known), 0):
        yield f"{span(each.accepted for each in known)} jobs were accepted, and the page says {ledger['accepted']}"


def which_deadlines_are_at_risk(told: Told, truth: Truth) -> Iterator[str]:
    if (said := int(told["deadlines-at-risk"]["value"])) != truth.at_risk:
        yield f"{truth.at_risk} deadlines are at risk, and the page says {said}"


def what_does_it_cost(told: Told, truth: Truth) -> Iterator[str]:
    said, known = float(told["cost"]["value"]), [each.cost for each in truth.around(moment(told))]
    if is_off(said, known, max(known) / 1000):
        yield f"the answers cost ${span(known, 4)}, and the page says ${said:.4f}"


def what_is_safe_to_do(told: Told, truth: Truth) -> Iterator[str]:
    said = told["safe-actions"]["text"]
    for provider in truth.down:
        if f"Leave {provider}/" not in said:
            yield f"{provider} is down, and nothing says to leave it alone: {said!r}"
    if truth.states == {"us"} and "Start a worker" not in said:
        yield f"nobody works, and nothing says to start a worker: {said!r}"
    if truth.states == {"healthy"} and "Nothing to do" not in said:
        yield f"nothing is to be done, and the page says {said!r}"


QUESTIONS = (
    is_it_us_since_when, are_clients_failing, how_much_waits, is_it_growing, where_does_traffic_go,
    when_is_the_next_probe, does_the_equation_hold, which_deadlines_are_at_risk, what_does_it_cost, what_is_safe_to_do,
)  # fmt: skip
