"""What every page and every form of the dashboard goes through: the session, its token, and where a form came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from holdfast.api.app_state import of_request
from holdfast.api.auth.audit_log import record_refusal
from holdfast.api.auth.request_context import RequestContext
from holdfast.api.auth.session import Session, new_session
from holdfast.api.ui.rendering import HEADERS, html
from holdfast.model.access import ApiCaller, KeyScope
from holdfast.model.errors import Forbidden

SEE_OTHER = 303
MOST_FIELDS = 50
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class PageSession:
    """The session of a page. ``fresh``: its cookie is still to be set."""

    request: Request
    session: Session
    fresh: bool

    def page(self, template: str, context: RequestContext | None = None, status: int = 200, **values: Any) -> Response:
        """Answer with a page that knows who looks at it."""
        caller = context.caller if context else None
        return self.keep(html(template, {"token": self.session.token, **seen_by(caller), **values}, status))

    def keep(self, response: Response) -> Response:
        """Set the cookie with an answer, where it is not there yet."""
        if self.fresh:
            secure = self.request.url.scheme == "https"
            of_request(self.request).sessions.write(response, self.session, secure=secure)
        return response


def seen_by(caller: ApiCaller | None) -> Mapping[str, object]:
    """What a page shows of itself to this caller. It decides nothing: every endpoint asks for the scope it needs."""

    def may(scope: KeyScope) -> bool:
        return caller is not None and caller.may(scope)

    fleet = caller is not None and caller.tenant is None
    return {
        "caller": caller,
        "sees_fleet": fleet and may(KeyScope.WATCH),
        "sees_jobs": may(KeyScope.READ),
        "may_act": fleet and may(KeyScope.OPERATE),
        "may_replay": may(KeyScope.OPERATE),
        "may_cancel": may(KeyScope.SUBMIT),
    }


async def page_session(request: Request) -> PageSession:
    """Find the session of a request, or begin one. Raises StorageUnavailable."""
    found = await run_in_threadpool(of_request(request).sessions.read, request.headers)
    return PageSession(request, found or new_session(), fresh=found is None)


Page = Annotated[PageSession, Depends(page_session)]


async def checked_form(request: Request) -> FormData:
    """Return the form of a request that a page of ours made. Raises Forbidden, and says so in the audit log."""
    if request.method in READS:
        return FormData()
    app_state = of_request(request)
    session = await run_in_threadpool(app_state.sessions.read, request.headers)
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    why = refusal(request, session, str(form.get("token", "")))
    if why is not None:
        await record_refusal(app_state, request.scope, why)
        raise Forbidden(why)
    return form


def page_router(prefix: str = "") -> APIRouter:
    """Make a router of pages, in which no form is taken unchecked."""
    return APIRouter(prefix=prefix, include_in_schema=False, dependencies=[Depends(checked_form)])


def refusal(request: Request, session: Session | None, token: str) -> str | None:
    """Say why a form is not taken; None: it is. Browsers name the origin of every POST."""
    if "origin" not in request.headers and request.headers.get("sec-fetch-site") != "same-origin":
        return "the form does not say which page it comes from"
    if session is None:
        return "the form comes without a session. Open the page again"
    if not session.guards(token):
        return "the form is not one of this session. Open the page again"
    return None


Form = Annotated[FormData, Depends(checked_form)]


def go_to(path: str) -> Response:
    """Show a page after a form was taken, so that to load it again does nothing twice."""
    return RedirectResponse(path, SEE_OTHER, HEADERS)
