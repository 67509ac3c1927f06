"""Errors a person can act on: what happened, to which object, why, and what to do next.

``code`` is stable: it stands in problem+json, in ``--json`` output and as a heading in docs/errors.md.
``exit_status`` is what the command line ends with.
"""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.model.sentences import end_sentence

LISTINGS = {  # by kind of object, the command that lists those that there are
    **{kind: f"{kind} list" for kind in ("job", "batch", "lane", "route", "key", "webhook")},
    "delivery": "webhook deliveries",
    "provider": "config show",
}


class HoldfastError(Exception):
    """The root of every error that Holdfast raises on purpose."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class InvalidId(HoldfastError):
    """A text that should name an object does not."""

    code = "invalid_id"
    exit_status = 2
    http_status = 404

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind, self.text = kind, text

    def __str__(self) -> str:
        other = self.text.partition("_")[0]
        if other != self.kind and other in {"job", "batch"}:
            return f"{self.text!r} is the id of a {other}, not of a {self.kind}: `holdfast {other} show` takes it."
        return f"{self.text!r} is no {self.kind} id: expected {self.kind}_ and 32 hex digits, as `submit` printed it."


class NotFound(HoldfastError):
    """An id that is well formed names nothing here."""

    code = "not_found"
    exit_status = 4
    http_status = 404

    def __init__(self, kind: str, name: str, hint: str = "") -> None:
        super().__init__(kind, name, hint)
        self.kind, self.name, self.hint = kind, name, hint

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        listing = LISTINGS.get(self.kind.lower())
        shows = f" `holdfast {listing}` shows what is." if listing else ""
        return f"there is no {self.kind} {self.name or repr('')} in this storage.{hint}{shows}"


class InvalidRequest(HoldfastError):
    """A request, an input line or an argument that cannot be accepted; it costs nobody else anything."""

    code = "invalid_request"
    exit_status = 2
    http_status = 422

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        super().__init__(where, problem, hint)
        self.where, self.problem, self.hint = where, problem, hint

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f" {self.hint}" if self.hint else "")


class Unmappable(HoldfastError):
    """A route's wire format has no way to say what the request says. Refused, never dropped."""

    code = "unmappable"
    exit_status = 1
    http_status = 422

    def __init__(self, wire: str, problem: str) -> None:
        super().__init__(wire, problem)
        self.wire, self.problem = wire, problem

    def __str__(self) -> str:
        return f"{self.wire} cannot carry this request: {self.problem}"


class StorageUnavailable(HoldfastError):
    """SQL cannot be reached or cannot write. Nothing was accepted."""

    code = "storage_unavailable"
    exit_status = 69
    http_status = 503

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return (
            f"the database {self.where} did not answer: {end_sentence(self.why)}. "
            "Nothing was accepted; send it again when it is back."
        )


class SchemaBehind(StorageUnavailable):
    """The database is at an earlier revision than this code needs. Processes of the earlier code work on."""

    code = "schema_behind"
    exit_status = 75

    def __init__(self, where: str, found: str, needed: str) -> None:
        super().__init__(where, f"it is at revision {found}, and {needed} is needed")
        self.args = (where, found, needed)
        self.found, self.needed = found, needed

    def __str__(self) -> str:
        return (
            f"the database {self.where} is at revision {self.found}, and this version needs {self.needed}. "
            "Run `holdfast db upgrade`: it changes nothing that running processes of the earlier version need."
        )


class QueueUnavailable(HoldfastError):
    """Redis cannot be reached. Submitting still works; jobs start when it is back."""

    code = "queue_unavailable"
    exit_status = 69
    http_status = 503

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return (
            f"Redis at {self.where} did not answer: {end_sentence(self.why)}. "
            "Accepted jobs are safe in SQL and start when it is back."
        )


class Conflict(HoldfastError):
    """The object is in a state in which this cannot be done."""

    code = "conflict"
    exit_status = 1
    http_status = 409

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


class Unauthorized(HoldfastError):
    """Nobody knows the caller: no API key, a wrong one, or one that was revoked or has expired."""

    code = "unauthorized"
    exit_status = 5
    http_status = 401

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return (
            f"{end_sentence(self.why)}. Send an API key as `Authorization: Bearer KEY` (Holdfast's own client and "
            "command line take it from HOLDFAST_API_KEY or the file that HOLDFAST_API_KEY_FILE names); "
            "`holdfast key create` makes one."
        )


class Forbidden(HoldfastError):
    """The caller is known, and this is not theirs to see or do."""

    code = "forbidden"
    exit_status = 5
    http_status = 403

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"not allowed: {end_sentence(self.why)}."


class EventsGone(HoldfastError):
    """A reader of events was away for longer than they are kept, or comes from another installation."""

    code = "events_gone"
    exit_status = 4
    http_status = 410

    def __init__(self, after: str, why: str) -> None:
        super().__init__(after, why)
        self.after, self.why = after, why

    def __str__(self) -> str:
        return (
            f"there is no way on from event evt_{self.after}: {end_sentence(self.why)}. "
            "List what ended meanwhile (`finished_after`), then begin without an id, or with `oldest`."
        )


class EventsAhead(EventsGone):
    """A reader of events has seen one that never happened here."""

    http_status = 404

    def __init__(self, after: str) -> None:
        super().__init__(after, "this installation has not come so far: it is from another one, or from a backup")


class ConfigError(HoldfastError):
    """Everything that is wrong with a configuration, at once."""

    code = "configuration"
    exit_status = 78

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class NoUsableKey(HoldfastError):
    """Nobody can be asked for a model: no credential of its routes leads to a key. Nothing was accepted.

    ``reasons`` by ``provider/credential``; empty where no provider is configured at all.
    """

    code = "no_usable_key"
    exit_status = 78
    http_status = 422

    def __init__(self, model: str, reasons: Mapping[str, str]) -> None:
        super().__init__(model, reasons)
        self.model, self.reasons = model, reasons

    def __str__(self) -> str:
        if not self.reasons:
            return (
                "no provider is configured: set ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, or write a "
                "holdfast.toml (`holdfast init` begins one; `holdfast up --sim` tries it without keys)."
            )
        why = end_sentence(told(self.reasons))
        return f"no route of {self.model} has a usable key: {why}. Set one where the workers run."


def told(reasons: Mapping[str, str]) -> str:
    """Say why no credential can be used, in one sentence's part."""
    return "; ".join(f"{why} ({credential})" for credential, why in reasons.items())
