"""What every picture of a run is made of: one time axis, panels with a grid, stacked columns, strips of states.

Hand-written SVG, readable in light and in dark, with a title and a description for those who cannot see it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from itertools import pairwise

from holdfast.drawing.svg import Scale, line, number, rect, runs, text
from holdfast.lab.report.run_record import BreakerMove

WIDTH = 960
LEFT, RIGHT = 64, 936  # of the time axis
STRIP, STRIP_GAP = 12, 26
FOOT = 44  # pixels below the time axis
STATES = [("closed", "closed"), ("open", "open"), ("half_open", "probing"), ("ramping", "ramping up")]
Columns = Mapping[int, Mapping[str, int]]  # by place from the left: calls by style

STYLE = """
text { font: 13px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1c2733; }
.title { font-size: 19px; font-weight: 600; } .head { font-weight: 600; } .soft { fill: #5f6c7b; }
.small { font-size: 12px; } .paper { fill: #ffffff; } .grid { stroke: #e3e8ee; fill: none; }
.axis { stroke: #9aa5b1; fill: none; } .outage { fill: #c92a2a; fill-opacity: 0.07; }
.edge { stroke: #c92a2a; stroke-opacity: 0.55; stroke-dasharray: 3 3; fill: none; } .alarm { fill: #b02525; }
.done { fill: #12936f; fill-opacity: 0.85; } .flight { fill: #3b5bdb; } .waiting { fill: #cfd8e3; }
.lost { fill: #343a40; } .served { fill: #12936f; } .failed { fill: #e03131; } .on { fill: #ffffff; }
.closed { fill: #12936f; fill-opacity: 0.3; } .open { fill: #e03131; } .half_open { fill: #f08c00; }
.ramping { fill: #f08c00; fill-opacity: 0.45; } .rim { stroke: #12936f; stroke-width: 2; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .soft { fill: #9aa7b4; } .paper { fill: #12181f; } .grid { stroke: #28323d; }
  .axis { stroke: #5c6873; } .outage { fill: #ff6b6b; fill-opacity: 0.1; } .alarm { fill: #ff9a9a; }
  .edge { stroke: #ff8787; } .done { fill: #20a47e; } .waiting { fill: #3a4654; } .flight { fill: #748ffc; }
  .served { fill: #20a47e; } .failed { fill: #ff6b6b; } .on { fill: #ffffff; } .lost { fill: #ced4da; }
  .closed { fill: #20a47e; fill-opacity: 0.35; } .open { fill: #ff6b6b; } .rim { stroke: #38d9a9; }
}
"""


def document(title: str, told: str, parts: Iterable[str], *, top: float, bottom: float, style: str = STYLE) -> str:
    """One SVG document that shows what lies between ``top`` and ``bottom``. ``told`` is the picture in words."""
    size = f'viewBox="0 {number(top)} {WIDTH} {number(bottom - top)}" width="{WIDTH}" height="{number(bottom - top)}"'
    labels = 'role="img" aria-labelledby="title" aria-describedby="desc"'
    head = f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(told)}</desc>'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {labels}>\n{head}\n<style>{style}</style>\n{body}\n</svg>\n'


def columns(bars: Columns, seconds: float, time: Scale, rate: Scale, styles: Sequence[str]) -> list[str]:
    """Calls a second as columns of ``seconds`` width, each stacked in the order of ``styles``."""
    parts = []
    for place, calls in sorted(bars.items()):
        base, left, right = rate(0), time(place * seconds), min(time((place + 1) * seconds), RIGHT)
        for style in styles:
            if calls.get(style):
                height = rate(0) - rate(calls[style] / seconds)
                base -= height
                parts.append(rect(left, base, max(right - left - 0.6, 0.8), height, style))
    return parts


def panel_head(name: str, rate: Scale, entries: Sequence[tuple[str, str]]) -> list[str]:
    """The line above a panel of calls: whose they are, and what the colours say."""
    said = runs(LEFT, rate.end - 12, [("head", name), ("soft", "  calls a second")])
    return [said, *legend(rate.end - 12, entries)]


def strips(named: Mapping[str, Sequence[BreakerMove]], seconds: float, time: Scale, top: float) -> list[str]:
    """The states of each breaker, one below the other, with a heading."""
    if not named:
        return []
    parts = [text(LEFT, top - 14, "Breakers", "head"), *legend(top - 14, STATES)]
    for place, (name, moves) in enumerate(named.items()):
        parts += _strip(name, moves, seconds, time, top + place * (STRIP + STRIP_GAP) + 12)
    return parts


def _strip(route: str, moves: Sequence[BreakerMove], seconds: float, time: Scale, top: float) -> list[str]:
    """One breaker's states from left to right; it is closed until it first moves."""
    spans = [BreakerMove(0.0, route, "closed"), *moves, BreakerMove(seconds, route, "end")]
    parts = []
    for here, after in pairwise(spans):
        begin, end = time(here.at), time(after.at)
        if end > begin:
            title = f"{route}: {here.state} from {here.at:.1f} s to {after.at:.1f} s"
            parts.append(rect(begin, top, max(end - begin, 1.5), STRIP, here.state, title=title))
    parts.append(text(LEFT, top - 4, route, "small soft"))
    return parts


def grid(scale: Scale, most: int) -> list[str]:
    parts = []
    for tick in scale.ticks(most):
        parts.append(line(LEFT, scale(tick), RIGHT, scale(tick), "grid" if tick else "axis"))
        parts.append(text(LEFT - 8, scale(tick) + 4, f"{tick:,g}", "small soft", "end"))
    return parts


def legend(y: float, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Swatches with their words, ending at the right edge."""
    words = [part for style, word in entries for part in ((style, "   \N{BLACK SQUARE} "), ("small soft", word))]
    return [runs(RIGHT, y, words, "end")]


def time_axis(time: Scale, bottom: float, word: Callable[[float], str]) -> list[str]:
    parts = [line(LEFT, bottom, RIGHT, bottom, "axis")]
    for tick in time.clock_ticks(12):
        parts.append(line(time(tick), bottom, time(tick), bottom + 4, "axis"))
        parts.append(text(time(tick), bottom + 20, word(tick), "small soft", "middle"))
    return parts
