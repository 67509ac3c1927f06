"""Uploading a file: its form is spooled to the disk, its content kept in chunks, and then it can be seen.

A process that dies on the way leaves chunks that nobody sees, which retention deletes; the client sends the file again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from holdfast.api.auth.request_context import RequestContext
from holdfast.api.compatible.call_request import IDEMPOTENCY_KEY, creation_fingerprint, tries_before
from holdfast.api.compatible.kept_lines import MARK, keep_content
from holdfast.api.compatible.repeated_calls import WITHIN
from holdfast.client.unread_forms import packing_of, wide_encoding_of
from holdfast.model.client_file import ClientFile
from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT
from holdfast.model.storable import storable
from holdfast.store.file_chunks import drop_chunks
from holdfast.store.files import add_file, find_repeated_file
from holdfast.store.repeats import HALF

PURPOSES = ("batch",)
MOST_BYTES = 200 * 1024 * 1024
MOST_OF_A_LINE = 32 * 1024 * 1024
PIECE = 1024 * 1024  # bytes that are read at once
HEAD = 64  # bytes that tell what a file is
ANCHOR, SECONDS = "expires_after[anchor]", "expires_after[seconds]"
SOONEST, LATEST = 3_600, 2_592_000  # seconds of expires_after (OpenAI's API reference, "Upload file")


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form as it was sent."""

    content: IO[bytes]
    filename: str
    purpose: str
    expires_in: float | None


def read_form(form: FormData, keep_results: float | None) -> UploadForm:
    """Read the fields of an upload. Raises InvalidRequest."""
    file, purpose = form.get("file"), form.get("purpose")
    if not isinstance(file, UploadFile):
        raise InvalidRequest("file", "is missing; send it as a part of a multipart form.")
    if purpose not in PURPOSES:
        raise InvalidRequest("purpose", f"expected {' or '.join(PURPOSES)}, got {str(purpose)[:40]!r}.")
    if not file.size:
        raise InvalidRequest("file", "is empty.")
    if file.size > MOST_BYTES:
        raise InvalidRequest("file", f"has {file.size:,} bytes; {MOST_BYTES:,} are the most.", "Send it in parts.")
    refuse_unread_form(file.file)
    name = storable(file.filename) or "upload"
    return UploadForm(file.file, name[:255], str(purpose), expiry(form, keep_results))


def refuse_unread_form(content: IO[bytes]) -> None:
    """Refuse what has no line that could be read, before each of them is refused. Raises InvalidRequest."""
    content.seek(0)
    head = content.read(HEAD)
    if what := packing_of(head):
        raise InvalidRequest("file", f"is {what}; expected JSON lines in UTF-8.", "Unpack it first.")
    if encoding := wide_encoding_of(head):
        raise InvalidRequest("file", f"is written in {encoding}; expected JSON lines in UTF-8.")


def expiry(form: FormData, keep_results: float | None) -> float | None:
    """Return the seconds after which a file expires; None: it does not. Raises InvalidRequest."""
    if ANCHOR not in form and SECONDS not in form:
        return keep_results
    seconds = form.get(SECONDS)
    if form.get(ANCHOR) != "created_at" or not isinstance(seconds, str) or not seconds.isdigit():
        raise InvalidRequest("expires_after", "expected the anchor created_at and a number of seconds.")
    if not SOONEST <= int(seconds[:10]) <= LATEST:
        raise InvalidRequest("expires_after.seconds", f"expected {SOONEST:,} to {LATEST:,}.")
    return float(seconds)


async def keep_upload(context: RequestContext, upload: UploadForm) -> ClientFile:
    """Keep an upload; one that is repeated finds the file of the first try. Raises InvalidRequest, Conflict."""
    name = await run_in_threadpool(fingerprint_of, context, upload)
    async with context.app_state.repeated_calls.turns.take(name[:HALF]):
        return await run_in_threadpool(find_or_keep, context, upload, name)


def fingerprint_of(context: RequestContext, upload: UploadForm) -> str:
    digest = blake2b(digest_size=16)
    for piece in pieces(upload.content):
        digest.update(piece)
    key, said = context.request.headers.get(IDEMPOTENCY_KEY), (digest.digest(), upload.filename.encode())
    return creation_fingerprint(context.caller.name, context.request.url.path, key, *said)


def find_or_keep(context: RequestContext, upload: UploadForm, name: str) -> ClientFile:
    store, tenant = context.app_state.installation.ready(), context.tenant or DEFAULT_TENANT
    if is_repeat(context.request) and (earlier := store.read(find_repeated_file, tenant, name, WITHIN)):
        return earlier
    id_, count = new_id(), LineCount()
    try:
        keep_content(store, id_, count.of(pieces(upload.content)))
    except InvalidRequest:
        store.write(drop_chunks, id_)
        raise
    context.app_state.installation.crash_point("before_insert")
    file = ClientFile(id_, tenant, upload.filename, upload.purpose, count.size, count.lines)
    return store.write(add_file, file, name, upload.expires_in)


def is_repeat(request: Request) -> bool:
    return tries_before(request) > 0 or IDEMPOTENCY_KEY in request.headers


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    """Read a file from its beginning."""
    content.seek(0)
    return iter(lambda: content.read(PIECE), b"")


class LineCount:
    """Counts bytes, and lines that are not blank, while a content goes by."""

    def __init__(self) -> None:
        self.size = self.lines = 0
        self._number, self._length, self._blank = 1, 0, True

    def of(self, content: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what ``content`` yields. Raises InvalidRequest: a line is too long to be one request."""
        for piece in content:
            *ended, rest = (piece if self.size else piece.removeprefix(MARK)).split(b"\n")
            self.size += len(piece)
            for part in ended:
                self._take(part)
                self._end_line()
            self._take(rest)
            yield piece
        self._end_line()

    def _take(self, part: bytes) -> None:
        self._length += len(part)
        self._blank = self._blank and not part.strip()
        if self._length > MOST_OF_A_LINE:
            problem = f"line {self._number:,} is longer than {MOST_OF_A_LINE:,} bytes."
            raise InvalidRequest("file", problem, "Each line is one request.")

    def _end_line(self) -> None:
        self.lines += not self._blank
        self._number, self._length, self._blank = self._number + 1, 0, True
