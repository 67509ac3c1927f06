"""Where a client's jobs go: to the server of ``url``, or to the configured storage."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.client.backend import Backend
from holdfast.config.pool_socket import find_pool
from holdfast.model.environment import URL, read_variable
from holdfast.model.job import DEFAULT_TENANT

if TYPE_CHECKING:
    from holdfast.config import Settings


def open_backend(
    settings: "Settings | None",
    config: Path | str | None,
    url: str | None,
    key: str | None = None,
    *,
    tenant: str | None = DEFAULT_TENANT,
    actor: str = "client",
) -> Backend:
    """Choose by what the caller said; when nothing was said, by HOLDFAST_URL, then by the configuration found.

    A server is shown ``key``, else the one of HOLDFAST_API_KEY or of the file that HOLDFAST_API_KEY_FILE names.
    ``tenant`` and ``actor`` are those of a LocalBackend; a server knows them by the key.
    """
    if settings is None:
        url = named_server(config, url)
    if url is not None:
        from holdfast.client.http import HttpBackend  # noqa: PLC0415 - most programs never need an HTTP client
        from holdfast.client.key_file import find_key  # noqa: PLC0415 - who needs no server needs no key

        return HttpBackend.of_server(url, key or find_key())
    from holdfast.client.installation import Installation  # noqa: PLC0415 - who talks to a server needs no SQL
    from holdfast.client.local import LocalBackend  # noqa: PLC0415 - the same
    from holdfast.config import load  # noqa: PLC0415 - the same

    installation = Installation(settings or load(Path(config) if config else None))
    return LocalBackend(installation, tenant=tenant, actor=actor)


def open_for_operator(config: Path | None, url: str | None, *, asks_pool: bool = True) -> Backend:
    """Open what a command asks: the server that it names, the pool of this folder, or the configured storage."""
    socket = find_pool(config) if asks_pool and named_server(config, url) is None else None
    if socket is not None:
        from holdfast.client.http import HttpBackend  # noqa: PLC0415 - the same

        return HttpBackend.of_pool(socket)
    from holdfast.client.operator import operator_name  # noqa: PLC0415 - a server knows who asks

    return open_backend(None, config, url, tenant=None, actor=operator_name())


def asks_server(config: Path | None, url: str | None) -> bool:
    """Tell whether ``open_for_operator`` leaves the storage to a server, or to the pool of this folder."""
    return named_server(config, url) is not None or find_pool(config) is not None


def named_server(config: Path | str | None, url: str | None) -> str | None:
    """Return the server that was named: by the caller, or where that names no configuration either, by HOLDFAST_URL."""
    return url if url is not None or config is not None else read_variable(URL, os.environ)
