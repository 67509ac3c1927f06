"""Where a client's jobs go: to the server of ``url``, or to the configured storage."""

import os
from pathlib import Path

from holdfast.client.backend import Backend
from holdfast.config import Settings
from holdfast.model.environment import URL
from holdfast.model.job import DEFAULT_TENANT


def open_backend(
    settings: Settings | None,
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
    if url is None and settings is None and config is None:
        url = os.environ.get(URL) or None
    if url is not None:
        from holdfast.client.http import HttpBackend  # noqa: PLC0415 - most programs never need an HTTP client
        from holdfast.client.key_file import find_key  # noqa: PLC0415 - who needs no server needs no key

        return HttpBackend(url, key or find_key())
    from holdfast.client.installation import Installation  # noqa: PLC0415 - who talks to a server needs no SQL
    from holdfast.client.local import LocalBackend  # noqa: PLC0415 - the same
    from holdfast.config import load  # noqa: PLC0415 - the same

    installation = Installation(settings or load(Path(config) if config else None))
    return LocalBackend(installation, tenant=tenant, actor=actor)
