"""One picture of a run: where the jobs were, what each provider answered, and what the breakers did about it.

Hand-written SVG on one time axis, readable in light and in dark, with a title and a description for those who cannot
see it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

from holdfast.lab.report.run_record import SERVED, BreakerMove, ProviderLog, RunRecord, Sample
from holdfast.lab.report.svg import Scale, area, line, number, polyline, rect, round_top, runs, text

WIDTH = 960
HEADING = 66  # pixels of title and lead
LEFT, RIGHT = 64, 936  # of the time axis
JOBS = (104, 296)  # top and bottom of each panel
CALLS_HEIGHT, CALLS_GAP, STRIP, STRIP_GAP = 84, 54, 12, 26
BAR = 0.5  # seconds of calls in one bar
STATES = [("closed", "closed"), ("open", "open"), ("half_open", "probing"), ("ramping", "ramping up")]
LABEL_ROOM = 26  # pixels of height that a label inside an area needs

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


def picture(run: RunRecord, *, heading: bool = True) -> str:
    """Draw a run as one SVG document; without ``heading`` where the page around it has its own."""
    time = Scale(max(run.seconds, 1), LEFT, RIGHT)
    calls_top = JOBS[1] + CALLS_GAP
    strips_top = calls_top + len(run.providers) * (CALLS_HEIGHT + CALLS_GAP)
    routes = sorted({move.route for move in run.moves})
    bottom = strips_top + len(routes) * (STRIP + STRIP_GAP) if routes else strips_top - CALLS_GAP + STRIP_GAP
    busiest = max((height for log in run.providers for _, height in _heights(log)), default=1)
    parts = [
        rect(0, 0, WIDTH, bottom + 44, "paper"),
        text(LEFT, 34, run.title, "title"),
        text(LEFT, 56, run.lead, "soft"),
        *_bands(run, time, bottom),
        *_jobs(run.samples, time),
        *_edges(run, time, bottom),
    ]
    for place, log in enumerate(run.providers):
        top = calls_top + place * (CALLS_HEIGHT + CALLS_GAP)
        parts += _calls(log, time, Scale(round_top(busiest, 3), top + CALLS_HEIGHT, top))
    if routes:
        parts.append(text(LEFT, strips_top - 14, "Breakers", "head"))
        parts += legend(strips_top - 14, STATES)
    for place, route in enumerate(routes):
        moves = [move for move in run.moves if move.route == route]
        parts += strip(route, moves, run.seconds, time, strips_top + place * (STRIP + STRIP_GAP) + 12)
    parts += _time_axis(time, bottom)
    top = 0 if heading else HEADING
    return _document(run, top, bottom + 44 - top, parts)


def _document(run: RunRecord, top: float, height: float, parts: Iterable[str]) -> str:
    size = f'viewBox="0 {number(top)} {WIDTH} {number(height)}" width="{WIDTH}" height="{number(height)}"'
    labels = 'role="img" aria-labelledby="title" aria-describedby="desc"'
    head = f'<title id="title">{escape(run.title)}</title>\n<desc id="desc">{escape(describe(run))}</desc>'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {labels}>\n{head}\n<style>{STYLE}</style>\n{body}\n</svg>\n'


def describe(run: RunRecord) -> str:
    """The picture in words."""
    spans = [f"{phase.name} from {phase.begins:.0f} s to {phase.ends:.0f} s." for phase in run.phases]
    calls = [
        f"{log.name} answered {log.calls(served=True)} calls and failed {log.calls(served=False)}."
        for log in run.providers
    ]
    opened = sum(move.state == "open" for move in run.moves)
    done = run.ended.get("succeeded", 0)
    jobs = f"Of {run.accepted} jobs, {done} had succeeded after {run.seconds:.0f} s."
    return " ".join([jobs, *spans, *calls, f"A breaker opened {opened} times."])


def _spans(run: RunRecord, time: Scale) -> list[tuple[str, float, float]]:
    return [(phase.name, time(phase.begins), time(min(phase.ends, run.seconds))) for phase in run.phases]


def _bands(run: RunRecord, time: Scale, bottom: float) -> list[str]:
    top = JOBS[0] - 22
    return [rect(begin, top, end - begin, bottom - top, "outage") for _, begin, end in _spans(run, time)]


def _edges(run: RunRecord, time: Scale, bottom: float) -> list[str]:
    parts = []
    for name, begin, end in _spans(run, time):
        parts += [line(x, JOBS[0] - 22, x, bottom, "edge") for x in (begin, end)]
        parts.append(text((begin + end) / 2, JOBS[0] - 8, name, "alarm small", "middle"))
    return parts


def _jobs(samples: Sequence[Sample], time: Scale) -> list[str]:
    """Stacked areas whose height is always the number of accepted jobs: the ledger equation as a picture."""
    most = max((sample.total for sample in samples), default=1)
    jobs = Scale(max(most, 1), JOBS[1], JOBS[0])
    parts = grid(jobs, 5)
    parts.append(text(LEFT, JOBS[0] - 8, "Jobs", "head"))
    parts += legend(JOBS[0] - 8, [("flight", "in flight")])
    floor = [0] * len(samples)
    for style, figures in (
        ("done", [sample.done for sample in samples]),
        ("lost", [sample.ended for sample in samples]),
        ("flight", [sample.in_flight for sample in samples]),
        ("waiting", [sample.waiting for sample in samples]),
    ):
        ceiling = [below + more for below, more in zip(floor, figures, strict=True)]
        if any(figures):
            parts.append(area(_points(samples, ceiling, time, jobs), _points(samples, floor, time, jobs), style))
        floor = ceiling
    parts.append(polyline(_points(samples, [sample.done for sample in samples], time, jobs), "rim"))
    return parts + _area_labels(samples, time, jobs)


def _points(samples: Sequence[Sample], figures: Sequence[int], time: Scale, jobs: Scale) -> list[tuple[float, float]]:
    return [(time(sample.at), jobs(figure)) for sample, figure in zip(samples, figures, strict=True)]


def _area_labels(samples: Sequence[Sample], time: Scale, jobs: Scale) -> list[str]:
    """Name the two large areas inside themselves, each where a fifth of the way in leaves it room."""
    if not samples:
        return []
    early = samples[len(samples) // 8]
    late = samples[-1 - len(samples) // 12]
    parts = []
    if jobs.begin - jobs(early.waiting) > LABEL_ROOM:
        middle = jobs(early.total - early.waiting / 2)
        parts.append(text(time(early.at) + 8, middle + 4, "waiting, safe in SQL"))
    if jobs.begin - jobs(late.done) > LABEL_ROOM:
        parts.append(text(time(late.at), jobs(late.done / 2) + 4, "done", "on head", "end"))
    return parts


def _heights(log: ProviderLog) -> list[tuple[float, float]]:
    """Calls a second in each bar: (begin, calls a second of any outcome)."""
    bars: dict[int, int] = defaultdict(int)
    for at, _, calls in log.points:
        bars[int(at / BAR)] += calls
    return [(place * BAR, calls / BAR) for place, calls in sorted(bars.items())]


def _calls(log: ProviderLog, time: Scale, rate: Scale) -> list[str]:
    parts = grid(rate, 3)
    parts.append(runs(LEFT, rate.end - 12, [("head", log.name), ("soft", "  calls a second")]))
    parts += legend(rate.end - 12, [("served", "answered"), ("failed", "failed")])
    bars: dict[int, dict[bool, int]] = defaultdict(lambda: {True: 0, False: 0})
    for at, status, calls in log.points:
        bars[int(at / BAR)][status == SERVED] += calls
    for place, calls_by in sorted(bars.items()):
        base = rate(0)
        for served, style in ((True, "served"), (False, "failed")):
            height = rate(0) - rate(calls_by[served] / BAR)
            if calls_by[served]:
                base -= height
                begin, end = time(place * BAR), min(time((place + 1) * BAR), RIGHT)
                parts.append(rect(begin + 0.5, base, end - begin - 1, height, style))
    return parts


def strip(route: str, moves: Sequence[BreakerMove], seconds: float, time: Scale, top: float) -> list[str]:
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


def _time_axis(time: Scale, bottom: float) -> list[str]:
    parts = [line(LEFT, bottom, RIGHT, bottom, "axis")]
    for tick in time.clock_ticks(12):
        parts.append(line(time(tick), bottom, time(tick), bottom + 4, "axis"))
        parts.append(text(time(tick), bottom + 20, f"{tick:g} s", "small soft", "middle"))
    return parts
