"""What an operator has to know: read off the dashboard by ``data-testid``, and held against the truth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MARKS = (
    "verdict", "since", "clients", "backlog", "oldest-due", "trend", "drain-eta", "ledger", "deadlines-at-risk", "cost",
    "safe-actions", "audit", "flow-chart", "why-waiting", "failure-groups",
)  # fmt: skip
ROUTE_MARKS = ("next-probe", "traffic-share", "bucket-fill")
SLACK = 40  # jobs by which a count may differ, as jobs come and go while the page is read
SECONDS = 6.0  # by which a time may differ: breakers open after some calls, and a look is a second old
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """What simulators and store know. ``state`` None: any but ``us``; ``down``: providers that are broken now.

    ``at``, ``broken_at``: seconds since the epoch; ``rate``: jobs a second that are submitted; ``shares``: of the calls
    of the last minute, by provider; ``cost`` in dollars, by what simulators answered.
    """

    at: float
    state: str | None
    accepted: int
    backlog: int
    oldest: float
    rate: float
    cost: float
    shares: Mapping[str, float]
    down: frozenset[str] = frozenset()
    broken_at: float | None = None
    at_risk: int = 0
    healing: bool = False


def answers(page: Any) -> dict[str, Any]:
    """Read every marked element: its text, and its data attributes."""
    read = "each => ({text: each.textContent.replace(/\\s+/g, ' ').trim(), ...each.dataset})"
    told = {mark: page.locator(f"[data-testid={mark}]").first.evaluate(read) for mark in MARKS}
    cards = page.locator("[data-testid=route-card]")
    routes = {}
    for place in range(cards.count()):
        card = cards.nth(place)
        parts = {mark: card.locator(f"[data-testid={mark}]").first.evaluate(read) for mark in ROUTE_MARKS}
        routes[card.get_attribute("data-route").partition("/")[0]] = {**card.evaluate(read), **parts}
    return {**told, "routes": routes}


def wrong_answers(told: Told, truth: Truth) -> list[str]:
    """Each of the ten questions whose answer is wrong, as a sentence."""
    return [sentence for question in QUESTIONS for sentence in question(told, truth)]


def is_it_us_since_when(told: Told, truth: Truth) -> Iterator[str]:
    said, since = told["verdict"]["value"], told["since"]["value"]
    if (said != truth.state) if truth.state else said == "us":
        yield f"the verdict is {said}, and should be {truth.state or 'a provider or recovering'}"
    if truth.down and abs(float(since or 0) - (truth.broken_at or 0)) > SECONDS:
        yield f"it began at {truth.broken_at}, and the page says {since or 'nothing'}"


def are_clients_failing(told: Told, truth: Truth) -> Iterator[str]:
    said = told["clients"]["value"]
    if said == "failing" or (said == "served" and truth.backlog > SLACK):
        yield f"clients are said to be {said}, while {truth.backlog} wait and none failed"


def how_much_waits(told: Told, truth: Truth) -> Iterator[str]:
    backlog, oldest = int(told["backlog"]["value"]), float(told["oldest-due"]["value"])
    if abs(backlog - truth.backlog) > SLACK * (10 if truth.healing else 2):
        yield f"{truth.backlog} jobs wait, and the page says {backlog}"
    if not truth.healing and oldest > truth.oldest + SECONDS:
        yield f"no due job is older than {truth.oldest:.0f} s, and the page says {oldest:.0f}"


def is_it_growing(told: Told, truth: Truth) -> Iterator[str]:
    trend, eta = float(told["trend"]["value"]), told["drain-eta"]["value"]
    stuck = len(truth.down) == len(told["routes"]) or truth.state == "us"
    if stuck and abs(trend - truth.rate) > truth.rate / 2:
        yield f"the backlog grows by {truth.rate:g}/s, and the page says {trend:.1f}"
    if not stuck and not truth.healing and trend > truth.rate / 4:
        yield f"the backlog does not grow, and the page says {trend:.1f}/s"
    if truth.state == "us" and eta:
        yield f"nobody works, and the page says that all is done in {eta} s"
    if truth.state == "healthy" and not eta:
        yield "all goes well, and the page has no time by which all is done"


def where_does_traffic_go(told: Told, truth: Truth) -> Iterator[str]:
    for provider, share in truth.shares.items():
        card = told["routes"][provider]
        if abs(float(card["traffic-share"]["value"]) - share) > 0.15:
            yield f"{provider} has {share:.0%} of the calls, and the page says {card['traffic-share']['value']}"
        fill = float(card["bucket-fill"]["value"] or "nan")
        if not -0.5 <= fill <= 1.0:
            yield f"the bucket of {provider} is said to be filled to {fill}"


def when_is_the_next_probe(told: Told, truth: Truth) -> Iterator[str]:
    for provider, card in told["routes"].items():
        is_open, probe = card["breaker"] in {"open", "half_open"}, card["next-probe"]
        if provider in truth.down and not (is_open and probe["value"] and probe["last"]):
            yield f"{provider} is down; its card says {card['breaker']}, next probe {probe['text']!r}"
        if provider not in truth.down and is_open and not truth.healing:
            yield f"{provider} is well, and its card says {card['breaker']}"


def does_the_equation_hold(told: Told, truth: Truth) -> Iterator[str]:
    ledger = told["ledger"]
    if ledger["value"] != "true" or ledger["accepted"] != ledger["accounted"]:
        yield f"the ledger is said to be broken: {ledger['text']}"
    if abs(int(ledger["accepted"]) - truth.accepted) > SLACK:
        yield f"{truth.accepted} jobs were accepted, and the page says {ledger['accepted']}"


def which_deadlines_are_at_risk(told: Told, truth: Truth) -> Iterator[str]:
    if (said := int(told["deadlines-at-risk"]["value"])) != truth.at_risk:
        yield f"{truth.at_risk} deadlines are at risk, and the page says {said}"


def what_does_it_cost(told: Told, truth: Truth) -> Iterator[str]:
    said = float(told["cost"]["value"])
    of_a_job = truth.cost / max(1, truth.accepted - truth.backlog)
    if abs(said - truth.cost) > SLACK * of_a_job:
        yield f"the answers cost ${truth.cost:.4f}, and the page says ${said:.4f}"


def what_is_safe_to_do(told: Told, truth: Truth) -> Iterator[str]:
    said = told["safe-actions"]["text"]
    for provider in truth.down:
        if f"Leave {provider}/" not in said:
            yield f"{provider} is down, and nothing says to leave it alone: {said!r}"
    if truth.state == "us" and "Start a worker" not in said:
        yield f"nobody works, and nothing says to start a worker: {said!r}"
    if truth.state == "healthy" and "Nothing to do" not in said:
        yield f"nothing is to be done, and the page says {said!r}"


QUESTIONS = (
    is_it_us_since_when, are_clients_failing, how_much_waits, is_it_growing, where_does_traffic_go,
    when_is_the_next_probe, does_the_equation_hold, which_deadlines_are_at_risk, what_does_it_cost, what_is_safe_to_do,
)  # fmt: skip
