"""What every endpoint shares: the installation, the poller that waits for all, and how an endpoint gets at them."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from holdfast.api.anthropic.batch_view import RequestReader
from holdfast.api.anthropic.token_count import TokenCounter
from holdfast.api.auth.failed_auth import FailedAuthLimiter
from holdfast.api.auth.key_cache import KeyCache, KeyRefresh
from holdfast.api.auth.session import SessionSealer
from holdfast.api.compatible.batch_import import BatchImporter, ReaderOf
from holdfast.api.compatible.client_api import ClientApi
from holdfast.api.compatible.repeated_calls import RepeatedCalls
from holdfast.api.openai.batch_lines import begin_input
from holdfast.api.ui.dashboard import Dashboard
from holdfast.client.end_poller import EndPoller, ended_states
from holdfast.client.end_reader import find_ends
from holdfast.client.ended_job import EndedJob
from holdfast.client.event_feed import EventFeed
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.config import Settings
from holdfast.store.outbox import newest_position, poll_events

READERS: Mapping[str, ReaderOf] = {
    ClientApi.ANTHROPIC: lambda _installation, _order: RequestReader(),
    ClientApi.OPENAI: begin_input,
}


class AppState:
    """One per application. ``pool_socket``: the Unix socket on which it serves this user alone; None: on none."""

    def __init__(self, settings: Settings, pool_socket: Path | None = None) -> None:
        self.settings, self.pool_socket = settings, pool_socket
        self.installation = Installation(settings)
        self.key_cache = KeyCache(self.installation)
        self.key_refresh = KeyRefresh(self.key_cache)
        self.failed_auth = FailedAuthLimiter()
        self.repeated_calls = RepeatedCalls(self.installation)
        self.sessions = SessionSealer(self.installation)
        self.dashboard = Dashboard(self.installation)
        self.batch_importer = BatchImporter(self.installation, READERS)
        self.token_counter = TokenCounter(settings)
        everybody = LocalBackend(self.installation, tenant=None)
        is_quick = self.installation.store.is_file
        self.watch = EndPoller(partial(ended_states, everybody.states), hints=everybody.hints, is_quick=is_quick)
        self.ends = EndPoller[EndedJob](
            lambda jobs: find_ends(self.installation.ready(), settings, jobs),
            hints=everybody.hints,
            is_quick=is_quick,
        )
        self.events = EventFeed(
            lambda after, limit: poll_events(self.installation.ready(), after, limit),
            lambda: newest_position(self.installation.ready()),
            hints=everybody.hints,
        )


def of_request(request: Request) -> AppState:
    app_state = request.app.state.holdfast
    assert isinstance(app_state, AppState)
    return app_state


InjectedAppState = Annotated[AppState, Depends(of_request)]
