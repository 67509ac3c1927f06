"""A call that looks synchronous: it becomes an interactive job, and its client waits for the end of that.

How long is the client's to say: when it hangs up the job goes on, and the same call finds it again. A stream is the
whole answer, written as the events of one when it is there. Until then it has comments, which keep proxies from hanging
up; the head is held back a while before, so that most refusals have a status of their own.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from holdfast.api.auth.request_context import RequestContext
from holdfast.api.compatible.call_facts import fact_headers
from holdfast.api.compatible.call_request import CallRequest, fingerprint
from holdfast.api.compatible.errors import demand_model, of_one_call
from holdfast.api.compatible.job_failure import job_failure, job_gone
from holdfast.api.problems import HttpProblem, write_problem
from holdfast.client.ended_job import EndedJob
from holdfast.client.errors import InvalidJobs
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.model.errors import Conflict, NotFound
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT, Priority, State
from holdfast.store.given_up_calls import call_key

HEAD_AFTER = 15.0  # seconds after which a stream begins without an answer
KEEP_ALIVE_EVERY = 15.0  # seconds between two comments
PATIENT = 60.0  # seconds: a client with a shorter time-out is to keep it, and gets no comment
DEFAULTS = JobDefaults(priority=Priority.INTERACTIVE)
EVENT_STREAM = "text/event-stream"
NO_BUFFER = {"x-accel-buffering": "no", "cache-control": "no-cache"}  # proxies pass each event on at once


class AnswerWriter(Protocol):
    """How an API writes answers to one kind of call."""

    @property
    def keep_alive(self) -> bytes:
        """An event that means nothing."""

    def body(self, ended: EndedJob) -> bytes:
        """Write the answer of a job that succeeded, JSON without line ends."""

    def events(self, call: CallRequest, body: bytes) -> Iterable[bytes]:
        """Write the same as the events of a stream."""

    def failed_event(self, problem: HttpProblem) -> bytes:
        """Write the event that says why there is no answer, in a stream that has begun."""


async def answer_call(context: RequestContext, call: CallRequest, writer: AnswerWriter) -> Response:
    """Accept a call, wait for its end, and answer.

    Raises: InvalidRequest, UnknownModel, Conflict, NoUsableKey: it is not accepted. StorageUnavailable. NotFound: its
    job was dropped meanwhile.
    """
    job, is_new = await accept(context, call)
    if call.streams:
        return await streamed(context, call, job, writer)
    calls = context.app_state.repeated_calls
    async with calls.waiting(job, call.fingerprint) as delivery:
        ended = await end_of(context, job, is_new=is_new)
        await context.reauthenticate()
        assert ended is not None, "without a time-out there is an end"
        answer = whole(context, ended, writer)
        delivery.done = True
    return answer


async def accept(context: RequestContext, call: CallRequest) -> tuple[str, bool]:
    """Return the job of a call, and whether it is new: that of an earlier try where this is a repeat.

    First tries of equal calls are accepted beside one another; a repeat waits until it can see the job of the first.
    """
    calls, tenant = context.app_state.repeated_calls, context.tenant or DEFAULT_TENANT
    async with calls.turns.take(call.fingerprint, shared=not call.tries_before):
        await calls.noted(call.fingerprint)
        return await run_in_threadpool(find_or_submit, context, call, tenant)


def find_or_submit(context: RequestContext, call: CallRequest, tenant: str) -> tuple[str, bool]:
    earlier = None if call.key else context.app_state.repeated_calls.earlier(call, tenant)
    return submit(context, call) if earlier is None else (earlier, False)


def submit(context: RequestContext, call: CallRequest) -> tuple[str, bool]:
    demand_model(context.settings, call.model)
    own = call.key and fingerprint(context.caller.name, call.path, call.key.encode())
    key = call_key(own, "") if own else call_key(call.fingerprint, new_id())
    try:
        accepted = context.backend.submit(SubmitRequest([call.line], DEFAULTS, key=key))
    except InvalidJobs as error:
        raise of_one_call(error) from None
    except Conflict as error:
        raise Conflict(f"Idempotency-Key {call.key!r}", error.why) from None
    return accepted.jobs[0].id, accepted.jobs[0].created


async def end_of(
    context: RequestContext,
    job: str,
    timeout: float | None = None,  # noqa: ASYNC109 - None means for ever
    *,
    is_new: bool = False,
) -> EndedJob | None:
    """Wait as ``EndPoller.ended`` does, and not on once the client is gone. Raises ClientDisconnect."""
    return await context.while_connected(context.app_state.ends.ended(job, timeout, is_new=is_new))


def whole(context: RequestContext, ended: EndedJob, writer: AnswerWriter) -> Response:
    """Answer with a whole body, or with why there is none."""
    if ended.result.state is State.SUCCEEDED:
        return Response(writer.body(ended), headers=fact_headers(ended), media_type="application/json")
    answer = write_problem(context.request.scope, job_failure(ended))
    answer.headers.update(fact_headers(ended))
    return answer


async def streamed(context: RequestContext, call: CallRequest, job: str, writer: AnswerWriter) -> Response:
    """Answer with a stream; with an error where the job ends without an answer before the stream has begun."""
    async with context.app_state.repeated_calls.waiting(job, call.fingerprint) as delivery:
        ended = await end_of(context, job, head_after(call))
        if ended is None:
            delivery.handed_on = True
            return StreamingResponse(late_events(context, call, job, writer), 200, begun(job), EVENT_STREAM)
        await context.reauthenticate()
        delivery.done = True
    if ended.result.state is not State.SUCCEEDED:
        return whole(context, ended, writer)
    events = b"".join(writer.events(call, writer.body(ended)))
    return Response(events, headers=NO_BUFFER | fact_headers(ended), media_type=EVENT_STREAM)


def begun(job: str) -> dict[str, str]:
    """Return the headers of a stream that begins before there is an answer."""
    return NO_BUFFER | {"x-holdfast-job": job}


def head_after(call: CallRequest) -> float | None:
    """Return the seconds for which a stream's head is held back; None: until there is an answer."""
    patience = call.read_timeout
    return None if patience is not None and patience <= PATIENT else HEAD_AFTER


async def late_events(
    context: RequestContext, call: CallRequest, job: str, writer: AnswerWriter
) -> AsyncIterator[bytes]:
    """Yield comments until the job has ended or is there no more, then its events."""
    async with context.app_state.repeated_calls.waiting(job, call.fingerprint) as delivery:
        yield writer.keep_alive
        try:
            while (ended := await context.app_state.ends.ended(job, KEEP_ALIVE_EVERY)) is None:
                yield writer.keep_alive
        except NotFound as error:  # dropped, or past its retention
            yield writer.failed_event(job_gone(error))
            return
        if ended.result.state is State.SUCCEEDED:
            yield b"".join(writer.events(call, writer.body(ended)))
        else:
            yield writer.failed_event(job_failure(ended))
        delivery.done = True
