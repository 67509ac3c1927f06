"""The wire formats a simulated provider speaks: three modules of one shape, found by their path."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from holdfast.lab.sim import anthropic, chat, responses
from holdfast.lab.sim.limiter import Bucket
from holdfast.lab.sim.prompt import Prompt, Refusal, SimAnswer


class Dialect(Protocol):
    """What each of the modules has. The constants are its usual refusals, in its own words."""

    PATH: str
    REQUEST_ID: str
    OVERLOADED: Refusal
    SPEND: Refusal
    RAMP: Refusal
    TOO_LONG: Refusal

    def read(self, body: Mapping[str, Any]) -> Prompt: ...
    def write(self, model: str, answer: SimAnswer, number: int) -> dict[str, Any]: ...
    def error(self, refusal: Refusal, request_id: str) -> dict[str, Any]: ...
    def limit_headers(self, buckets: Mapping[str, Bucket]) -> dict[str, str]: ...
    def costs(self, prompt: Prompt, answer: SimAnswer) -> dict[str, float]: ...
    def refuse_to_answer(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def without_content(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def failed(self, body: dict[str, Any]) -> dict[str, Any]: ...


DIALECTS: Mapping[str, Dialect] = {module.PATH: cast("Dialect", module) for module in (anthropic, chat, responses)}
