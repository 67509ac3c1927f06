"""What a body says of a failure, wherever in it that stands: codes, sentences, waits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from holdfast.model.json_bounds import has_too_many_brackets

DEEPEST = 6  # levels of error inside error that are followed
MOST = 20  # entries of a list, and sentences, that are read
LONGEST = 2_000  # characters of a sentence that are read
CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
INNER = ("error", "Error", "innererror", "inner_error", "details", "detail", "metadata", "raw", "errors", "base_resp")
SENTENCES = (
    "message", "Message", "msg", "error_message", "errorMessage", "error_msg", "status_msg", "description",
    "error_description", "title", "error", "detail", "raw", "reason", "failed_generation_reason", "code",
)  # fmt: skip
CODES = (
    "error_code", "errorCode", "reason", "error_type", "errorType", "limit_source", "code", "Code", "status", "type",
    "__type",
)  # fmt: skip
WAITS = (
    "retryDelay", "retry_delay", "retry_after", "retryAfter", "retry-after", "retry_after_seconds", "resets_at",
    "resetsAt", "reset_at", "estimated_time", "X-RateLimit-Reset", "Retry-After",
)  # fmt: skip
WAITS_MS = ("retry_after_ms", "retryAfterMs", "retry-after-ms")
TAG = re.compile(r"<[^>]{0,2000}>")
TITLE = re.compile(r"<(title|h1)\b[^>]{0,200}>(.{0,300}?)</\1", re.IGNORECASE | re.DOTALL)
HTML = re.compile(r"\s*<(!doctype|html|head|body)", re.IGNORECASE)
PLAIN = 300  # characters of a plain text that are read
XML = re.compile(r"<(Code|Message)>(.{0,500}?)</\1>", re.DOTALL)  # AWS
LARGEST_CODE = 10_000_000


@dataclass(slots=True)
class ErrorBody:
    """What was found. ``is_page``: not an API's answer, but a page of what stands before it."""

    codes: list[str] = field(default_factory=list)
    """The most telling first: those of an inner error come before those around it."""
    sentences: list[str] = field(default_factory=list)
    """From the outermost to the innermost, each once."""
    params: list[str] = field(default_factory=list)
    """Which parts of the request they speak of."""
    waits: list[str] = field(default_factory=list)
    """As they are written."""
    statuses: list[int] = field(default_factory=list)
    """HTTP statuses that the body names by itself."""
    daily: bool = False
    """Whether a quota per day was used up."""
    is_page: bool = False

    @property
    def message(self) -> str:
        return "; ".join(self.sentences)

    def say(self, text: str) -> None:
        text = " ".join(text[:LONGEST].split())
        if text and len(self.sentences) < MOST and not any(text in known for known in self.sentences):
            self.sentences.append(text)

    def name(self, code: str) -> None:
        if code not in self.codes and len(self.codes) < MOST:
            self.codes.append(code)


def read_error_body(body: bytes, headers: Mapping[str, str] | None = None) -> ErrorBody:
    """Read an error's body in whatever form it is. Never raises."""
    found = ErrorBody()
    found.codes += amazon_code(headers or {})
    parsed = parse(body)
    if isinstance(parsed, Mapping | list | str):
        _read(parsed, found, 0)
    else:
        _read_page(body, found)
    return found


def read_inner_error(parsed: Any) -> ErrorBody:
    """Read what a 200 tells of a failure: only where it tells of one, so that no answer's text is taken for it."""
    found = ErrorBody()
    for part in _failures(parsed):
        _read(part, found, 0)
    return found


def parse(body: bytes | str) -> Any:
    """The JSON of a body; None where it is none, or too deep to be looked at."""
    try:
        raw = body.encode() if isinstance(body, str) else body
        return None if has_too_many_brackets(raw) else orjson.loads(raw)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None


def amazon_code(headers: Mapping[str, str]) -> list[str]:
    code = headers.get("x-amzn-errortype", "").partition(":")[0]
    return [code] if CODE.fullmatch(code) else []


def _failures(parsed: Any) -> Iterator[Any]:
    if not isinstance(parsed, Mapping):
        return
    base = parsed.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code") not in {0, None, "0"}:
        yield {"base_resp": base}
    if parsed.get("error"):
        yield {"error": parsed["error"]}
    elif parsed.get("object") == "error" or not parsed.keys() & {"choices", "content", "output", "data", "candidates"}:
        yield parsed
    for choice in _entries(parsed.get("choices")):
        if isinstance(choice, Mapping) and choice.get("error"):
            yield {"error": choice["error"]}


