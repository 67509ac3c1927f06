"""One picture of a run: where the jobs were, what each provider answered, and what the breakers did about it."""

from collections import defaultdict
from collections.abc import Sequence

from holdfast.drawing.svg import Scale, area, line, polyline, rect, round_top, text
from holdfast.lab.report import chart
from holdfast.lab.report.chart import LEFT, RIGHT, STRIP, STRIP_GAP, grid, legend
from holdfast.lab.report.run_record import SERVED, ProviderLog, RunRecord, Sample

HEADING = 66  # pixels of title and lead
JOBS = (104, 296)  # top and bottom of each panel
CALLS_HEIGHT, CALLS_GAP = 84, 54
BAR = 0.5  # seconds of calls in one bar
LABEL_ROOM = 26  # pixels of height that a label inside an area needs


def picture(run: RunRecord, *, heading: bool = True) -> str:
    """Draw a run as one SVG document; without ``heading`` where the page around it has its own."""
    time = Scale(max(run.seconds, 1), LEFT, RIGHT)
    calls_top = JOBS[1] + CALLS_GAP
    strips_top = calls_top + len(run.providers) * (CALLS_HEIGHT + CALLS_GAP)
    routes = sorted({move.route for move in run.moves})
    bottom = strips_top + len(routes) * (STRIP + STRIP_GAP) if routes else strips_top - CALLS_GAP + STRIP_GAP
    busiest = max((sum(calls.values()) / BAR for log in run.providers for calls in _bars(log).values()), default=1)
    parts = [
        rect(0, 0, chart.WIDTH, bottom + chart.FOOT, "paper"),
        text(LEFT, 34, run.title, "title"),
        text(LEFT, 56, run.lead, "soft"),
        *_bands(run, time, bottom),
        *_jobs(run.samples, time),
        *_edges(run, time, bottom),
    ]
    for place, log in enumerate(run.providers):
        top = calls_top + place * (CALLS_HEIGHT + CALLS_GAP)
        parts += _calls(log, time, Scale(round_top(busiest, 3), top + CALLS_HEIGHT, top))
    moves = {route: [move for move in run.moves if move.route == route] for route in routes}
    parts += chart.strips(moves, run.seconds, time, strips_top)
    parts += chart.time_axis(time, bottom, lambda tick: f"{tick:g} s")
    return chart.document(run.title, describe(run), parts, top=0 if heading else HEADING, bottom=bottom + chart.FOOT)


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


def _bars(log: ProviderLog) -> chart.Columns:
    bars: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for at, status, calls in log.points:
        bars[int(at / BAR)]["served" if status == SERVED else "failed"] += calls
    return bars


def _calls(log: ProviderLog, time: Scale, rate: Scale) -> list[str]:
    head = chart.panel_head(log.name, rate, [("served", "answered"), ("failed", "failed")])
    return [*grid(rate, 3), *head, *chart.columns(_bars(log), BAR, time, rate, ("served", "failed"))]
