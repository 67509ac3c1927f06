"""Which calls a fault on command hits, and the error answers it gives to them."""

import math
import random
from dataclasses import dataclass

from holdfast.lab.sim.dialect import Dialect
from holdfast.lab.sim.prompt import Refusal
from holdfast.lab.sim.settings import REFUSING, Break, Script, ScriptPart

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
class Spell:
    """One fault and the time in which it holds, on the clock of its owner."""

    fault: Break
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
class Stroke:
    """What hits one call: a fault or none, and seconds to draw the answer's latency from; None: as the settings say."""

    fault: Break | None = None
    latency: tuple[float, float] | None = None


UNHARMED = Stroke()


class Faults:
    """The faults that hold now or will soon. The first that matches a call decides whether it is hit."""

    def __init__(self, seed: int) -> None:
        self._spells: list[Spell] = []
        self._script: Script | None = None
        self._began = 0.0
        self._chance = random.Random(seed)  # noqa: S311  a seeded draw, so that a run can be repeated

    def add(self, fault: Break, now: float) -> None:
        begins = now + fault.after
        ends = math.inf if fault.seconds is None else begins + fault.seconds
        self._spells.append(Spell(fault, begins, ends))

    def play(self, script: Script, now: float) -> None:
        self._script, self._began = script, now

    def heal(self) -> None:
        self._spells.clear()
        self._script = None

    def strike(self, path: str, model: str, now: float) -> Stroke:
        """What becomes of this call."""
        if self._script is not None:
            return self._of(self._script.part(now - self._began, self._chance.random()))
        if not self._spells:
            return UNHARMED
        self._spells = [spell for spell in self._spells if now < spell.ends]
        for spell in self._spells:
            if spell.hits(path, model, now):
                return Stroke(spell.fault) if self._chance.random() < spell.fault.fraction else UNHARMED
        return UNHARMED

    def _of(self, part: ScriptPart | None) -> Stroke:
        if part is None:
            return UNHARMED
        if part.mode is None:
            return Stroke(latency=part.takes)
        delay = None if part.takes is None else self._chance.uniform(*part.takes)
        fault = Break(mode=part.mode, delay=delay)
        return Stroke(fault) if is_refusing(fault) else Stroke(fault, latency=part.takes)


def is_refusing(fault: Break) -> bool:
    """True where the fault comes instead of service: no limit is charged and no model runs."""
    return fault.mode in REFUSING or _status(fault.mode) is not None


def refusal(fault: Break, dialect: Dialect, retry_after: float | None) -> Refusal | None:
    """The error answer that a fault gives in a dialect; None where it gives no answer in the provider's own shape.

    ``retry_after`` is what the provider usually says with a 429, in seconds.
    """
    status = _status(fault.mode)
    if status is not None:
        usual = retry_after if status == 429 and not fault.mode.endswith("-silent") else None  # noqa: PLR2004  HTTP's own
        wait = fault.retry_after if fault.retry_after is not None else usual
        overloaded = dialect.OVERLOADED if status == dialect.OVERLOADED.status else None
        code = overloaded.code if overloaded else None
        return Refusal(status, MESSAGES.get(status, "The request failed."), code, retry_after=wait)
    match fault.mode:
        case "spend":
            return dialect.SPEND
        case "ramp":
            ramp = dialect.RAMP
            wait = retry_after if fault.retry_after is None else fault.retry_after
            return Refusal(ramp.status, ramp.message, ramp.code, ramp.type, wait)
        case "too-long":
            return dialect.TOO_LONG
    return None


def _status(mode: str) -> int | None:
    number = mode[1:4]
    return int(number) if mode[0] == "e" and number.isdigit() else None
