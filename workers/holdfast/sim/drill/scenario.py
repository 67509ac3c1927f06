"""A scenario: how the first provider of a plan falls ill over time, under which load, and what must hold.

Written as TOML (ours, in ``scenarios/``) or as JSON with the longer names in which outages are published. What a mix
leaves open answers as it should.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

MODES: Mapping[str, str] = {
    "ok": "the right answer",
    "slow": "the right answer, late",
    "hang": "no answer, ever",
    "reset": "the connection is reset after the request was sent",
    "unreachable": "no connection",
    "bad": "200 with something that is no answer",
    "eNNN": "an error of that status",
}
_STATUS = re.compile(r"e[45]\d\d")
_WHOLE = 1e-9  # how far the shares of a mix may be from one


def _known(mode: str) -> str:
    if (mode in MODES and mode != "eNNN") or _STATUS.fullmatch(mode):
        return mode
    raise ValueError(f"expected one of {', '.join(MODES)}; got {mode!r}")


def _names(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Part(BaseModel):
    """A ``share`` of the calls ends in ``mode`` after ``takes`` seconds, drawn uniformly."""

    model_config = ConfigDict(frozen=True)
    share: float = Field(gt=0, le=1, validation_alias=_names("share", "fraction"))
    mode: Annotated[str, AfterValidator(_known)]
    takes: tuple[float, float] | None = Field(default=None, validation_alias=_names("takes", "latency_s"))


class Phase(BaseModel):
    """From second ``at`` on. An empty mix is health."""

    model_config = ConfigDict(frozen=True)
    at: float = Field(ge=0, validation_alias=_names("at", "t_s"))
    mix: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(part.share for part in self.mix) > 1 + _WHOLE:
            raise ValueError("the shares of a mix add up to more than 1")
        return self

    @property
    def is_well(self) -> bool:
        return all(part.mode == "ok" and part.takes is None for part in self.mix)


class Load(BaseModel):
    """What the pool has to do: jobs a second, calls in flight, and how the providers are when they are well."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    jobs_per_second: float = Field(default=5.0, gt=0, validation_alias=_names("jobs_per_second", "arrivals_per_s"))
    slots: int = Field(default=64, ge=1)
    workers: int = Field(default=2, ge=1)
    takes: tuple[float, float] = Field(default=(1.0, 4.0), validation_alias=_names("takes", "healthy_latency_s"))
    limit_per_second: float | None = Field(
        default=20.0, gt=0, validation_alias=_names("limit_per_second", "p1_limit_per_s")
    )
    limit_known: bool = True  # whether the configuration names the limit
    tokens_per_second: float | None = Field(default=None, gt=0)  # input tokens that the first provider lets in
    expires_in: float | None = Field(default=None, gt=0)


class Upset(BaseModel):
    """Something that happens to us at second ``at``: see ``pool.py``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: float = Field(ge=0)
    what: str = Field(pattern="^(kill|kill_before_record|kill_after_record|pause|skew|lose_redis)$")
    worker: int = 0
    seconds: float = 0.0


class Scenario(BaseModel):
    """``bars`` are the figures that must hold, by the names of ``bars.py``."""

    model_config = ConfigDict(frozen=True)
    name: str = Field(pattern=r"^[\w.-]+$")
    about: str = Field(default="", validation_alias=_names("about", "source"))
    seconds: float = Field(gt=0, validation_alias=_names("seconds", "duration_s"))
    single_route: bool = False
    phases: tuple[Phase, ...] = ()
    second: tuple[Phase, ...] = ()  # the second provider's
    load: Load = Field(default_factory=Load)
    upsets: tuple[Upset, ...] = ()
    bars: Mapping[str, float | bool] = Field(default_factory=dict, validation_alias=_names("bars", "pass"))

    @model_validator(mode="before")
    @classmethod
    def _without_wishes(cls, raw: Any) -> Any:
        """What other policies reached is not ours to read."""
        if isinstance(raw, dict):
            return {name: value for name, value in raw.items() if name not in {"naive", "reference_5_seeds"}}
        return raw
