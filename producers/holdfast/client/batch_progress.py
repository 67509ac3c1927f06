"""How a batch is getting on, in one line: counts, rate, time left, and what keeps calls from routes."""

import time
from collections import deque
from collections.abc import Mapping, Sequence

from holdfast.client.backend import Backend, View
from holdfast.model.durations import lasting
from holdfast.model.job import LIVE, State

SPAN = 10.0  # seconds over which the rate is taken
BAR = 24  # columns
SPENT_EVERY, SPENT_SHARE = 2.0, 0.05  # seconds between two questions of what was spent, and what they may take of it


class Meter:
    """Counts to rate and time left. ``note`` what is done, at ``now`` in seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, done: int) -> None:
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= SPAN:  # noqa: PLR2004 - two points make a rate
            self._seen.popleft()

    @property
    def rate(self) -> float:
        """Jobs a second, lately."""
        if len(self._seen) < 2:  # noqa: PLR2004
            return 0.0
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        return (after - before) / (end - start) if end > start else 0.0


class BatchProgress:
    """How a batch is getting on, as a sentence with its rate."""

    def __init__(self, backend: Backend, batch: str) -> None:
        self._backend, self._batch, self._meter = backend, batch, Meter()
        self._spent: float | None = None
        self._ask_spent = 0.0  # when

    def sentence(self) -> str:
        """Ask, and say it in one line. Raises StorageUnavailable, ServerUnavailable."""
        counts = self._backend.counts(self._batch)
        ended = sum(count for state, count in counts.items() if state not in LIVE)
        started = time.monotonic()
        self._meter.note(started, ended)
        routes = self._backend.routes()["routes"] if ended < sum(counts.values()) else []
        return sentence(
            counts, self._meter.rate, troubles(routes), back_in(routes), self._money(started, last=not routes)
        )

    def _money(self, now: float, *, last: bool) -> float | None:
        """Return what was spent, as far as that is known: it is asked for seldom, for it adds up every call."""
        if last or now >= self._ask_spent:
            self._spent = self._backend.spent(self._batch)
            ended = time.monotonic()
            self._ask_spent = ended + max(SPENT_EVERY, (ended - now) / SPENT_SHARE)
        return self._spent


def waiting(backend: Backend) -> str:
    """Say which routes take no calls now, and why."""
    return troubles(backend.routes()["routes"])


def troubles(routes: Sequence[View]) -> str:
    """Say which of ``routes`` take no calls now, and why."""
    return " · ".join(told for told in map(trouble, routes) if told)


def back_in(routes: Sequence[View]) -> float:
    """Seconds for which jobs wait for a route that nobody takes over for, at the least."""
    outages = [route["outage"] for route in routes if route["outage"]]
    return max((outage["again_in"] or 0.0 for outage in outages if not outage["takes_over"]), default=0.0)


def sentence(
    counts: Mapping[State, int], rate: float, waits: str, back_in: float = 0.0, spent: float | None = None
) -> str:
    """Say it all in one line. The time that is left counts the outage that lasts ``back_in`` seconds more at least.

    ``spent``: USD for what has ended; the whole is expected to cost as much a job.

    >>> sentence({State.SUCCEEDED: 30, State.RUNNING: 5, State.QUEUED: 25}, 10.0, "")
    '############............  30/60 done · 5 running · 25 queued · 10.0/s · 3 s left'
    """
    total = sum(counts.values())
    ended = sum(count for state, count in counts.items() if state not in LIVE)
    failed = ended - counts.get(State.SUCCEEDED, 0)
    parts = [f"{ended:,}/{total:,} done"]
    parts += [f"{failed:,} failed"] if failed else []
    parts += [
        f"{counts[state]:,} {state}" for state in (State.RUNNING, State.DELAYED, State.QUEUED) if counts.get(state)
    ]
    if rate > 0 and ended < total:
        parts += [f"{rate:.1f}/s", f"{lasting((total - ended) / rate + back_in)} left"]
    if spent and ended:
        parts += [f"${spent:,.4g}" + (f" of about ${spent / ended * total:,.4g}" if ended < total else "")]
    parts += [waits] if waits else []
    filled = round(BAR * ended / total) if total else 0
    return f"{'#' * filled}{'.' * (BAR - filled)}  {' · '.join(parts)}"


def obstacles(route: View) -> list[str]:
    """Say in words what keeps calls from a route now.

    >>> breaker = {"scope": "route:a/b", "state": "open", "words": "stopped (open)", "retry_in": 2.5}
    >>> obstacles({"breakers": [breaker], "buckets": []})
    ['stopped (open), asked again in 2.5 s']
    """
    said: list[str] = []
    for breaker in route["breakers"]:
        if breaker["state"] in {"open", "half_open"}:
            kind, _, _ = breaker["scope"].partition(":")
            name = "" if kind == "route" else f"{kind} "
            said.append(f"{name}{breaker['words']}, {_next_call(breaker)}")
    said += [f"rate limited for {each['paused_for']:.1f} s more" for each in route["buckets"] if each["paused_for"] > 0]
    return said


def _next_call(breaker: View) -> str:
    """Say when a breaker that refuses calls lets one through."""
    if breaker["retry_in"]:
        return f"asked again in {breaker['retry_in']:.1f} s"
    return "the next job asks it" if breaker["state"] == "open" else "being asked now"


def trouble(route: View) -> str:
    """Tell a route's outage as one sentence, else what slows it down; "" where nothing does."""
    if route["outage"]:
        return str(route["outage"]["sentence"])
    why = "; ".join(obstacles(route))
    return f"{route['name']} {why}" if why else ""
