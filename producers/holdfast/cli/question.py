"""One question as a job: a prompt with files, and the model that answers where none was named."""

import base64
import mimetypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.client.backend import Backend
from holdfast.client.submit_request import Item
from holdfast.model.errors import Forbidden, InvalidRequest

if TYPE_CHECKING:
    from holdfast.model.request import Document, Image, Text

MOST_BYTES = 32 * 1024 * 1024  # of one file
DOCUMENTS = frozenset({"application/pdf"})
STDIN = "-"


def question(prompt: str, files: list[Path], *, system: str | None, max_tokens: int | None) -> Item:
    """Build the item to submit. Raises InvalidRequest: a file cannot be sent."""
    text = readable(sys.stdin.buffer.read() if prompt == STDIN else os.fsencode(prompt), prompt)
    if not text.strip() and not files:
        where = "standard input" if prompt == STDIN else "PROMPT"
        raise InvalidRequest(where, "is empty: there is nothing to ask.", 'As in: holdfast ask "What is a holdfast?"')
    if not files:
        said = {"prompt": text, "system": system, "max_tokens": max_tokens}
        return {name: value for name, value in said.items() if value is not None}
    from holdfast.model.request import Request, Role, Text, Turn  # slow to import, and few send files

    parts = tuple([part_of(file) for file in files] + [Text(text=text)])
    return Request(turns=(Turn(role=Role.USER, parts=parts),), system=system, max_tokens=max_tokens)


def readable(said: bytes, prompt: str) -> str:
    """Decode what is asked. Raises InvalidRequest: it is no text."""
    try:
        return said.decode()
    except UnicodeDecodeError as error:
        where = "standard input" if prompt == STDIN else "PROMPT"
        problem = f"is no UTF-8 text: byte {error.start + 1} cannot be read."
        raise InvalidRequest(where, problem, "Convert it, as with iconv -f WINDOWS-1252 -t UTF-8.") from None


def default_model(backend: Backend) -> str:
    """Take the first alias that is configured. Raises InvalidRequest where there is none, or a server decides."""
    models = served(backend)
    if backend.installation is not None and not models:
        backend.installation.usable_keys.demand([])
    if not models:
        raise InvalidRequest("--model", "is needed: no alias is to be seen.", "Name provider/model.")
    return models[0]


def served(backend: Backend) -> list[str]:
    """List the aliases that jobs can name, as far as they are to be seen."""
    if backend.installation is not None:
        return list(backend.installation.settings.models)
    try:
        return [model for route in backend.routes()["routes"] for model in route["models"]]
    except Forbidden:  # the key submits, and sees no routes
        return []


def part_of(path: Path) -> "Text | Image | Document":
    """Read a file as a part of the prompt: a picture, a PDF, or UTF-8 text under its name."""
    from holdfast.model.request import Document, Image, Text  # slow to import

    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise InvalidRequest(str(path), f"is larger than {MOST_BYTES // 1024**2} MB.", "Send less of it.")
    kind = mimetypes.guess_type(path.name)[0] or ""
    if kind.startswith("image/"):
        return Image(media_type=kind, data=base64.b64encode(data).decode())
    if kind in DOCUMENTS:
        return Document(media_type=kind, data=base64.b64encode(data).decode(), title=path.name)
    try:
        return Text(text=f"{path.name}:\n\n{data.decode()}")
    except UnicodeDecodeError:
        raise InvalidRequest(str(path), "is neither a picture, a PDF nor UTF-8 text.") from None
