"""Real outages before a browser: `python bench/dashboard_drill.py [--shots DIR] [--axe axe.min.js] [--seconds N]`.

A pool runs on two simulated providers while both fall ill and heal. In each phase Chromium opens the dashboard once,
and what its elements say is held against what the simulators and the store know. Pictures go to ``--shots``; with the
script of axe-core every page is checked for WCAG 2.2 AA. Needs Debian's Chromium and Playwright, else it says so.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from api_server import ApiServer, served
from chromium import chromium, missing
from drill_questions import (
    AROUND,
    PROBE,
    Truth,
    answers,
    longest_probe,
    moment,
    probes_that_came_otherwise,
    wrong_answers,
)
from drill_truth import TruthRecorder
from figures import Figure, show
from holdfast.client.local import LocalBackend
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.client.webhooks import Webhooks
from holdfast.lab.local_pool import local_pool
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from holdfast.model.ids import public_id
from holdfast.model.job import DEFAULT_TENANT, Priority, State
from holdfast.model.records import JobFilter
from holdfast.store.batches import list_batches
from holdfast.store.jobs import list_jobs
from holdfast.store.webhook_deliveries import bury_old_deliveries
from rig import Rig, configuration

RATE = 10  # jobs a second that are submitted
PHASE = 30.0  # seconds from a change until a page is opened
VALUES = {"limits": "limits = { requests_per_minute = 3000 }", "concurrency": 100, "lease": "3s", "deadline": "20s"}
PRICED = 'model = "{0}-model", price = {{ input = 1.0, output = 5.0 }} }}'
PROVIDERS = ("first", "second")
SOON = 3.0  # seconds after a probe was answered at which it is looked at
CALM = 180.0  # seconds in which a backlog drains
AT_RISK = 3  # jobs with a deadline that an outage threatens
DEADLINE = 600.0  # seconds
NOWHERE = "https://receiver.invalid/hooks/everything-of-a-tenant"
ALERTS = '[alerts]\ncommand = ["true"]\nafter = "3s"\n'
VIEWS = (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390))
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
GRAVE = {"serious", "critical"}


@dataclass(slots=True)
class Found:
    """What was seen so far: wrong answers and grave findings of axe, as sentences."""

    wrong: list[str] = field(default_factory=list)
    grave: list[str] = field(default_factory=list)
    asked: int = 0


@dataclass(slots=True)
class Drill:
    pool: Rig
    server: ApiServer
    browser: Any
    shots: Path | None
    axe: str | None
    seconds: float
    found: Found = field(default_factory=Found)
    accepted: int = 0
    recorder: TruthRecorder = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = TruthRecorder(self.pool, PROVIDERS, lambda: self.accepted)

    def submit(self, **terms: Any) -> None:
        """Hand in a second's jobs, or a few with terms of their own."""
        count = AT_RISK if terms else RATE
        prompts = [f"prompt {self.accepted + number}" for number in range(count)]
        request = SubmitRequest(prompts, JobDefaults(model="bench", **terms), many=True, name="drill")
        self.pool.holdfast.backend.submit(request)
        self.accepted += count

    def phase(self, name: str, seconds: float, truth: Callable[[], Truth]) -> None:
        """Let a phase go on for a while, and look at it."""
        time.sleep(seconds)
        self.look(name, truth)

    def look(self, phase: str, truth: Callable[[], Truth]) -> None:
        """Open the page once, and hold its answers against the truth of the same moment."""
        for scheme, width in VIEWS:
            context = self.browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{self.server.url}/ui")
            if (scheme, width) == VIEWS[0]:
                wrong, verdict = self.wrong(page, truth)
                self.found.wrong += [f"{phase}: {each}" for each in wrong]
                self.found.asked += 1
                print(f"  {phase}: {verdict}", *wrong, sep="\n    ", file=sys.stderr)
            self.shoot(page, f"{phase}-{scheme}-{width}")
            context.close()
            self.check("/ui", phase, scheme, width)

    def wrong(self, page: Any, truth: Callable[[], Truth]) -> tuple[list[str], str]:
        """Hold a page against the truth, once that was noted after its moment and the next probes were made.

        Answers what is wrong, and its verdict.
        """
        told, read_at = answers(page), time.time()
        self.recorder.until(moment(told) + AROUND)
        wrong = wrong_answers(told, replace(truth(), read_at=read_at))
        if truth().down:
            self.recorder.until(moment(told) + longest_probe(told) + PROBE)
            wrong += probes_that_came_otherwise(told, truth())
        return wrong, told["verdict"]["text"]

    def shoot(self, page: Any, name: str) -> None:
        if self.shots is not None:
            self.shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def check(self, path: str, name: str, scheme: str, width: int) -> None:
        """Let axe look at a page. It needs a page without our policy, which forbids it to run."""
        if self.axe is None:
            return
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        page.goto(self.server.url + path)
        page.evaluate(self.axe)
        for each in page.evaluate(f"axe.run(document, {RULES})")["violations"]:
            if each["impact"] in GRAVE:
                node = each["nodes"][0]
                self.found.grave.append(f"{name} {scheme} {width}: {each['id']} in {node['html'][:120]}")
        if path != "/ui":
            self.shoot(page, f"page-{name}-{scheme}-{width}")
        context.close()

    def pages(self) -> None:
        """Every other page, in each view."""
        store = self.pool.store
        self.bury()
        self.name_receiver()
        dead = store.read(list_jobs, JobFilter(states=frozenset({State.DEAD})), 1)[0]
        paths = {
            "jobs": "/ui/jobs",
            "job": f"/ui/jobs/{public_id('job', dead.id)}",
            "batches": "/ui/batches",
            "batch": f"/ui/batches/{public_id('batch', store.read(list_batches, limit=1)[0].id)}",
            "dead": "/ui/dead-letters",
            "webhooks": "/ui/webhooks",
            "alerts": "/ui/alerts",
            "error": "/ui/nothing",
        }
        for name, path in paths.items():
            for scheme, width in VIEWS:
                self.check(path, name, scheme, width)
        self.check_plan()

    def bury(self) -> None:
        """Have some jobs die, so that the pages of dead letters have something to show."""
        for sim in self.pool.sims:
            sim.break_(InjectedFault(mode="too-long"))
        self.submit(priority=Priority.INTERACTIVE)
        where = JobFilter(states=frozenset({State.DEAD}))
        self.pool.until(lambda: bool(self.pool.store.read(list_jobs, where, 1)), CALM, "no job died")

    def name_receiver(self) -> None:
        """Have a receiver that nobody finds, with a delivery that is dead and one that waits."""
        backend = self.pool.holdfast.backend
        assert isinstance(backend, LocalBackend)
        hooks = Webhooks(backend.installation, None, "drill")
        hooks.make_secret(DEFAULT_TENANT)
        receiver = hooks.add(NOWHERE, (), DEFAULT_TENANT)["id"]
        hooks.test(receiver)
        self.pool.store.write(bury_old_deliveries, -1.0)
        hooks.test(receiver)

    def check_plan(self) -> None:
        """The plan of a replay, which is a form's answer."""
        for scheme, width in VIEWS:
            context = self.browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
            )
            page = context.new_page()
            page.goto(f"{self.server.url}/ui/dead-letters")
            page.get_by_role("button", name="Replay all").click()
            self.shoot(page, f"page-plan-{scheme}-{width}")
            if self.axe is not None:
                page.evaluate(self.axe)
                found = page.evaluate(f"axe.run(document, {RULES})")["violations"]
                self.found.grave += [
                    f"plan {scheme} {width}: {each['id']}" for each in found if each["impact"] in GRAVE
                ]
            context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--seconds", type=float, default=PHASE)
    given = parser.parse_args()
    if (why := missing()) is not None:
        print(f"not run: {why}", file=sys.stderr)
        return 0
    axe = given.axe.read_text(encoding="utf-8") if given.axe else None
    with opened() as (pool, server), chromium() as browser:
        drill = Drill(pool, server, browser, given.shots, axe, given.seconds)
        play(drill)
    for sentence in (*drill.found.wrong, *drill.found.grave):
        print(f"  {sentence}", file=sys.stderr)
    figures = [
        Figure("phases looked at", drill.found.asked, ("=", 6)),
        Figure("wrong answers", len(drill.found.wrong), ("=", 0)),
        *([Figure("serious findings of axe", len(drill.found.grave), ("=", 0))] if axe else []),
    ]
    return show("dashboard drill", figures)


