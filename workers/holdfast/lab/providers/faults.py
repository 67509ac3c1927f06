"""Which calls a fault on command hits, and the error answers it gives to them."""

import math
import random
from dataclasses import dataclass

from holdfast.lab.providers.prompt import ErrorAnswer
from holdfast.lab.providers.settings import REFUSING, InjectedFault, Script, ScriptPart
from holdfast.lab.providers.wire_format import WireFormat

MESSAGES = {
    400: "The request is invalid.",
    401: "The API key is not valid.",
    402: "Your account cannot be billed.",
    403: "This key may not use this model.",
    404: "There is no such model.",
    408: "The request took too long.",
    409: "The request conflicts with another one.",
    413: "The request is too large.",
    422: "The request cannot be processed.",
    429: "Too many requests.",
    500: "Internal server error.",
    502: "Bad gateway.",
    503: "Service unavailable.",
    504: "Gateway timeout.",
    529: "Overloaded",
}


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """One fault and the time in which it holds, on the clock of its owner."""

    fault: InjectedFault
    begins: float
    ends: float

    def hits(self, path: str, model: str, now: float) -> bool:
        fault = self.fault
        return (
            self.begins <= now < self.ends
            and (fault.path is None or path.startswith(fault.path))
            and (fault.model is None or model == fault.model)
        )


@dataclass(frozen=True, slots=True)
class FaultDecision:
    """What hits one call: a fault or none, and seconds to draw the answer's latency from; None: as the settings say."""

    fault: InjectedFault | None = None
    latency: tuple[float, float] | None = None


NO_FAULT = FaultDecision()


class FaultSchedule:
    """The faults that hold now or will soon. The first that matches a call decides whether it is hit."""

    def __init__(self, seed: int) -> None:
        self._spells: list[ActiveFault] = []
        self._script: Script | None = None
        self._began = 0.0
        self._chance = random.Random(seed)  # noqa: S311  a seeded draw, so that a run can be repeated

    def add(self, fault: InjectedFault, now: float) -> None:
        begins = now + fault.after
        ends = math.inf if fault.seconds is None else begins + fault.seconds
        self._spells.append(ActiveFault(fault, begins, ends))

    def play(self, script: Script, now: float) -> None:
        self._script, self._began = script, now

    def heal(self) -> None:
        self._spells.clear()
        self._script = None

    def decide(self, path: str, model: str, now: float) -> FaultDecision:
        """What becomes of this call."""
        if self._script is not None:
            return self._of(self._script.part(now - self._began, self._chance.random()))
        if not self._spells:
            return NO_FAULT
        self._spells = [spell for spell in self._spells if now < spell.ends]
        for spell in self._spells:
            if spell.hits(path, model, now):
                return FaultDecision(spell.fault) if self._chance.random() < spell.fault.fraction else NO_FAULT
        return NO_FAULT

    def _of(self, part: ScriptPart | None) -> FaultDecision:
        if part is None:
            return NO_FAULT
        if part.mode is None:
            return FaultDecision(latency=part.takes)
        delay = None if part.takes is None else self._chance.uniform(*part.takes)
        fault = InjectedFault(mode=part.mode, delay=delay)
        return FaultDecision(fault) if is_refusing(fault) else FaultDecision(fault, latency=part.takes)


def is_refusing(fault: InjectedFault) -> bool:
    """True where the fault comes instead of service: no limit is charged and no model runs."""
    return fault.mode in REFUSING or _status(fault.mode) is not None


def refusal(fault: InjectedFault, wire_format: WireFormat, retry_after: float | None) -> ErrorAnswer | None:
    """The error answer that a fault gives in a wire format; None where it gives no answer in the provider's own shape.

    ``retry_after`` is what the provider usually says with a 429, in seconds.
    """
    status = _status(fault.mode)
    if status is not None:
        usual = retry_after if status == 429 and not fault.mode.endswith("-silent") else None  # noqa: PLR2004  HTTP's own
        wait = fault.retry_after if fault.retry_after is not None else usual
        overloaded = wire_format.OVERLOADED if status == wire_format.OVERLOADED.status else None
        code = overloaded.code if overloaded else None
        return ErrorAnswer(status, MESSAGES.get(status, "The request failed."), code, retry_after=wait)
    match fault.mode:
        case "spend":
            return wire_format.SPEND
        case "ramp":
            ramp = wire_format.RAMP
            wait = retry_after if fault.retry_after is None else fault.retry_after
            return ErrorAnswer(ramp.status, ramp.message, ramp.code, ramp.type, wait)
        case "too-long":
            return wire_format.TOO_LONG
    return None


def _status(mode: str) -> int | None:
    number = mode[1:4]
    return int(number) if mode[0] == "e" and number.isdigit() else None
