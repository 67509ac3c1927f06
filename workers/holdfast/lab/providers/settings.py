"""What a simulated provider is told: how fast and how much it serves, and how it is to fail."""

import re
from bisect import bisect_right
from typing import Annotated

from pydantic import AfterValidator, Field

from holdfast.model.request import Value

# What a fault does instead of serving. `e503` and every other e4xx/e5xx mean an error of that status.
REFUSING = {
    "spend": "429 with the provider's own money code, no Retry-After",
    "ramp": "429 with ramp_limit_exceeded or slow_down",
    "too-long": "400 for a prompt that is longer than the context",
    "key-invalid": "400 in Gemini's shape: API_KEY_INVALID",
    "exhausted": "429 in Gemini's shape, the wait in the body",
    "html403": "403 as a page of HTML, from a CDN",
    "html502": "502 as a page of HTML, from a proxy",
    "reset": "the connection is reset before the model runs",
    "close": "the connection is closed without an answer",
    "hang": "no answer, ever",
    "redirect": "307 to a host that does not exist",
}

# What a fault does to an answer after the model ran (and was paid).
SPOILING = {
    "slow": "the right answer, `delay` seconds late (30 unless said)",
    "reset-after": "the connection is reset after the model ran",
    "headers": "headers, then silence",
    "trickle": "one byte every `delay` seconds (0.5 unless said)",
    "truncated": "half of the announced body, then the end of the connection",
    "html": "200 with a page of HTML",
    "bad-json": "200 with JSON that does not parse",
    "wrong-json": "200 with JSON of another shape",
    "empty": "200 with no body",
    "no-content": "200 in the right shape, without content",
    "no-usage": "200 in the right shape, without usage",
    "error-in-200": "200 whose body is an overload error (Responses: status failed)",
    "bad-output": "200 whose text breaks every JSON schema",
    "refusal": "200 in which the model declines",
    "gzip-bomb": "a quarter of a gigabyte in a quarter of a megabyte of gzip",
    "huge": "a body of one gigabyte",
}

_STATUS = re.compile(r"e[45]\d\d(-silent)?")


def _known(mode: str) -> str:
    if mode in REFUSING or mode in SPOILING or _STATUS.fullmatch(mode):
        return mode
    known = ", ".join(["eNNN (an error status)", "eNNN-silent (without Retry-After)", *REFUSING, *SPOILING])
    raise ValueError(f"expected one of {known}; got {mode!r}")


class InjectedFault(Value):
    """One fault on command.

    ``fraction`` of the matching calls fail, drawn from the seed; ``seconds`` None lasts until healed. ``after`` delays
    the start. ``path`` and ``model`` narrow what is hit. ``retry_after`` replaces the settings' own.
    """

    mode: Annotated[str, AfterValidator(_known)]
    fraction: float = Field(default=1.0, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0)
    after: float = Field(default=0.0, ge=0)
    delay: float | None = Field(default=None, ge=0)
    retry_after: float | None = Field(default=None, ge=0)
    path: str | None = None
    model: str | None = None


class ScriptPart(Value):
    """A ``share`` of the calls ends in ``mode`` after ``takes`` seconds, drawn uniformly.

    ``mode`` None: the right answer. ``takes`` None: as fast as the settings say, or at once where it fails.
    """

    share: float = Field(gt=0, le=1)
    mode: Annotated[str, AfterValidator(_known)] | None = None
    takes: tuple[float, float] | None = None


class ScriptPhase(Value):
    """From ``at`` on, in seconds from the script's beginning. What its parts leave open is answered as it should be."""

    at: float = Field(ge=0)
    parts: tuple[ScriptPart, ...] = ()


class Script(Value):
    """How a provider falls ill and recovers over time, in one message. Phases in the order of their times."""

    phases: tuple[ScriptPhase, ...]

    def part(self, seconds: float, draw: float) -> ScriptPart | None:
        """The part of the phase at ``seconds`` that a call with this draw from [0, 1) falls into; None: it is well."""
        place = bisect_right([phase.at for phase in self.phases], seconds) - 1
        below = 0.0
        for part in self.phases[place].parts if place >= 0 else ():
            below += part.share
            if draw < below:
                return part
        return None


class SimSettings(Value):
    """One simulated provider.

    ``rate`` requests a second are let in, after a ``burst``; None enforces nothing. Token limits are per minute, with
    a burst of ``token_burst`` seconds' worth. ``latency`` is drawn uniformly, in seconds. ``keys`` None accepts any
    key; ``models`` None knows every model.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    rate: float | None = Field(default=None, gt=0)
    burst: float = Field(default=50, ge=1)
    input_tokens_per_minute: float | None = Field(default=None, gt=0)
    output_tokens_per_minute: float | None = Field(default=None, gt=0)
    token_burst: float = Field(default=1.0, gt=0)
    latency: tuple[float, float] = (0.2, 0.2)
    retry_after: float | None = Field(default=1.0, ge=0)
    headers: bool = True
    keys: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    seed: int = 1