@contextmanager
def opened() -> Iterator[tuple[Rig, ApiServer]]:
    """A pool on two providers, with one worker and a server."""
    os.environ.setdefault("HOLDFAST_BENCH_KEY", "sk-bench")
    sims = [SimSettings(latency=(0.1, 0.3))] * 2
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        directory = Path(name)
        with local_pool(Rig, directory, sims, lambda urls: priced(configuration(directory, urls, **VALUES))) as pool:
            pool.start(1)
            with served(pool) as server:
                yield pool, server


def priced(text: str) -> str:
    for name in ("first", "second"):
        text = text.replace(f'model = "{name}-model" }}', PRICED.format(name))
    return text + ALERTS


class Scenario:
    """What is done to providers and workers, and what is true because of it."""

    def __init__(self, drill: Drill) -> None:
        self._drill, self._pool = drill, drill.pool
        self.broken_at: float | None = None

    def break_(self, place: int) -> None:
        self._pool.sims[place].break_(InjectedFault(mode="e529"))
        self.broken_at = self.broken_at or time.time()

    def heal(self) -> None:
        for sim in self._pool.sims:
            sim.heal()

    def stop_workers(self) -> None:
        self._pool.stop_workers()
        self._pool.workers.clear()

    def is_draining(self) -> bool:
        """Whether a probe was answered: until then, whoever heals, all that can be told is when it is asked again."""
        *_, then, now = [each.backlog for each in self._drill.recorder.moments()]
        return now < then - RATE

    def is_calm(self) -> bool:
        moments = self._drill.recorder.moments()
        return bool(moments) and moments[-1].backlog < RATE * 2

    def truth(self, *states: str, **expected: Any) -> Truth:
        """Gather it. ``states``: the verdicts that are right; ``expected``: what the drill itself did."""
        moments = self._drill.recorder.moments()
        return Truth(moments, frozenset(states), broken_at=self.broken_at, **expected)


