"""The checks that log in: a cheap call for each key, and a call of a few tokens to each model."""

import asyncio
from collections.abc import Mapping
from typing import Literal

import aiohttp
from yarl import URL

from holdfast.config import ProviderSettings
from holdfast.model.errors import HoldfastError
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.providers.connect import connect
from holdfast.providers.proxies import ProxyOf
from holdfast.wire.faults import read_fault
from holdfast.wire.redactor import Redactor

LONGEST = 8.0  # seconds of a call, its SDK's import aside
TOKENS = 16  # the least that every format takes as a maximum
BODY = 64_000  # bytes of a refusal that are read
NO_LIST = {404, 405, 501}  # a server without a list of models says nothing of its keys

QUESTION = Request(turns=(Turn(role=Role.USER, parts=(Text(text="Say: ok"),)),), max_tokens=TOKENS)


def list_url(provider: ProviderSettings) -> URL | None:
    """Return the address of a provider's list of models; None: its API has none that a plain key opens."""
    if provider.api is not provider.api.wire:
        return None
    return URL(provider.base_url) / ("v1/models" if provider.api is Api.ANTHROPIC else "models")


async def try_key(
    session: aiohttp.ClientSession, provider: ProviderSettings, url: URL, secret: str, proxy_of: ProxyOf
) -> Fault | Literal["accepted", "no list"]:
    """Ask for the list of models, which costs nothing. A server may have no such list."""
    try:
        async with session.get(
            url,
            headers=_login(provider.api, secret),
            proxy=proxy_of(url),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=LONGEST),
        ) as answer:
            body = await answer.content.read(BODY)
            headers = {name.lower(): value for name, value in answer.headers.items()}
    except TimeoutError:
        return Fault(FaultKind.TIMED_OUT, f"no answer within {LONGEST:g} s")
    except aiohttp.ClientError as error:
        return Fault(FaultKind.UNREACHABLE, type(error).__name__)
    except ValueError:
        return Fault(FaultKind.INTERNAL, "the key has characters that no header can hold")
    if answer.status < 300 or answer.status in NO_LIST:  # noqa: PLR2004  HTTP's own number
        return "no list" if answer.status in NO_LIST else "accepted"
    return _hide(secret, read_fault(provider.api.wire, answer.status, headers, body))


async def try_model(provider: ProviderSettings, model: str, secret: str) -> Fault | None:
    """Make a call of a few tokens, as a job's would be made. None: it was answered."""
    try:
        opened = await asyncio.to_thread(
            connect, provider.api, provider.base_url, secret, concurrency=1, site=provider.site
        )
    except HoldfastError as error:  # a library that is not installed, or settings that its SDK refuses
        return _hide(secret, Fault(FaultKind.INTERNAL, str(error)))
    try:
        result = await opened.complete(model, QUESTION, deadline=LONGEST, tag="")
    finally:
        await opened.close()
    return _hide(secret, result.outcome) if isinstance(result.outcome, Fault) else None


def _hide(secret: str, fault: Fault) -> Fault:
    redactor = Redactor()
    redactor.learn("", secret)
    return Fault(fault.kind, redactor.text(fault.message), fault.status, fault.code and redactor.text(fault.code))


def _login(api: Api, secret: str) -> Mapping[str, str]:
    if not secret:
        return {}
    if api is Api.ANTHROPIC:
        return {"x-api-key": secret, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {secret}"}
