"""What every endpoint shares: the storage, the watch that waits for all, and how an endpoint gets at them."""

from typing import Annotated

from fastapi import Depends, Request

from holdfast.api.denials import Denials
from holdfast.api.ring import Ring
from holdfast.client.storage import Storage
from holdfast.client.watch import Watch
from holdfast.config import Settings


class Shared:
    """One per application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = Storage(settings)
        self.ring = Ring(self.storage)
        self.denials = Denials()
        self.watch = Watch(lambda ids: self.storage.ready().states(ids))


def of_request(request: Request) -> Shared:
    shared = request.app.state.shared
    assert isinstance(shared, Shared)
    return shared


Ours = Annotated[Shared, Depends(of_request)]
