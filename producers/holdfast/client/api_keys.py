"""API keys of an installation. They are no part of the port: whoever can open its database may make them."""

from collections.abc import Callable

from holdfast.client.backend import View
from holdfast.client.installation import Installation
from holdfast.client.views import key_view
from holdfast.model.access import KeyScope, matches, read_key
from holdfast.store.api_keys import create_key, make_key, read_keys, revoke_key


class ApiKeys:
    """Lists, makes and ends keys. ``actor`` stands in the audit log beside every act."""

    def __init__(self, installation: Installation, actor: str) -> None:
        self._store, self._actor = installation.ready(), actor

    def list(self, *, every: bool = False) -> View:
        """List keys, newest first; with ``every`` revoked and expired ones too."""
        keys, now = self._store.read(read_keys)
        return {"keys": [key_view(key, now) for key in keys if every or key.usable(now)]}

    def usable(self, text: str) -> View | None:
        """Find the key that ``text`` is, or None where it is none that is good now."""
        name, secret = read_key(text) or ("", "")
        keys, now = self._store.read(read_keys)
        usable = (key for key in keys if key.id == name and matches(key, secret) and key.usable(now))
        return next((key_view(key, now) for key in usable), None)

    def create(
        self,
        name: str,
        tenant: str | None,
        scopes: frozenset[KeyScope],
        expires_in: float | None,
        keep: Callable[[str], None],
    ) -> View:
        """Make a key that is good for ``expires_in`` seconds, or until it is revoked. ``tenant`` None: for all of them.

        ``keep`` gets its text before it is good for anything: a key that nobody holds would stay for ever.
        """
        key, text = make_key(name, tenant, scopes, expires_in)
        keep(text)
        record = self._store.write(create_key, key, self._actor)
        return key_view(record, record.created_at)

    def revoke(self, key: str) -> View:
        """End a key for good. Raises NotFound."""
        record = self._store.write(revoke_key, key, self._actor)
        return {"id": record.id, "name": record.name, "status": "revoked"}
