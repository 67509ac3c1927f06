"""One picture of a drill: the outage, the jobs that waited, what each provider answered, and what the breakers did."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from holdfast.drawing.svg import Scale, area, line, rect, round_top, text
from holdfast.lab.drill.result import SeedReport, Timeline
from holdfast.lab.drill.scenario import Phase, Scenario
from holdfast.lab.report import chart
from holdfast.lab.report.chart import LEFT, RIGHT, STRIP, STRIP_GAP, grid, legend
from holdfast.lab.report.run_record import SERVED, BreakerMove, Sample

TOP = 112  # pixels of title, lead and the names of phases
JOBS_HEIGHT, CALLS_HEIGHT, GAP = 150, 78, 54
BARS = 218  # of calls over the whole width
LETTER = 6.6  # pixels of width that a small letter needs
HOURS = 600.0  # seconds from which on times are told in hours and minutes
MOST_STRIPS = 6
CLASSES = (  # of answers: style, what it says, how its statuses begin
    ("served", "answered", (SERVED,)),
    ("limited", "429", ("429",)),
    ("login", "401, 403", ("401", "403")),
    ("failed", "failed", ("4", "5", "bad")),
    ("cut", "cut or given up", ("",)),
)
OWN_STYLE = """
.limited { fill: #f08c00; } .login { fill: #7048e8; } .cut { fill: #495057; } .queue { fill: #9fb3c8; }
.mark { fill: #1c2733; font-size: 12px; } .jobs { fill: #3b5bdb; }
@media (prefers-color-scheme: dark) {
  .limited { fill: #ffa94d; } .login { fill: #9775fa; } .cut { fill: #adb5bd; } .queue { fill: #4d6075; }
  .mark { fill: #e6edf3; } .jobs { fill: #748ffc; }
}
"""
Bands = Sequence[tuple[float, float, str]]  # begin and end in seconds, and what was wrong


def picture(scenario: Scenario, report: SeedReport, *, heading: bool = True) -> str:
    """Draw one seed as one SVG document; without ``heading`` where the page around it has its own."""
    course = report.course
    time = Scale(max(course.seconds, 1.0), LEFT, RIGHT)
    bands, places = (
        bands_of(scenario.phases, scenario.seconds),
        list(dict.fromkeys(name for name, _, _ in course.answers)),
    )
    calls_top = TOP + JOBS_HEIGHT + GAP
    strips_top = calls_top + len(places) * (CALLS_HEIGHT + GAP)
    breakers = _breakers(course)
    bottom = strips_top + len(breakers) * (STRIP + STRIP_GAP) - (0 if breakers else GAP - 20)
    parts = [
        rect(0, 0, chart.WIDTH, bottom + chart.FOOT, "paper"),
        text(LEFT, 34, scenario.name, "title"),
        text(LEFT, 56, scenario.about or lead(report), "soft"),
        *_bands(bands, time, TOP - 8, bottom, named=True),
        *_jobs(course.samples, time),
    ]
    busiest = max((rate for name in places for _, rate in _rates(course, name)), default=1.0)
    for place, name in enumerate(places):
        top = calls_top + place * (CALLS_HEIGHT + GAP)
        if place:
            parts += _bands(bands_of(scenario.second, scenario.seconds), time, top, top + CALLS_HEIGHT, named=False)
        parts += _calls(course, name, time, Scale(round_top(busiest, 3), top + CALLS_HEIGHT, top))
    parts += chart.strips(breakers, course.seconds, time, strips_top)
    parts += chart.time_axis(time, bottom, lambda tick: clock(tick, time.top))
    top, told, style = 0 if heading else 70, describe(scenario, report), chart.STYLE + OWN_STYLE
    return chart.document(scenario.name, told, parts, top=top, bottom=bottom + chart.FOOT, style=style)


def lead(report: SeedReport) -> str:
    """One run in a sentence."""
    found = report.figures
    return (
        f"{found.accepted:,} jobs: {found.succeeded:,} succeeded, {found.dead:,} dead, {found.lost:,} lost; "
        f"{found.failed_calls:,} calls failed; half of the jobs were done within {found.p50_s:,.1f} s, "
        f"99 of 100 within {found.p99_s:,.1f} s."
    )


def bands_of(phases: Sequence[Phase], ends: float) -> list[tuple[float, float, str]]:
    """The spans in which something was wrong."""
    nexts = [*(phase.at for phase in phases[1:]), ends]
    return [
        (phase.at, min(end, ends), what_is_wrong(phase))
        for phase, end in zip(phases, nexts, strict=False)
        if not phase.is_well and phase.at < ends
    ]


def what_is_wrong(phase: Phase) -> str:
    """Say it shortly, such as ``70 % 500, 30 % hang``."""
    ill = [part for part in phase.mix if not part.is_well and part.share]
    return ", ".join(f"{part.share:.0%}".replace("%", " %") + f" {_word(part.mode)}" for part in ill)


def _word(mode: str) -> str:
    return "slow" if mode == "ok" else mode.removeprefix("e") if mode[1:].isdigit() else mode


def clock(seconds: float, whole: float) -> str:
    """A moment on the axis of a run that takes ``whole`` seconds.

    >>> clock(90, 300), clock(5400, 20000)
    ('90 s', '1:30 h')
    """
    return f"{seconds:g} s" if whole < HOURS else f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02} h"


def describe(scenario: Scenario, report: SeedReport) -> str:
    """The picture in words."""
    whole = report.course.seconds
    spans = [
        f"From {clock(begin, whole)} to {clock(end, whole)} the first provider: {what}."
        for begin, end, what in bands_of(scenario.phases, scenario.seconds)
    ]
    return " ".join([lead(report), *spans, f"A breaker opened {report.figures.breaker_trips} times."])


def _bands(bands: Bands, time: Scale, top: float, bottom: float, *, named: bool) -> list[str]:
    parts = []
    for begin, end, what in bands:
        left, right = time(begin), time(end)
        parts.append(rect(left, top, max(right - left, 1.0), bottom - top, "outage", title=what))
        parts += [line(x, top, x, bottom, "edge") for x in (left, right)]
        if named and right - left > LETTER * len(what):
            parts.append(text((left + right) / 2, top - 7, what, "alarm small", "middle"))
    return parts


def _jobs(samples: Sequence[Sample], time: Scale) -> list[str]:
    """What was in flight, and on top of it what waited."""
    most = max((sample.waiting + sample.in_flight for sample in samples), default=1)
    jobs = Scale(round_top(max(most, 1), 4), TOP + JOBS_HEIGHT, TOP + 20)
    parts = grid(jobs, 5)
    parts.append(text(LEFT, TOP + 10, "Jobs", "head"))
    parts += legend(TOP + 10, [("jobs", "in flight"), ("queue", "waiting, safe in SQL")])
    flight = [(time(sample.at), jobs(sample.in_flight)) for sample in samples]
    floor = [(time(sample.at), jobs(0)) for sample in samples]
    above = [(time(sample.at), jobs(sample.in_flight + sample.waiting)) for sample in samples]
    if samples:
        parts += [area(above, flight, "queue"), area(flight, floor, "jobs")]
    return parts + _peak(samples, time, jobs)


def _peak(samples: Sequence[Sample], time: Scale, jobs: Scale) -> list[str]:
    """Name the most that waited, where it did."""
    worst = max(samples, key=lambda sample: sample.waiting, default=None)
    if worst is None or worst.waiting * 4 < jobs.top:
        return []
    x, anchor = time(worst.at), "end" if time(worst.at) > (LEFT + RIGHT) / 2 else "start"
    y = max(jobs(worst.waiting + worst.in_flight) + 4, jobs.end + 12)
    return [text(x + (8 if anchor == "start" else -8), y, f"{worst.waiting:,} waited", "mark", anchor)]


def _span(course: Timeline) -> tuple[int, float]:
    """How many bars of the course make one of the picture, and its seconds."""
    merged = max(1, round(course.seconds / course.bar / BARS))
    return merged, merged * course.bar


def _bars(course: Timeline, provider: str) -> Mapping[int, dict[str, int]]:
    """Calls of each bar by the style of how they ended."""
    merged, _ = _span(course)
    bars: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (name, bar, status), calls in course.answers.items():
        if name == provider:
            bars[bar // merged][_class(status)] += calls
    return bars


def _class(status: str) -> str:
    return next(style for style, _, begins in CLASSES if status.startswith(begins))


def _rates(course: Timeline, provider: str) -> list[tuple[int, float]]:
    _, seconds = _span(course)
    return [(bar, sum(calls.values()) / seconds) for bar, calls in _bars(course, provider).items()]


def _calls(course: Timeline, provider: str, time: Scale, rate: Scale) -> list[str]:
    bars, (_, seconds) = _bars(course, provider), _span(course)
    seen = {style for calls in bars.values() for style in calls}
    head = chart.panel_head(provider, rate, [(style, word) for style, word, _ in CLASSES if style in seen])
    return [*grid(rate, 3), *head, *chart.columns(bars, seconds, time, rate, [style for style, _, _ in CLASSES])]


def _breakers(course: Timeline) -> Mapping[str, Sequence[BreakerMove]]:
    """The moves of those that moved first, by the names that are shown."""
    names = list(dict.fromkeys(move.route for move in course.moves))[:MOST_STRIPS]
    return {
        name.removeprefix("route:").replace(":", " "): [move for move in course.moves if move.route == name]
        for name in names
    }
