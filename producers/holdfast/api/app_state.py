"""What every endpoint shares: the storage, the watch that waits for all, and how an endpoint gets at them."""

from typing import Annotated

from fastapi import Depends, Request

from holdfast.api.auth.failed_auth import FailedAuthLimiter
from holdfast.api.auth.key_cache import KeyCache
from holdfast.client.local import LocalBackend
from holdfast.client.state_poller import StatePoller
from holdfast.config import Settings
from holdfast.store.jobs import read_states


class AppState:
    """One per application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = LocalBackend(settings)
        self.key_cache = KeyCache(self.storage)
        self.failed_auth = FailedAuthLimiter()
        self.watch = StatePoller(lambda ids: self.storage.ready().read(read_states, ids))


def of_request(request: Request) -> AppState:
    shared = request.app.state.shared
    assert isinstance(shared, AppState)
    return shared


Ours = Annotated[AppState, Depends(of_request)]
