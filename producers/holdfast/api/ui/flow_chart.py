"""The picture of the flow, as SVG that takes all its colours from the style sheet. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby

from holdfast.api.ui.flow import FlowSpan
from holdfast.drawing.svg import Scale, area, line, polyline, rect, round_top, text

WIDTH, HEIGHT = 720, 214
LEFT, RIGHT = 56, 712
RATES_TOP, RATES_FOOT = 24, 116  # of the panel of jobs a second
WAIT_TOP, WAIT_FOOT = 142, 188  # of the panel of what waits
HALF_CLOCK = 28  # of the width of a time of day in the largest letters, those of a narrow screen
WINDOW = 900.0  # seconds
LINES = (("accepted", "arrivals"), ("retries", "retries"), ("reroutes", "reroutes"))


def flow_chart(spans: Sequence[FlowSpan], now: float, down_since: float | None = None) -> str:
    """Draw a quarter of an hour of flow: jobs a second above, what waits below, outages shaded.

    ``down_since``: when the outage of now began, which may be before this process did.
    """
    time = Scale(WINDOW, LEFT, RIGHT)
    shown = [_shaded(span, down_since) for span in spans if span.end > now - WINDOW]
    begin = now - WINDOW
    fastest = max((max(span.done, span.accepted, span.retries, span.reroutes) for span in shown), default=1.0)
    most = max((span.waiting for span in shown), default=1)
    rate = Scale(round_top(fastest, 3), RATES_FOOT, RATES_TOP)
    wait = Scale(round_top(most, 2), WAIT_FOOT, WAIT_TOP)
    parts = [
        *_outages(shown, time, begin),
        *_grid(rate, 4, "jobs a second"),
        *_grid(wait, 3, "waiting"),
        *_done(shown, time, rate, begin),
        *_lines(shown, time, rate, begin),
        *_waiting(shown, time, wait, begin),
        *_clock(time, begin),
    ]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="flow-title flow-told"'
    titles = f'<title id="flow-title">Flow of the last 15 minutes</title><desc id="flow-told">{_told(shown)}</desc>'
    return f'<svg class="chart" {size}>{titles}{"".join(parts)}</svg>'


def _shaded(span: FlowSpan, down_since: float | None) -> FlowSpan:
    return span if span.down or down_since is None or span.end <= down_since else replace(span, down=True)


def _told(spans: Sequence[FlowSpan]) -> str:
    """Say the picture in words: what happens now, and how long a route was down."""
    if not spans:
        return "Nothing is known yet."
    last, down = spans[-1], sum(span.end - span.begin for span in spans if span.down)
    outage = f" A route was down for {down / 60:.1f} of the last 15 minutes." if down else ""
    return (
        f"Lately {last.accepted:.1f} jobs a second arrive and {last.done:.1f} end, with {last.retries:.1f} retries and "
        f"{last.reroutes:.1f} reroutes; {last.waiting:,} wait.{outage}"
    )


def _outages(spans: Sequence[FlowSpan], time: Scale, begin: float) -> Iterator[str]:
    for down, group in groupby(spans, lambda span: span.down):
        its = list(group)
        if down:
            left, right = time(max(0.0, its[0].begin - begin)), time(its[-1].end - begin)
            yield rect(left, RATES_TOP, right - left, WAIT_FOOT - RATES_TOP, "outage", title="a route was down")


def _grid(scale: Scale, most: int, name: str) -> Iterator[str]:
    for tick in scale.ticks(most):
        yield line(LEFT, scale(tick), RIGHT, scale(tick), "grid" if tick else "axis")
        yield text(LEFT - 6, scale(tick) + 4, short(tick), "tick", "end")
    yield text(LEFT, scale.end - 5, name, "tick")


def short(figure: float) -> str:
    """Write the figure of an axis in four characters or less.

    >>> [short(figure) for figure in (0, 2.5, 500, 2500, 100_000, 2_500_000)]
    ['0', '2.5', '500', '2.5k', '100k', '2.5M']
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if figure >= unit:
            return f"{figure / unit:g}{letter}"
    return f"{figure:g}"


def _done(spans: Sequence[FlowSpan], time: Scale, rate: Scale, begin: float) -> Iterator[str]:
    if spans:
        upper = list(_steps(spans, time, rate, "done", begin))
        yield area(upper, [(upper[0][0], rate(0)), (upper[-1][0], rate(0))], "done")


def _lines(spans: Sequence[FlowSpan], time: Scale, rate: Scale, begin: float) -> Iterator[str]:
    for name, style in LINES:
        if known := [span for span in spans if span.known]:
            yield polyline(_steps(known, time, rate, name, begin), f"line {style}")


def _steps(
    spans: Sequence[FlowSpan], time: Scale, rate: Scale, name: str, begin: float
) -> Iterator[tuple[float, float]]:
    for span in spans:
        height = rate(getattr(span, name))
        yield time(max(0.0, span.begin - begin)), height
        yield time(span.end - begin), height


def _waiting(spans: Sequence[FlowSpan], time: Scale, wait: Scale, begin: float) -> Iterator[str]:
    points = [(time(span.end - begin), wait(span.waiting)) for span in spans if span.known]
    if points:
        yield area(points, [(points[0][0], wait(0)), (points[-1][0], wait(0))], "backlog")
        yield polyline(points, "line backlog-line")


def _clock(time: Scale, begin: float) -> Iterator[str]:
    first = (int(begin) // 180 + 1) * 180
    for at in range(first, int(begin + WINDOW), 180):
        x = min(time(at - begin), WIDTH - HALF_CLOCK)
        yield text(x, WAIT_FOOT + 20, f"{datetime.fromtimestamp(at, UTC):%H:%M}", "tick", "middle")
