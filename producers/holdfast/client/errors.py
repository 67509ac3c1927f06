"""What can go wrong for a client, on top of the model's errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model.errors import (
    HoldfastError,
    InvalidId,
    InvalidRequest,
    NotFound,
    NoUsableKey,
    QueueUnavailable,
    StorageUnavailable,
    Unauthorized,
)
from holdfast.model.sentences import end_sentence

SHOWN = 5  # problems that a sentence names before it counts the rest


class JobFailed(HoldfastError):
    """A job ended without a reply, and the caller asked for one."""

    code = "job_failed"
    exit_status = 3

    def __init__(self, job: str, status: str, kind: str, message: str) -> None:
        super().__init__(job, status, kind, message)
        self.job, self.status, self.kind, self.message = job, status, kind, message

    def __str__(self) -> str:
        from holdfast.policy.fault_rules import kind_words  # noqa: PLC0415 - most programs read no failed job

        why = ": ".join(filter(None, (kind_words(self.kind), self.message)))
        return f"{self.job} ended {self.status} ({why}). `holdfast job show {self.job}` has its attempts."


class NoResponse(NotFound):
    """No provider has answered a job, or no answer of one is kept."""

    def __init__(self, job: str) -> None:
        super().__init__("response", job)
        self.args = (job,)

    def __str__(self) -> str:
        return f"{self.name} has no response: no provider has answered it. `holdfast job show {self.name}` says why."


class StillWaiting(HoldfastError, TimeoutError):
    """The time-out of a wait passed before the job ended. The job goes on."""

    code = "still_waiting"
    exit_status = 75
    http_status = 504

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, seconds)
        self.name, self.seconds = name, seconds

    def __str__(self) -> str:
        return (
            f"{self.name} has not ended after {self.seconds:g} s. It goes on: wait again with the same id, "
            f"or see why with `holdfast {self.name.partition('_')[0]} show {self.name}`."
        )


@dataclass(frozen=True, slots=True)
class JobProblem:
    """What is wrong with one job of a submit: ``index`` counts from 0, ``where`` names the key."""

    index: int
    where: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"jobs[{self.index}]: {self.where}: {self.problem}" + (f" {self.hint}" if self.hint else "")


class InvalidJobs(InvalidRequest):
    """Some jobs of a submit cannot be accepted. All problems are listed, and none of the jobs was taken."""

    def __init__(self, problems: tuple[JobProblem, ...]) -> None:
        super().__init__("jobs", f"{len(problems)} of the jobs cannot be accepted.", "Nothing was submitted.")
        self.args = (problems,)
        self.problems = problems

    def __str__(self) -> str:
        shown = "; ".join(end_sentence(problem) for problem in self.problems[:SHOWN])
        more = len(self.problems) - SHOWN
        return f"{shown}{f'; and {more} more' if more > 0 else ''}. Nothing was submitted."


class ServerUnavailable(HoldfastError):
    """The Holdfast server cannot be reached, or answers that it cannot work now."""

    code = "server_unavailable"
    exit_status = 69
    http_status = 503

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url, self.why = url, why

    def __str__(self) -> str:
        return (
            f"the server at {self.url} did not answer: {end_sentence(self.why)}. "
            "Start it with `holdfast up`, or mend the address in HOLDFAST_URL."
        )


class NotHoldfast(HoldfastError):
    """What answers at the address of a server is somebody else's."""

    code = "not_holdfast"
    exit_status = 69
    http_status = 502

    def __init__(self, url: str, status: int, said: str = "") -> None:
        super().__init__(url, status, said)
        self.url, self.status, self.said = url, status, said

    def __str__(self) -> str:
        said = f": {self.said}" if self.said else ""
        return (
            f"what answers at {self.url} is no Holdfast server (HTTP {self.status}{said}). Mend the address in "
            "--server or HOLDFAST_URL: `holdfast up` prints its own."
        )


# Exit statuses of refusals that a command ends with as if the storage had refused.
STATUSES = {each.code: each.exit_status for each in (InvalidRequest, InvalidId, NoUsableKey, QueueUnavailable)}


class ServerRefused(HoldfastError):
    """The Holdfast server understood and said no. ``body`` is its problem document."""

    code = "server_refused"

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body
        self.exit_status = STATUSES.get(str(body.get("code")), 1)  # type: ignore[misc] # of this one

    def __str__(self) -> str:
        detail = self.body.get("detail") or self.body.get("title") or "no reason given"
        hint = self.body.get("hint")
        return f"the server refused with {self.status}: {detail}" + (f" {hint}" if hint else "")


class ServerUnauthorized(Unauthorized):
    """The server refused the API key that it was shown, or wants one. ``str`` is the server's own sentence."""

    def __str__(self) -> str:
        return self.why


class PartlySubmitted(StorageUnavailable):
    """The storage went away between two transactions of one big submit: some of its jobs are in, the rest are not.

    ``batch`` is its public id, or None where the jobs belong to none.
    """

    code = "partly_submitted"

    def __init__(self, batch: str | None, accepted: int, of: int, cause: StorageUnavailable) -> None:
        super().__init__(cause.where, cause.why)
        self.args = (batch, accepted, of, cause)
        self.batch, self.accepted, self.of = batch, accepted, of

    def __str__(self) -> str:
        give_up = f", or give them up with `holdfast batch cancel {self.batch}`" if self.batch else ""
        return (
            f"the database {self.where} went away: {end_sentence(self.why)}. "
            f"{self.accepted} of {self.of} jobs are accepted{f' in {self.batch}' if self.batch else ''}. "
            f"Submit again with the same idempotency key to add the rest{give_up}."
        )
