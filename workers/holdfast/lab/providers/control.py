"""Speak to a simulated provider that runs elsewhere: break it, heal it, ask what it saw. Blocking; loopback only."""

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from holdfast.lab.providers.settings import InjectedFault, Script
from holdfast.model.errors import HoldfastError
from holdfast.model.sentences import end_sentence

PATIENCE = 30.0  # seconds


class SimUnreachable(HoldfastError):
    """No simulated provider answers at a URL."""

    code = "sim_unreachable"
    exit_status = 69

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url, self.why = url, why

    def __str__(self) -> str:
        why = end_sentence(self.why)
        return f"no simulated provider answers at {self.url}: {why}. Start one with `holdfast sim serve`."


def break_(url: str, fault: InjectedFault) -> None:
    """Begin a fault at the provider under ``url``."""
    _ask(url, "POST", "/sim/break", fault.model_dump(exclude_none=True))


def play(url: str, script: Script) -> None:
    """Let the provider fall ill and recover as ``script`` says, from now on."""
    _ask(url, "POST", "/sim/script", script.model_dump())


def heal(url: str) -> None:
    """End every fault."""
    _ask(url, "POST", "/sim/heal")


def reset(url: str) -> None:
    """Forget every call and fault, and refill the buckets."""
    _ask(url, "POST", "/sim/reset")


def change(url: str, settings: Mapping[str, Any]) -> None:
    """Change some of the settings while the provider runs."""
    _ask(url, "POST", "/sim/settings", settings)


def counts(url: str) -> dict[str, Any]:
    """What `holdfast.lab.providers.calls.count` says of everything seen since the last reset."""
    found: dict[str, Any] = _ask(url, "GET", "/sim/counts")
    return found


def timeline(url: str) -> dict[str, Any]:
    """Calls by status, every 100 ms."""
    found: dict[str, Any] = _ask(url, "GET", "/sim/timeline")
    return found


def calls(url: str) -> list[dict[str, Any]]:
    """The whole log, one record a call, in order of arrival."""
    found: list[dict[str, Any]] = _ask(url, "GET", "/sim/calls")
    return found


def page(url: str, after: int, at_most: int) -> list[dict[str, Any]]:
    """A page of the log, in order of arrival: what came after the first ``after`` calls."""
    found: list[dict[str, Any]] = _ask(url, "POST", "/sim/calls", {"after": after, "at_most": at_most})
    return found


def _ask(url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
    try:
        connection.request(method, path, orjson.dumps(body) if body is not None else None)
        response = connection.getresponse()
        said = orjson.loads(response.read())
    except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
        raise SimUnreachable(url, str(error) or type(error).__name__) from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise ValueError(said.get("error", said))
    return said
