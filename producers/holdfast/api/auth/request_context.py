"""What an endpoint gets of a request: who makes it, and a backend that shows only what that caller may see.

Every endpoint names what it needs (``Submitting``, ``Reading``, ``Operating``, ``Watching``, ``Fleet``);
the application does not start with one that does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Security
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute

from holdfast.api.app_state import AppState, of_request
from holdfast.api.auth.audit_log import record_refusal
from holdfast.api.auth.middleware import PUBLIC_PATHS, authenticate
from holdfast.api.call_hints import name_calls
from holdfast.client.end_poller import EndPoller
from holdfast.client.local import LocalBackend
from holdfast.client.operator import types_commands
from holdfast.config import Settings
from holdfast.model.access import ApiCaller, KeyScope
from holdfast.model.errors import Forbidden, NotFound
from holdfast.model.job import State

BEARER = HTTPBearer(
    auto_error=False, description="an API key, as `holdfast key create` printed it; `x-api-key: KEY` does as well"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request. ``tenant`` None: an operator of all tenants."""

    app_state: AppState
    caller: ApiCaller
    request: Request

    @property
    def tenant(self) -> str | None:
        return self.caller.tenant

    @property
    def settings(self) -> Settings:
        return self.app_state.settings

    @property
    def watch(self) -> EndPoller[State]:
        return self.app_state.watch

    @property
    def backend(self) -> LocalBackend:
        """What this caller may see and do; what concerns all tenants needs ``Fleet``."""
        name = self.caller.name
        say = str if types_commands(name) else name_calls
        return LocalBackend(self.app_state.installation, tenant=self.tenant, actor=name, say=say)

    async def ended(self, job: str, timeout: float | None = None) -> State | None:  # noqa: ASYNC109 - None means for ever
        """Wait as ``EndPoller.ended`` does, and not on once the client or the job is gone. Raises ClientDisconnect."""
        try:
            return await self.while_connected(self.watch.ended(job, timeout))
        except NotFound:  # how it ended nobody can say any more
            return None

    async def while_connected(self, work: Awaitable[T]) -> T:
        """Return what ``work`` does, and cancel it once the client is gone. Raises ClientDisconnect."""
        loop, gone = asyncio.get_running_loop(), asyncio.ensure_future(disconnected(self.request))

        def end(_gone: asyncio.Future[None]) -> None:
            until_gone.reschedule(loop.time())

        try:
            async with asyncio.timeout(None) as until_gone:
                gone.add_done_callback(end)
                return await work
        except TimeoutError:
            if until_gone.expired():
                raise ClientDisconnect from None
            raise
        finally:
            gone.remove_done_callback(end)
            gone.cancel()

    async def reauthenticate(self) -> None:
        """Look again after a long wait: a key may have been revoked. Raises Unauthorized."""
        await authenticate(self.app_state, self.request.scope)


@dataclass(frozen=True, slots=True)
class RequiredScope:
    """A dependency that lets only those through whose key has ``scope``; ``fleet``: and belongs to no tenant."""

    scope: KeyScope
    fleet: bool = False

    async def __call__(
        self, request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
    ) -> RequestContext:
        caller, app_state = request.state.caller, of_request(request)
        assert isinstance(caller, ApiCaller)
        refusal = self.refusal(caller)
        if refusal is not None:
            await record_refusal(app_state, request.scope, refusal.why, caller.name)
            raise refusal
        return RequestContext(app_state, caller, request)

    def refusal(self, caller: ApiCaller) -> Forbidden | None:
        if not caller.may(self.scope):
            return Forbidden(f"this needs an API key with scope {self.scope}")
        if self.fleet and caller.tenant is not None:
            return Forbidden("this concerns all tenants, and needs an API key that belongs to none of them")
        return None


async def disconnected(request: Request) -> None:
    """Wait until the client of a request whose body has been read is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


Submitting = Annotated[RequestContext, Depends(RequiredScope(KeyScope.SUBMIT))]
Reading = Annotated[RequestContext, Depends(RequiredScope(KeyScope.READ))]
Operating = Annotated[RequestContext, Depends(RequiredScope(KeyScope.OPERATE))]
Watching = Annotated[RequestContext, Depends(RequiredScope(KeyScope.WATCH, fleet=True))]
Fleet = Annotated[RequestContext, Depends(RequiredScope(KeyScope.OPERATE, fleet=True))]


class DirectRoute(APIRoute):
    """Calls endpoints past FastAPI's resolving of dependencies, which would take as long as the rest of a request.

    They take a RequestContext, perhaps dependencies of the request alone, and headers that may be missing: a request
    that has one of those goes FastAPI's way.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        resolve_all, endpoint, takes = super().get_route_handler(), self.endpoint, self.dependant
        more = [each.name for each in (*takes.path_params, *takes.query_params, *takes.body_params)]
        assert not more, f"{self.path} takes {more}"
        needed = {str(each.name): each.call for each in takes.dependencies}
        headers = {header.alias.lower().encode() for header in takes.header_params}

        async def handle(request: Request) -> Response:
            if headers and any(name in headers for name, _ in request.scope["headers"]):
                return await resolve_all(request)
            answer = await endpoint(**{name: await resolve(call, request) for name, call in needed.items()})
            assert isinstance(answer, Response)
            return answer

        return handle


async def resolve(dependency: Any, request: Request) -> Any:
    """Return what an endpoint gets of a request by one of its dependencies."""
    return await (dependency(request, None) if isinstance(dependency, RequiredScope) else dependency(request))


def check_endpoints(routes: Sequence[BaseRoute]) -> None:
    """Refuse to start with an endpoint that lets everybody in. Raises TypeError."""
    bare = [path for path, needs in endpoints(routes) if needs is None and path not in PUBLIC_PATHS]
    if bare:
        raise TypeError(f"no API key is needed for {', '.join(bare)}: let the endpoint take a RequestContext")


def endpoints(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, RequiredScope | None]]:
    """Yield the path of every endpoint, and what it needs; pages that describe the API are FastAPI's own."""
    for context in iter_route_contexts(routes):
        if isinstance(context.original_route, APIRoute):
            needs = [each.call for each in context.dependant.dependencies if isinstance(each.call, RequiredScope)]
            yield str(context.path), needs[0] if needs else None
