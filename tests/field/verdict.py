"""Holds what became of a case against what is right, and says in words what is not."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from field.case import REFUSED_AT_THE_DOOR, Case, Right
from field.slice_run import SliceOutcome, provider


def wrongs(case: Case, outcome: SliceOutcome) -> list[str]:
    """List what is wrong with a case, one sentence each; empty where all is right."""
    return [*_jobs(case, outcome), *_first_provider(case, outcome)]


def _jobs(case: Case, outcome: SliceOutcome) -> Iterator[str]:
    for name in case.lines:
        right, custom_id = case.right.get(name, case.others), f"{case.name}/{name}"
        job = outcome.jobs.get(custom_id)
        if right.state == REFUSED_AT_THE_DOOR:
            found = _refused(right, job, outcome.lines.get(custom_id))
        elif job is None:
            found = [f"was not accepted: {outcome.lines.get(custom_id)}"]
        else:
            found = [*_job(case, right, job, outcome.bodies.get(custom_id, b"")), *_in_time(case, name, job)]
        yield from (f"{name} {wrong}" for wrong in found)


def _refused(right: Right, job: Any, line: Mapping[str, Any] | None) -> Iterator[str]:
    if job is not None:
        yield f"was accepted, and is {job['state']}"
    yield from _missing("its line", right.says, json.dumps(line, ensure_ascii=False))


def _job(case: Case, right: Right, job: Mapping[str, Any], body: bytes) -> Iterator[str]:
    attempts = job["attempts"]
    if job["state"] != right.state:
        yield f"is {job['state']} (waits for {job['why_waiting']}) after {_story(attempts)}, not {right.state}"
        return
    if right.route is not None and job["route"] != f"{provider(case, right.route)}/m-{right.route}":
        yield f"ended on {job['route']}, not route {right.route}"
    if right.waits is not None and not right.waits[0] <= _wait(job) <= right.waits[1]:
        yield f"waits for {_wait(job):.0f} s, not {right.waits[0]:.0f} to {right.waits[1]:.0f}"
    yield from _calls(right, attempts)
    yield from _reply(right, job["reply"] or {})
    yield from _error(right, job["error"] or {})
    yield from _missing("its mapping report", right.told, json.dumps(job["mapping"]))
    yield from (f"does not keep {part!r} of the answer" for part in right.response if part not in body)


def _calls(right: Right, attempts: Any) -> Iterator[str]:
    calls = len([attempt for attempt in attempts if attempt["outcome"] not in {None, "abandoned"}])
    if calls > right.calls_at_most or right.calls not in {None, calls}:
        yield f"took {calls} calls, not {right.calls or right.calls_at_most}: {_story(attempts)}"
    if right.first_fault is not None and attempts[0]["fault"] != right.first_fault:
        yield f"had {attempts[0]['fault']} at first, not {right.first_fault}"


def _reply(right: Right, reply: Mapping[str, Any]) -> Iterator[str]:
    for what in ("text", "reasoning", "finish"):
        want = getattr(right, what)
        if want is not None and reply.get(what) != want:
            yield f"has the {what} {reply.get(what)!r}, not {want!r}"
    if right.arguments is not None and [each["input"] for each in reply.get("tool_calls", ())] != [right.arguments]:
        yield f"calls {reply.get('tool_calls')}, not with {right.arguments}"


def _error(right: Right, error: Mapping[str, Any]) -> Iterator[str]:
    if right.fault is not None and error.get("kind") != right.fault:
        yield f"died of {error.get('kind')}, not {right.fault}"
    yield from _missing("its error", right.says, str(error.get("message")))


def _in_time(case: Case, name: str, job: Mapping[str, Any]) -> Iterator[str]:
    if case.seconds is not None and name not in case.right and job["finished_at"]:
        took = _seconds(job["finished_at"]) - _seconds(job["created_at"])
        if took > case.seconds:
            yield f"was done only after {took:.0f} s"


def _first_provider(case: Case, outcome: SliceOutcome) -> Iterator[str]:
    seen, name = outcome.seen.get(provider(case, 1), ()), provider(case, 1)
    if case.calls_to_first is not None and len(seen) > case.calls_to_first:
        yield f"the first route got {len(seen)} calls, more than {case.calls_to_first}"
    states = {s: state for s, state in outcome.breakers.items() if s.startswith(f"credential:{name}/")}
    if case.parked is not None and case.parked != any(state in {"open", "half_open"} for state in states.values()):
        yield f"the breakers of its keys are {states}"
    wire = b"\n".join(
        request.path.encode() + b"\n" + b"\n".join(f"{k}: {v}".encode() for k, v in request.headers.items())
        + b"\n" + request.body
        for request in seen
    )  # fmt: skip
    yield from (f"the provider never got {part!r}: {wire[-600:]!r}" for part in case.sent if part not in wire)
    yield from (f"the provider got {part!r}" for part in case.not_sent if part in wire)
    places = [wire.find(part) for part in case.in_order]
    if -1 in places or places != sorted(places):
        yield f"the provider got {case.in_order} at {places}: {wire[-600:]!r}"


def _missing(where: str, parts: Any, text: str) -> Iterator[str]:
    yield from (f"{where} does not say {part!r}: {text}" for part in parts if part.lower() not in text.lower())


def _story(attempts: Any) -> str:
    return ", ".join(f"{each['outcome']} {each['fault'] or ''} {each['status_code'] or ''}" for each in attempts)


def _wait(job: Mapping[str, Any]) -> float:
    return _seconds(job["available_at"]) - _seconds(job["attempts"][-1]["ended_at"])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
