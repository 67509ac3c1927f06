"""A breaker as the flat hash that Redis keeps, and back, without loss.

Fields, all text; "" where a field means nothing in this state:

    state      closed | open | half_open | forced_open | disabled
    epoch      grows with every change of state; the gate copies it into the permit
    until      seconds: open until then; half open: the end of the probe's lease
    cool_off   seconds, before jitter
    lent       seconds; half open: when the present probe got its permit
    ramp       calls that may be in flight while closed; "" is no cap
    since      seconds: when the outage began
    recovered  seconds: when the last outage ended
    failures   failures since the last success
    slow       slow calls that later successes did not make up for
    window     calls since the first failure that matters: time, then + or - or ?, separated by blanks
    trouble    of faults of late: seconds of the first and the last, how many, and successes of calls from before them
    logins     of an endpoint: credential, time, and how often it was refused in a row, with commas and blanks between
    logins_out 1 where the outage is one of an endpoint's logins
    failed     jobs whose calls failed, as many as it takes to open; quoted as in a URL, with blanks between
    suspects   jobs whose refusals are in doubt: id, time, with commas and blanks between
    probers    of an outage: jobs whose probes failed, oldest first, with blanks between
    wrong      of a burst of client errors: probes in a row that were called wrong; "" in another outage
    believed   seconds: until when client errors are each job's own, after a burst of them
    witnesses  who saw what went wrong: "*" for the provider's own word, else names of hosts, quoted as in a URL

The gate's script needs ``state``, ``epoch``, ``until``, ``ramp`` and ``probers``. To give out a probe it does what
``admit`` does, under the same conditions (now >= until): from open, ``state`` := half_open and ``epoch`` + 1; from half
open, only the lease; ``until`` := now + probe lease, ``lent`` := now. A missing hash is a closed breaker of epoch 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import assert_never
from urllib.parse import quote, unquote

from holdfast.policy.auth_outage import AuthRecord
from holdfast.policy.breaker_state import (
    Breaker,
    BreakerState,
    CallSample,
    Closed,
    Disabled,
    ForcedOpen,
    HalfOpen,
    Open,
)
from holdfast.policy.fault_streak import FaultStreak

FIELDS = (
    "state",
    "epoch",
    "until",
    "cool_off",
    "lent",
    "ramp",
    "since",
    "recovered",
    "failures",
    "slow",
    "window",
    "witnesses",
    "trouble",
    "logins",
    "logins_out",
    "failed",
    "suspects",
    "probers",
    "wrong",
    "believed",
)

OWN_WORD = "*"


def dump(breaker: Breaker) -> dict[str, str]:
    """Write every field, so that writing the hash over an older one leaves nothing of it."""
    written = dict.fromkeys(FIELDS, "")
    written |= {"epoch": str(breaker.epoch), "since": _text(breaker.since), "recovered": _text(breaker.recovered)}
    written["logins_out"] = "1" if breaker.auth_outage else ""
    return written | _dump_state(breaker.state)


def parse(fields: Mapping[str, str]) -> Breaker:
    """Read what ``dump`` or the gate wrote. Raises ValueError: a field holds what neither writes."""
    if not fields:
        return Breaker()
    return Breaker(
        state=_parse_state(fields),
        epoch=int(fields.get("epoch") or 0),
        since=_number(fields.get("since")),
        recovered=_number(fields.get("recovered")),
        auth_outage=fields.get("logins_out") == "1",
    )


def _dump_state(state: BreakerState) -> dict[str, str]:
    match state:
        case Closed(failures, slow, window, ramp, witnesses, logins, trouble, failed, suspects, believed):
            return {
                "state": "closed",
                "failures": str(failures),
                "slow": repr(slow),
                "window": " ".join(f"{call.at!r}{_sign(call)}" for call in window),
                "ramp": _text(ramp),
                "witnesses": _dump_names(sorted(witnesses)),
                "trouble": " ".join(map(repr, astuple(trouble))) if trouble else "",
                "logins": " ".join(f"{quote(each.credential)},{each.at!r},{each.refused}" for each in logins),
                "failed": _dump_names(sorted(failed)),
                "suspects": " ".join(f"{quote(job)},{at!r}" for job, at in suspects.items()),
                "believed": _text(believed),
            }
        case Open():
            return {"state": "open", **_dump_outage(state)}
        case HalfOpen():
            return {"state": "half_open", "lent": _text(state.granted_at), **_dump_outage(state)}
        case ForcedOpen():
            return {"state": "forced_open"}
        case Disabled():
            return {"state": "disabled"}
        case _:
            assert_never(state)


def _dump_outage(state: Open | HalfOpen) -> dict[str, str]:
    return {
        "until": _text(state.until),
        "cool_off": _text(state.cool_off),
        "probers": _dump_names(state.probers),
        "wrong": "" if state.wrong is None else str(state.wrong),
    }


def _dump_names(names: Iterable[str]) -> str:
    return " ".join(quote(name) or OWN_WORD for name in names)


def _parse_names(text: str | None) -> tuple[str, ...]:
    return tuple("" if name == OWN_WORD else unquote(name) for name in (text or "").split())


def _suspects(text: str | None) -> dict[str, float]:
    pairs = (each.split(",") for each in (text or "").split())
    return {unquote(job): float(at) for job, at in pairs}


def _sign(call: CallSample) -> str:
    return "?" if call.client_error else "+" if call.ok else "-"


def _call(text: str) -> CallSample:
    return CallSample(float(text[:-1]), ok=text[-1] != "-", client_error=text[-1] == "?")


def _login(text: str) -> AuthRecord:
    credential, at, refused = text.split(",")
    return AuthRecord(unquote(credential), float(at), int(refused))


def _streak(text: str | None) -> FaultStreak | None:
    if not text:
        return None
    began, last, faults, before = text.split()
    return FaultStreak(float(began), float(last), int(faults), int(before))


def _parse_state(fields: Mapping[str, str]) -> BreakerState:
    match fields.get("state") or "closed":
        case "closed":
            return Closed(
                failures=int(fields.get("failures") or 0),
                slow=float(fields.get("slow") or 0),
                window=tuple(_call(text) for text in (fields.get("window") or "").split()),
                ramp=_number(fields.get("ramp")),
                reporters=frozenset(_parse_names(fields.get("witnesses"))),
                streak=_streak(fields.get("trouble")),
                auth_history=tuple(_login(text) for text in (fields.get("logins") or "").split()),
                failed_jobs=frozenset(_parse_names(fields.get("failed"))),
                suspects=_suspects(fields.get("suspects")),
                believed_until=_number(fields.get("believed")),
            )
        case "open":
            return Open(float(fields["until"]), float(fields["cool_off"]), *_parse_probes(fields))
        case "half_open":
            outage = float(fields["until"]), float(fields["cool_off"]), float(fields.get("lent") or 0)
            return HalfOpen(*outage, *_parse_probes(fields))
        case "forced_open":
            return ForcedOpen()
        case "disabled":
            return Disabled()
        case other:
            raise ValueError(f"a breaker's state is closed, open, half_open, forced_open or disabled, not {other!r}")


def _parse_probes(fields: Mapping[str, str]) -> tuple[tuple[str, ...], int | None]:
    return _parse_names(fields.get("probers")), int(fields["wrong"]) if fields.get("wrong") else None


def _text(number: float | None) -> str:
    return "" if number is None else repr(number)


def _number(text: str | None) -> float | None:
    return float(text) if text else None
