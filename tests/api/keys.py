"""What tests of keys share: keys in a storage, and clients that show them."""

from contextlib import contextmanager

from fastapi.testclient import TestClient

from holdfast.api import create_app
from holdfast.api.app_state import AppState
from holdfast.api.auth.key_cache import KeySnapshot
from holdfast.config import Settings
from holdfast.model.access import KeyScope
from holdfast.store import Store
from holdfast.store.api_keys import create_key, make_key

EVERYTHING = frozenset({KeyScope.SUBMIT, KeyScope.READ, KeyScope.OPERATE})


def add_key(store: Store, tenant: str | None = "default", *scopes: KeyScope, expires_in: float | None = None) -> str:
    """Make a key and return its text."""
    key, text = make_key(f"key of {tenant}", tenant, frozenset(scopes) or EVERYTHING, expires_in)
    store.write(create_key, key, "test")
    return text


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def opened(settings: Settings, peer: str = "127.0.0.1", **options):
    """An application with its client; ``peer`` is where requests come from."""
    app = create_app(settings)
    with TestClient(
        app, base_url="http://127.0.0.1:8700", raise_server_exceptions=False, client=(peer, 1), **options
    ) as client:
        yield client


def hears(client: TestClient) -> TestClient:
    """Have an application read its keys anew at the next request."""
    client.app.state.holdfast.key_cache._keys = KeySnapshot()
    return client


class Clock:
    """Cranked by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def cranked(client: TestClient) -> Clock:
    """Put a clock of ours into the key cache of an application."""
    clock, app_state = Clock(), client.app.state.holdfast
    assert isinstance(app_state, AppState)
    app_state.key_cache._clock = clock
    return clock
