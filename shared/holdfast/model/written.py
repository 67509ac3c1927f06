"""A request as its producer wrote it: what is stored, and what a route of its own wire format gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.model.route import Api


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """One request of a provider's API. ``Request`` is a reading of it, made again whenever it is needed."""

    api: Api
    """Its wire format: anthropic, openai-chat or openai-responses. Set by the submit, by the line's url or shape."""
    path: str
    """Endpoint relative to the base of a route, as its SDK posts it: ``/v1/messages``, ``/chat/completions``, …"""
    body: bytes = field(repr=False)
    """The JSON object, byte for byte. Never shown in an error or a log; retention deletes it with its job."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that belong to it, names in lower case: only those of the endpoint's allow-list, none that logs in."""