def feed(drill: Drill, stop: threading.Event) -> None:
    """Submit at one rate until it is told to stop."""
    due = time.monotonic()
    while not stop.wait(max(0.0, due - time.monotonic())):
        drill.submit()
        due += 1.0


def play(drill: Drill) -> None:
    """Calm, one provider down, both down, healing, nobody works, calm again."""
    now, stop = Scenario(drill), threading.Event()
    feeding = threading.Thread(target=feed, args=(drill, stop), daemon=True)
    with drill.recorder.running():
        feeding.start()
        try:
            drill.phase("1-calm", drill.seconds, lambda: now.truth("healthy"))
            now.break_(0)
            drill.phase("2-first-down", drill.seconds, lambda: now.truth("provider", down=frozenset({"first"})))
            now.break_(1)
            drill.submit(expires_in=DEADLINE)
            all_down = {"down": frozenset(PROVIDERS), "at_risk": AT_RISK, "stuck": True}
            drill.phase("3-both-down", drill.seconds, lambda: now.truth("provider", **all_down))
            now.heal()
            drill.pool.until(now.is_draining, CALM, "no provider answered")
            drill.phase("4-healing", SOON, lambda: now.truth(recovering=True))
            drill.pool.until(now.is_calm, CALM, "the backlog did not drain")
            now.stop_workers()
            drill.phase("5-no-worker", drill.seconds, lambda: now.truth("us", stuck=True))
            drill.pool.start(1)
            drill.pool.until(now.is_calm, CALM, "the backlog did not drain")
            drill.phase("6-calm-again", drill.seconds, lambda: now.truth("healthy", "recovering"))
        finally:
            stop.set()
            feeding.join()
    drill.pages()


if __name__ == "__main__":
    sys.exit(main())
