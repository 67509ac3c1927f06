"""A scenario: how the first provider of a plan falls ill over time, under which load, and what must hold.

Written as TOML (ours, in ``scenarios/``) or as JSON with the longer names in which outages are published. What a mix
leaves open answers as it should, and so does everything after ``seconds``.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MODES: Mapping[str, str] = {
    "ok": "the right answer",
    "slow": "the right answer, late",
    "hang": "no answer, ever",
    "reset": "the connection is reset after the request was sent",
    "unreachable": "no connection",
    "bad": "200 with something that is no answer",
    "eNNN": "an error of that status, e400 to e599",
}
ANSWERS = frozenset({"ok", "slow"})
SLOWLY = (30.0, 60.0)  # seconds that ``slow`` takes where nothing is said
QUICKLY = (0.05, 0.5)  # seconds that a failure takes where nothing is said
SLOW_AFTER = 20.0  # seconds: what answers sooner is no slow call by any settings
LONGEST = 31 * 86_400.0  # seconds of virtual time
MOST_JOBS = 2_000_000  # that a scenario may bring
REMARKS = frozenset({"about", "comment", "note", "source"})  # that may stand beside every phase
_STATUS = re.compile(r"e[45]\d\d")
_WHOLE = 1e-9  # how far the shares of a mix may be from one


def _known(mode: str) -> str:
    if (mode in MODES and mode != "eNNN") or _STATUS.fullmatch(mode):
        return mode
    raise ValueError(f"expected one of {', '.join(MODES)}; got {mode!r}")


def _spread(seconds: tuple[float, float]) -> tuple[float, float]:
    if seconds[0] > seconds[1]:
        raise ValueError(f"expected the shorter time first; got {seconds[0]:g}, {seconds[1]:g}")
    return seconds


def _pair(raw: Any) -> Any:
    """One number is a time that does not vary."""
    return (raw, raw) if isinstance(raw, int | float) else raw


def _names(*names: str) -> AliasChoices:
    return AliasChoices(*names)


Seconds = Annotated[float, Field(ge=0, le=LONGEST)]
Spread = Annotated[tuple[Seconds, Seconds], BeforeValidator(_pair), AfterValidator(_spread)]


def _understood(raw: Any) -> Any:
    """Only single figures and pairs of them: what another policy reached is worth no error."""
    if not isinstance(raw, dict):
        return {}
    pairs = {name: _pair(value) for name, value in raw.items()}
    return {name: pair for name, pair in pairs.items() if isinstance(pair, list | tuple) and len(pair) == 2}  # noqa: PLR2004  a pair


class _Strict(BaseModel):
    """A part of a scenario in which nothing may stand that means nothing, but for remarks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_remarks(cls, raw: Any) -> Any:
        return {name: value for name, value in raw.items() if name not in REMARKS} if isinstance(raw, dict) else raw


class Part(_Strict):
    """A ``share`` of the calls ends in ``mode`` after ``takes`` seconds, drawn uniformly."""

    share: float = Field(ge=0, le=1, validation_alias=_names("share", "fraction"))
    mode: Annotated[str, AfterValidator(_known)]
    takes: Spread | None = Field(default=None, validation_alias=_names("takes", "latency_s"))

    def spread(self, healthy: tuple[float, float]) -> tuple[float, float]:
        """Least and most seconds that a call takes, where ``healthy`` ones take as long as that."""
        if self.takes is not None:
            return self.takes
        match self.mode:
            case "ok":
                return healthy
            case "slow":
                return SLOWLY
            case _:
                return QUICKLY

    @property
    def is_well(self) -> bool:
        return self.mode in ANSWERS and self.spread((0.0, 0.0))[1] < SLOW_AFTER


def is_well(mix: Sequence[Part]) -> bool:
    """Whether every call is answered, and none so late that it could be called slow."""
    return all(part.is_well for part in mix if part.share)


class Phase(_Strict):
    """From second ``at`` on. An empty mix is health."""

    at: Seconds = Field(validation_alias=_names("at", "t_s"))
    mix: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        whole = sum(part.share for part in self.mix)
        if whole > 1 + _WHOLE:
            raise ValueError(f"the shares of its mix add up to {whole:g}, which is more than 1")
        return self

    @property
    def is_well(self) -> bool:
        """See ``is_well``."""
        return is_well(self.mix)


