"""A batch that was ordered through a compatible API: what was asked for, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.model.job import TERMINAL, State

if TYPE_CHECKING:
    from holdfast.model.reply import Usage  # slow to import


@dataclass(frozen=True, slots=True)
class NewBatchOrder:
    """An order as an API hands it in, its requests kept in a file before."""

    batch: str
    """Made by the API; the batch of the same id is opened with it."""
    tenant: str
    """Who it belongs to."""
    api: str
    """Through whose API it came: ``openai`` or ``anthropic``."""
    endpoint: str
    """Where all its requests go, such as ``/v1/messages``."""
    file: str
    """The kept file with a request on each line."""
    lines: int
    """How many requests that holds."""
    fingerprint: str
    """API key, route and body, hashed: a repeated creation has the same."""
    expires_in: float
    """Seconds until what waits of it ends as expired."""
    completion_window: str
    """The same in the client's words."""
    name: str = ""
    """What people see it called."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The client's labels."""
    output_for: float | None = None
    """Seconds after its end for which its output files are shown. None: for as long as its jobs are kept."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A request of an order that could not become a job."""

    position: int
    """Its place among the requests, from 0."""
    line: int
    """Its number in the file, from 1, blank lines counted."""
    custom_id: str | None
    """The client's own name for it, where it could be read."""
    code: str
    """What is wrong with it, for programs."""
    message: str
    """What is wrong with it, for a person: what was expected and where."""
    param: str | None = None
    """The key that is wrong. None: it is the line as a whole."""


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """An order as it stands. Times are seconds since the epoch on SQL's clock."""

    batch: str
    """The batch whose jobs it becomes; see ``NewBatchOrder``, as for all down to ``metadata``."""
    tenant: str
    """Who it belongs to."""
    api: str
    """Through whose API it came, and is shown."""
    endpoint: str
    """Where all its requests go."""
    file: str
    """The kept file."""
    lines: int
    """How many requests there are: jobs, bad lines, and those that are yet to be read."""
    completion_window: str
    """How long it has, in the client's words."""
    metadata: Mapping[str, str]
    """The client's labels."""
    created_at: float
    """When it was ordered."""
    expires_at: float
    """The deadline of all its jobs."""
    next_line: int
    """How many lines of the file have been read, blank ones counted."""
    next_byte: int
    """Where in the file the next page begins."""
    bad_lines: int
    """Lines that became no job."""
    read_at: float | None
    """When the last line had been read, or reading was given up. None: that goes on."""
    failure: str | None
    """Why it failed as a whole, JSON of code and message. None: single lines failed at most."""
    cancel_asked_at: float | None
    """When its cancellation was asked for. What is read afterwards is cancelled at once."""
    ended_at: float | None
    """When its last job ended. None: it lives."""
    counts: Mapping[State, int]
    """Its jobs by state: now, or when it ended where they are deleted."""
    hidden_files: frozenset[str] = frozenset()
    """Which of its output files the client has deleted."""
    output_for: float | None = None
    """Seconds after its end for which its output files are shown; see ``NewBatchOrder``."""
    usage: "Usage | None" = None
    """Tokens of its answers, set with its end. None: it lives, or has none."""
    model: str | None = None
    """The one model whose routes answered, set with its end. None: it lives, or several did, or none."""

    @property
    def live(self) -> int:
        """How many requests have not ended, those that are yet to be read among them."""
        return max(0, self.lines - self.bad_lines - sum(self.counts.get(state, 0) for state in TERMINAL))