def _read(node: Any, found: ErrorBody, depth: int) -> None:
    if depth > DEEPEST:
        return
    if isinstance(node, str):
        _read_text(node, found, depth)
    elif isinstance(node, list):
        for entry in node[:MOST]:
            _read(entry, found, depth + 1)
    elif isinstance(node, Mapping):
        _read_object(node, found, depth)


def _read_text(text: str, found: ErrorBody, depth: int) -> None:
    """A sentence; or JSON inside a text, as gateways hand on what they were told."""
    parsed = parse(text) if text.lstrip()[:1] in {"{", "["} else None
    if isinstance(parsed, Mapping | list):
        _read(parsed, found, depth + 1)
    else:
        found.say(TAG.sub(" ", text[:LONGEST]))


def _read_object(node: Mapping[str, Any], found: ErrorBody, depth: int) -> None:
    place = _place(node)
    for key in SENTENCES:
        value = node.get(key)
        if isinstance(value, str) and (key not in {"code", "reason"} or " " in value.strip()):
            _read_text(
                f"{place}{value}" if place and not value.lstrip().startswith(("{", "[")) else value, found, depth
            )
    _read_waits(node, found)
    for key in INNER:
        if not isinstance(node.get(key), str):
            _read(node.get(key), found, depth + 1)
    _read_google(node, found)
    if "loc" not in node:  # a validator's own words for what it checks are no codes of the provider
        _read_codes(node, found)


def _place(node: Mapping[str, Any]) -> str:
    """Where in the request a validator found something: ``body.top_k: ``."""
    loc = node.get("loc") if "loc" in node else node.get("field") if "description" in node else None
    steps = loc if isinstance(loc, list) else [loc] if isinstance(loc, str) else []
    return f"{'.'.join(str(step)[:50] for step in steps[:10])}: " if steps else ""


def _read_codes(node: Mapping[str, Any], found: ErrorBody) -> None:
    if "flagged_input" in node or "reasons" in node:  # OpenRouter's moderation
        found.name("moderation")
    for key in CODES:
        for code in _codes(node.get(key)):
            if re.fullmatch(r"[45]\d\d", code):
                found.statuses.append(int(code))
            else:
                found.name(code)
    if isinstance(node.get("status_code"), int | str) and "status_msg" in node:
        found.name(f"base_resp.{node['status_code']}"[:100])
    if isinstance(param := node.get("param"), str):
        found.params.append(param[:100])


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_CODE:
        yield str(value)
    elif isinstance(value, str):
        code = value.rpartition("#")[2].strip()  # AWS puts a namespace before
        if CODE.fullmatch(code) and code != "error":
            yield code


def _read_waits(node: Mapping[str, Any], found: ErrorBody) -> None:
    headers = node.get("headers")  # OpenRouter repeats some among its metadata
    for place in (node, headers if isinstance(headers, Mapping) else {}):
        for key in WAITS:
            value = place.get(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found.waits.append(str(value)[:100])
        for key in WAITS_MS:
            if isinstance(value := place.get(key), int | float) and not isinstance(value, bool):
                found.waits.append(str(value / 1000))


def _read_google(node: Mapping[str, Any], found: ErrorBody) -> None:
    """``QuotaFailure`` and ``BadRequest`` of google.rpc."""
    violations = _entries(node.get("violations"))
    found.daily = found.daily or any("PerDay" in str(each) for each in violations)
    for violation in (*violations, *_entries(node.get("fieldViolations"))):
        if isinstance(violation, Mapping) and isinstance(violation.get("description"), str):
            _read_object({key: violation.get(key) for key in ("field", "description")}, found, DEEPEST)


def _entries(value: Any) -> list[Any]:
    return value[:MOST] if isinstance(value, list) else []


def _read_page(body: bytes, found: ErrorBody) -> None:
    text = body[: 10 * LONGEST].decode("utf-8", "replace")
    marked = XML.findall(text)
    for name, value in marked:
        if name == "Code" and CODE.fullmatch(value.strip()):
            found.name(value.strip())
        elif name == "Message":
            found.say(value)
    if marked:
        return
    found.is_page = HTML.match(text) is not None
    if found.is_page:
        for _, title in TITLE.findall(text):
            found.say(TAG.sub(" ", title))
    else:
        found.say(text[:PLAIN])