class OddJobs(_Strict):
    """Jobs whose calls fail where those of others succeed: number ``first`` and every ``every``-th after it.

    ``where``: at ``both`` providers, so that the job is poison; or at the ``first`` or ``second`` alone, which is then
    ill for some jobs.
    """

    first: int = Field(default=0, ge=0)
    every: int | None = Field(default=None, ge=1)  # None: that one alone
    mode: Annotated[str, AfterValidator(_known)] = "e500"
    where: str = Field(default="both", pattern="^(both|first|second)$")

    def has(self, job: int) -> bool:
        """Whether the job of this number is one of them."""
        return job == self.first if self.every is None else job >= self.first and not (job - self.first) % self.every


class Load(_Strict):
    """What the pool has to do: jobs a second, calls in flight, and how the providers are when they are well."""

    jobs_per_second: float = Field(
        default=5.0, gt=0, le=1e5, validation_alias=_names("jobs_per_second", "arrivals_per_s")
    )
    slots: int = Field(default=64, ge=1, le=100_000)
    workers: int = Field(default=2, ge=1, le=1_000)
    takes: Spread = Field(default=(1.0, 4.0), validation_alias=_names("takes", "healthy_latency_s"))
    limit_per_second: float | None = Field(
        default=20.0, gt=0, le=1e6, validation_alias=_names("limit_per_second", "p1_limit_per_s")
    )
    limit_known: bool = True  # whether the configuration names the limit
    tokens_per_second: float | None = Field(default=None, gt=0, le=1e9)  # input tokens that the first provider lets in
    input_tokens: int = Field(default=800, ge=1, le=10_000_000)  # that a call really uses
    output_tokens: int = Field(default=400, ge=0, le=10_000_000)
    expires_in: float | None = Field(default=None, gt=0, le=LONGEST)
    breaking: int = Field(default=0, ge=0)  # so many of the first jobs have every call cut: their own doing
    odd: tuple[OddJobs, ...] = ()


class ChaosEvent(_Strict):
    """Something that happens to us at second ``at``: see ``upsets.py``."""

    at: Seconds
    what: str = Field(pattern="^(kill|kill_before_record|kill_after_record|pause|skew|lose_redis)$")
    worker: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=-LONGEST, le=LONGEST)


class Scenario(BaseModel):
    """``bars`` are the figures that must hold, by the names of ``bars.py``. ``reference``: what a simple one came to.

    What else stands in the file is not read: outages are published with more about them.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    name: str = Field(pattern=r"^[\w., -]+$", max_length=100)
    about: str = Field(default="", validation_alias=_names("about", "source"))
    seconds: float = Field(gt=0, le=LONGEST, validation_alias=_names("seconds", "duration_s"))
    single_route: bool = False
    phases: tuple[Phase, ...] = Field(min_length=1)
    second: tuple[Phase, ...] = ()  # the second provider's
    load: Load = Field(default_factory=Load, validation_alias=_names("load", "conditions"))
    upsets: tuple[ChaosEvent, ...] = ()
    bars: Mapping[str, float] = Field(default_factory=dict, validation_alias=_names("bars", "pass"))
    reference: Annotated[Mapping[str, Spread], BeforeValidator(_understood)] = Field(
        default_factory=dict, validation_alias=_names("reference", "reference_5_seeds")
    )

    @model_validator(mode="before")
    @classmethod
    def _said_or_meant(cls, raw: Any) -> Any:
        """Without a length, a scenario ends as long after its last phase as the longest of them was."""
        if not isinstance(raw, dict) or "seconds" in raw or "duration_s" in raw:
            return raw
        try:
            begins = [0.0, *(float(phase.get("at", phase.get("t_s"))) for phase in raw["phases"])]
        except (AttributeError, KeyError, TypeError, ValueError):
            begins = [0.0]  # what is wrong with the phases is said where they are read
        longest = max((later - sooner for sooner, later in pairwise(begins)), default=0.0)
        return raw | {"seconds": begins[-1] + max(longest, 60.0)}

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        for name, phases in (("phases", self.phases), ("second", self.second)):
            for place, (sooner, later) in enumerate(pairwise(phases), start=1):
                if later.at <= sooner.at:
                    raise ValueError(
                        f"{name}.{place} begins at {later.at:g} s, not after {name}.{place - 1} at {sooner.at:g} s"
                    )
        if self.seconds * self.load.jobs_per_second > MOST_JOBS:
            raise ValueError(f"it would bring more than {MOST_JOBS:,} jobs")
        return self
