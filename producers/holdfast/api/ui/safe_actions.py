"""What is safe to do now, and what is best left alone: advice from what stands on the page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.api.ui.failure_groups import FailurePicture
from holdfast.client.overview import Overview, RouteOverview
from holdfast.policy.outage_sentence import needed_act


@dataclass(frozen=True, slots=True)
class SafeAction:
    """``do``: path of the form's action, "" where nothing is to be pressed. ``label``: what stands on the button."""

    text: str
    do: str = ""
    label: str = ""
    link: str = ""


def safe_actions(now: Overview, failures: FailurePicture) -> list[SafeAction]:
    """List what helps, most urgent first; where all is well, say that nothing is to be done."""
    found = [*_workers(now), *_lanes(now), *_routes(now), *_letters(now, failures)]
    return found or [SafeAction("Nothing to do. Jobs that wait are safe, and start by themselves.")]


def _workers(now: Overview) -> Iterator[SafeAction]:
    if not now.workers:
        yield SafeAction("Start a worker: `holdfast worker`. Until then jobs are accepted, and wait.")


def _lanes(now: Overview) -> Iterator[SafeAction]:
    for lane in now.lanes:
        if lane.paused_by is not None:
            text = f"Lane {lane.name} is paused; {lane.waiting:,} jobs wait for it."
            yield SafeAction(text, f"/ui/lanes/{lane.name}/resume", f"Resume {lane.name}")


def _routes(now: Overview) -> Iterator[SafeAction]:
    for route in now.routes:
        name = route.state.route.name
        if route.state.override == "open":
            yield SafeAction(
                f"An operator stopped {name}.", f"/ui/routes/{name}/reset", f"Let its breaker decide: {name}"
            )
        elif route.state.override == "closed":
            text = f"An operator lets every call through to {name}, whatever its breaker says."
            yield SafeAction(text, f"/ui/routes/{name}/reset", f"Let its breaker decide: {name}")
        elif route.outage is not None:
            yield _of_outage(route)


def _of_outage(route: RouteOverview) -> SafeAction:
    name, outage = route.state.route.name, route.outage
    assert outage
    if (act := needed_act(outage.faults)) is not None:
        return SafeAction(f"{name}: {act}.")
    if outage.elsewhere:
        return SafeAction(f"Leave {name} alone: its jobs go to {' or '.join(outage.elsewhere)}, and one probe asks it.")
    return SafeAction(f"Leave {name} alone: one probe at a time asks it, and its jobs start by themselves.")


def _letters(now: Overview, failures: FailurePicture) -> Iterator[SafeAction]:
    if failures.total and all(route.outage is None for route in now.routes):
        text = f"{failures.total:,} dead letters can be looked at and replayed, as fast as limits allow."
        yield SafeAction(text, link="/ui/dead-letters", label="Look at dead letters")
