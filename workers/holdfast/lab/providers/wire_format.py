"""The wire formats a simulated provider speaks: modules of one shape, found by their path."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from holdfast.lab.providers import anthropic, chat, embeddings, responses
from holdfast.lab.providers.limiter import RateBucket
from holdfast.lab.providers.prompt import ErrorAnswer, Prompt, SimAnswer


class WireFormat(Protocol):
    """What each of the modules has. The constants are its usual refusals, in its own words."""

    PATH: str
    REQUEST_ID: str
    OVERLOADED: ErrorAnswer
    SPEND: ErrorAnswer
    RAMP: ErrorAnswer
    TOO_LONG: ErrorAnswer

    def read(self, body: Mapping[str, Any]) -> Prompt: ...
    def write(self, model: str, answer: SimAnswer, number: int) -> dict[str, Any]: ...
    def error(self, refusal: ErrorAnswer, request_id: str) -> dict[str, Any]: ...
    def limit_headers(self, buckets: Mapping[str, RateBucket], now: float) -> dict[str, str]: ...
    def costs(self, prompt: Prompt, answer: SimAnswer) -> dict[str, float]: ...
    def refuse_to_answer(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def without_content(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def failed(self, body: dict[str, Any]) -> dict[str, Any]: ...


WIRE_FORMATS: Mapping[str, WireFormat] = {
    module.PATH: cast("WireFormat", module) for module in (anthropic, chat, responses, embeddings)
}
