"""The provider of every credential in the settings, and the loop that keeps them all fresh."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache

from holdfast.config import CredentialSettings, SecretUnavailable, Settings, read_secret
from holdfast.credentials.errors import NoToken
from holdfast.credentials.issuer import TokenSource
from holdfast.credentials.key_provider import CredentialProvider, KeyProvider
from holdfast.credentials.source import KeySource
from holdfast.credentials.token_cache import NoTokenCache, RedisTokenCache, TokenCache
from holdfast.credentials.token_cipher import TokenCipher
from holdfast.credentials.token_provider import TokenProvider
from holdfast.lanes import Connection
from holdfast.model.environment import TOKEN_KEY
from holdfast.model.errors import HoldfastError
from holdfast.telemetry.event_logger import event_logger

log = event_logger(__name__)
COMMAND = "command:"  # how a reference begins that may take seconds to read
REVIVE = 1.0  # seconds until a provider that broke is tried again

Name = tuple[str, str]  # provider and credential


async def _nobody(provider: str, credential: str) -> None:
    pass


class Credentials:
    """``connection`` None: this process shares its tokens with nobody. ``changed`` hears of every new key or token."""

    def __init__(self, settings: Settings, connection: Connection | None = None) -> None:
        self._settings, self._connection = settings, connection
        self._providers: dict[Name, CredentialProvider] = {}
        self.changed: Callable[[str, str], Awaitable[None]] = _nobody
        self._unread, self._all_read = set(self.names), asyncio.Event()

    @property
    def names(self) -> list[str]:
        """Every credential of the settings, as ``provider/credential``."""
        return [f"{name}/{each.name}" for name, found in self._settings.providers.items() for each in found.credentials]

    async def secret(self, provider: str, credential: str) -> str:
        """Return what to log in with now; "" where no key is wanted. Raises NoToken."""
        return await self._provider(provider, credential).secret()

    async def refused(self, provider: str, credential: str, secret: str) -> bool:
        """Hear that the provider refused ``secret``; True when there is another one now."""
        return await self._provider(provider, credential).refused(secret)

    def may_have(self, provider: str, credential: str) -> bool:
        """Whether it makes sense to plan with a credential: its secret can be read, now or before.

        A token issuer that is away comes back; a key that was never there may be another machine's. No command is run
        for it, which may take seconds: what ``run`` had of it last counts. Raises HoldfastError that says why not.
        """
        configured, found = self._configured(provider, credential), self._provider(provider, credential)
        if isinstance(found, KeyProvider) and not found.has_key:
            if configured.secret.startswith(COMMAND):
                raise found.failure or SecretUnavailable(configured.secret, "the command has not answered yet")
            read_secret(configured.secret)
        return True

    async def read(self, at_most: float) -> None:
        """Wait until ``run`` has asked for every secret once, side by side, or ``at_most`` seconds have passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._all_read.wait()

    async def run(self) -> None:
        """Keep every credential fresh, until cancelled."""
        names = [(name, each.name) for name, p in self._settings.providers.items() for each in p.credentials]
        await asyncio.gather(*(self._keep(provider, credential) for provider, credential in names))

    async def _keep(self, provider: str, credential: str) -> None:
        found = self._provider(provider, credential)
        while True:
            try:
                wait = await found.tick()
            except Exception:
                log.exception("keeper_broke", credential=f"{provider}/{credential}", effect="it is tried again")
                wait = REVIVE
            self._unread.discard(f"{provider}/{credential}")
            if not self._unread:
                self._all_read.set()
            await asyncio.sleep(wait)

    def _provider(self, provider: str, credential: str) -> CredentialProvider:
        found = self._providers.get((provider, credential))
        if found is None:
            found = self._providers[provider, credential] = self._make(provider, self._configured(provider, credential))
        return found

    def _configured(self, provider: str, credential: str) -> CredentialSettings:
        configured = self._settings.providers[provider].credential(credential)
        if configured is None:
            raise NoToken(f"{provider}/{credential}", "the settings do not have it")
        return configured

    def _make(self, provider: str, configured: CredentialSettings) -> CredentialProvider:
        name, source = f"{provider}/{configured.name}", KeySource(configured.secret)

        async def changed(_: str) -> None:
            await self.changed(provider, configured.name)

        if configured.issuer is None:
            return KeyProvider(name, source, changed)
        return TokenProvider(name, TokenSource(configured.issuer, source).fetch, self._cache(name, configured), changed)

    def _cache(self, name: str, configured: CredentialSettings) -> TokenCache:
        if self._connection is None:
            return NoTokenCache()
        return RedisTokenCache(self._connection, name, cipher_of(configured, f"{name} {configured.issuer}"))


def cipher_of(configured: CredentialSettings, purpose: str) -> Callable[[], TokenCipher | None]:
    """How to get the cipher of a credential's tokens; None where there is no key to cipher them with."""
    made = cache(lambda passphrase: TokenCipher(passphrase, purpose))

    def cipher() -> TokenCipher | None:
        passphrase = os.environ.get(TOKEN_KEY) or _read(configured.secret)
        return made(passphrase) if passphrase else None

    return cipher


def _read(reference: str) -> str:
    """Read our own secret at the issuer; a command is not run for it, so such tokens want HOLDFAST_TOKEN_KEY."""
    if reference.startswith(COMMAND):
        return ""
    try:
        return read_secret(reference)
    except HoldfastError:
        return ""
