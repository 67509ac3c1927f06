"""The spans of a job: CONSUMER for each claim, CLIENT for each call, and the record of its end.

No span tells a word of a prompt or an answer. No trace header goes to a provider: whose spans are whose stays ours.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from holdfast.config.values import ProviderSettings
from holdfast.model.attempt import Attempt
from holdfast.model.environment import TRACE_CONVENTIONS
from holdfast.model.ids import public_id
from holdfast.model.job import Claimed
from holdfast.telemetry import conventions as names
from holdfast.telemetry.spans import Attributes, describe, fail, link_to, span
from holdfast.wire.chat.server_profile import dialect_of
from holdfast.worker.call_runner import CallInFlight


@dataclass(frozen=True, slots=True)
class JobSpans:
    """Makes them for one process; ``providers`` as they are configured."""

    providers: Mapping[str, ProviderSettings]

    @contextmanager
    def process(self, job: Claimed) -> Iterator[None]:
        """A trace of its own, linked to the submit: the jobs of one batch are processed for days."""
        about: Attributes = {
            **names.messaging("process", job.lane),
            names.MESSAGE: public_id("job", job.id),
            names.JOB: public_id("job", job.id),
            names.GENERATION: job.generation,
            names.MODEL: job.model,
        }
        links = link_to(job.traceparent)
        with span(f"process {job.lane}", SpanKind.CONSUMER, about, links=links, parent=Context()):
            yield

    @contextmanager
    def call(self, call: CallInFlight) -> Iterator[None]:
        """Ends with usage and finish, or with the kind of the fault as ``error.type``."""
        route, written, conventions = call.attempt.route, call.attempt.job.request.written, generation()
        operation = names.operation_of(written.path if written else None)
        asked = asked_of(call.attempt, self.providers[route.provider], conventions) | {names.OPERATION: operation}
        with span(f"{operation} {route.model}", SpanKind.CLIENT, asked) as made:
            yield
            describe(made, answer_of(call.attempt, conventions))
            if call.attempt.fault is not None:
                fail(made, call.attempt.fault.kind.value)

    @contextmanager
    def settle(self, attempts: Sequence[Attempt]) -> Iterator[None]:
        """Says which step was recorded."""
        last = attempts[-1]
        about: Attributes = {
            **names.messaging("settle", last.job.lane),
            names.JOB: public_id("job", last.job.id),
            names.STEP: type(last.step).__name__.lower() if last.step else None,
        }
        with span(f"settle {last.job.lane}", SpanKind.INTERNAL, about):
            yield


def generation() -> names.Conventions:
    """The conventions that the environment asks for."""
    return names.GENERATIONS.get(os.environ.get(TRACE_CONVENTIONS, ""), names.LATEST)


def asked_of(
    attempt: Attempt, provider: ProviderSettings, conventions: names.Conventions
) -> dict[str, AttributeValue | None]:
    """What is known of a call before it is made."""
    route, request, address = attempt.route, attempt.job.request, urlsplit(provider.base_url)
    name = names.provider_name(route.api, provider.site.dialect or dialect_of(provider.base_url), route.provider)
    return {
        conventions.provider: conventions.names.get(name, name),
        names.REQUEST_MODEL: route.model,
        names.MAX_TOKENS: request.max_tokens,
        names.TEMPERATURE: request.temperature,
        names.TOP_P: request.top_p,
        names.SERVER: address.hostname,
        names.PORT: address.port,
        names.JOB: public_id("job", attempt.job.id),
        names.ROUTE: route.name,
        names.ATTEMPT: attempt.number,
    }


def answer_of(attempt: Attempt, conventions: names.Conventions) -> Attributes:
    """What a call's end tells."""
    reply, usage, fault, response = attempt.reply, attempt.usage, attempt.fault, attempt.response
    facts: dict[str, AttributeValue | None] = {names.STATUS_CODE: response.status if response else None}
    if fault is not None:
        facts |= {names.STATUS_CODE: fault.status, names.REQUEST_ID: fault.provider_request_id}
    if reply is not None:
        facts |= {names.RESPONSE_MODEL: reply.model, names.REQUEST_ID: reply.provider_request_id}
        facts[names.FINISH_REASONS] = [reply.finish_word or reply.finish.value]
    if usage is not None:
        facts |= {names.INPUT_TOKENS: usage.input, names.OUTPUT_TOKENS: usage.output}
        facts |= {name: count(usage) for name, count in conventions.parts.items()}
    return facts
