"""What the native API answers, as its OpenAPI document shows it. Nothing is checked or written with these at run time.

`client.views` writes the answers; tests hold every answer that they get against these models.
"""

from typing import Any

from pydantic import BaseModel, Field

from holdfast.model.fault import FaultKind
from holdfast.model.job import Outcome, Priority, State
from holdfast.model.reply import Finish, Usage


class AnswerModel(BaseModel):
    """An object of which a newer server may have more members."""


class SubmittedJob(AnswerModel):
    """One accepted job. ``created`` is false where its idempotency key was known, and this is the job of then."""

    id: str
    status: State
    status_url: str
    created: bool


class JobEstimate(AnswerModel):
    """What one job would take and cost at most. ``usd_most`` null: no price of ``unpriced_route`` is known."""

    model: str
    input_tokens: int
    output_tokens_most: int
    usd_most: float | None
    unpriced_route: str | None


class RouteEstimate(AnswerModel):
    """What all jobs of a model would cost on one route: with empty answers, and with the longest they may have."""

    route: str
    usd_least: float | None
    usd_most: float | None
    price_from: str | None


class ModelEstimate(AnswerModel):
    """What all jobs of a model would take together."""

    model: str
    jobs: int
    input_tokens: int
    output_tokens_most: int
    routes: list[RouteEstimate]


class EstimateProblem(AnswerModel):
    """What keeps one of them from being a job: ``index`` counts from 0, ``where`` names the key."""

    index: int
    where: str
    problem: str
    hint: str


class JobsEstimate(AnswerModel):
    """What jobs would take and cost. ``jobs`` in the order they were given in, null for what cannot be a job."""

    jobs: list[JobEstimate | None]
    models: list[ModelEstimate]
    problems: list[EstimateProblem]


class SubmittedJobs(AnswerModel):
    """A list of jobs that was accepted; ``batch`` where they are part of one."""

    batch: str | None
    status_url: str | None
    jobs: list[SubmittedJob]


class MappingChange(AnswerModel):
    """What a route's format changed or dropped of a request."""

    field: str
    note: str


class ToolCall(AnswerModel):
    """A call that the model asks for."""

    id: str
    name: str
    input: dict[str, Any]


class JobReply(AnswerModel):
    """The provider-neutral reading of an answer. ``body``: the whole answer where it has no such reading."""

    text: str
    tool_calls: list[ToolCall]
    reasoning: str
    finish: Finish
    finish_word: str | None
    choices: int
    usage: Usage
    model: str


class JobError(AnswerModel):
    """Why a job ended without a reply: a kind of fault, ``cancelled`` or ``expired``."""

    kind: str
    code: str | None
    message: str


class JobAttempt(AnswerModel):
    """One call on a job's timeline. ``outcome`` is null while it runs."""

    generation: int
    number: int
    route: str
    credential: str
    started_at: str
    ended_at: str | None
    seconds: float | None
    outcome: Outcome | None
    fault: FaultKind | None
    status_code: int | None
    code: str | None
    message: str | None
    provider_request_id: str | None
    usage: Usage | None
    cost_usd: float
    mapping: list[MappingChange]


class JobSummary(AnswerModel):
    """A job as lists show it. ``status`` is its state, by the name that output lines use."""

    id: str
    status: State
    state: State
    why_waiting: str | None
    model: str
    lane: str
    priority: Priority
    custom_id: str | None
    batch: str | None
    position: int | None
    tenant: str
    metadata: dict[str, Any]
    generation: int
    crashes: int
    fault: FaultKind | None
    created_at: str
    not_before: str | None
    available_at: str | None
    expires_at: str | None
    finished_at: str | None


class JobView(JobSummary):
    """A job with all that happened to it, and its reply or error once it has ended."""

    attempts: list[JobAttempt]
    reply: JobReply | None
    error: JobError | None
    route: str | None
    cost_usd: float | None
    mapping: list[MappingChange]


class JobsPage(AnswerModel):
    """A page of jobs; ``next`` is the cursor of the next one."""

    jobs: list[JobSummary]
    next: str | None


class CancelledJob(AnswerModel):
    """The state of a job that was to be cancelled; it may have ended before."""

    id: str
    status: State
    status_url: str


class BatchView(AnswerModel):
    """A batch with its jobs counted by state."""

    id: str
    name: str
    tenant: str
    created_at: str
    total: int
    counts: dict[str, int]
    results_url: str


class BatchCost(AnswerModel):
    """What the jobs of a batch that have ended cost, as far as prices are known."""

    id: str
    cost_usd: float


class BatchesPage(AnswerModel):
    """A page of batches; ``next`` is the cursor of the next one."""

    batches: list[BatchView]
    next: str | None


class CancelledBatch(AnswerModel):
    """How many jobs of a batch were cancelled."""

    id: str
    cancelled: int


class ResultsPage(AnswerModel):
    """Output lines in the order of the input, each with its ``position``; ``next`` is the last of them."""

    results: list[dict[str, Any]]
    next: int | None


class CauseOnRoute(AnswerModel):
    """What a route said to the newest job of a cause."""

    route: str
    calls: int
    fault: str | None
    status_code: int | None
    message: str | None


class DeadGroup(AnswerModel):
    """Dead letters that died of one cause. ``lanes``: how many in each; ``sample``: the newest of them."""

    cause: str | None
    provider: str | None
    status_code: int | None
    code: str | None
    message: str | None
    lane: str
    lanes: dict[str, int]
    fault: FaultKind
    jobs: int
    oldest: str
    newest: str
    sample: str
    routes: list[CauseOnRoute]


class DeadGroups(AnswerModel):
    """Dead letters by what they died of, largest group first."""

    groups: list[DeadGroup]


class OperationView(AnswerModel):
    """A bulk action on dead letters: ``jobs`` moved so far, of ``eligible``.

    Of a dry run ``operation`` is null, and ``jobs`` is what would be taken.
    """

    operation: str | None
    jobs: int
    dry_run: bool
    action: str | None = None
    state: str | None = None
    actor: str | None = None
    eligible: int | None = None
    per_minute: float | None = None
    created_at: str | None = None
    moved_at: str | None = None
    ended_at: str | None = None
    export_url: str | None = None


class OperationsList(AnswerModel):
    """The newest operations."""

    operations: list[OperationView]


class FieldProblem(AnswerModel):
    """What is wrong with one field of a request."""

    where: str
    problem: str


class ListedJobProblem(FieldProblem):
    """What is wrong with one job of a list; ``index`` counts from 0."""

    index: int


class ProblemDocument(AnswerModel):
    """An error, RFC 9457: what happened, to which object, why, and in ``hint`` what to do next.

    ``code`` is stable. Beside these members stand what a program needs to act without reading the sentence.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    request_id: str
    where: str | None = Field(default=None, description="which part of the request, of an invalid one")
    errors: list[FieldProblem] | None = Field(default=None, description="every field that is wrong")
    problems: list[ListedJobProblem] | None = Field(
        default=None, description="everything that is wrong with a list of jobs"
    )
