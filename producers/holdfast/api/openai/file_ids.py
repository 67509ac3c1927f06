"""Names of files: those of uploads, and those of a batch's output, which is written from SQL when it is read."""

import re
from dataclasses import dataclass
from typing import Literal

from holdfast.model.errors import NotFound

FILE_ID = re.compile(r"file-(?P<id>[0-9a-f]{32})(?:-(?P<part>output|error))?")
OutputPart = Literal["output", "error"]


@dataclass(frozen=True, slots=True)
class FileId:
    """``id`` is an upload's, or a batch's where ``part`` says which of its files is meant."""

    id: str
    part: OutputPart | None = None

    def __str__(self) -> str:
        return f"file-{self.id}" + (f"-{self.part}" if self.part else "")


def read_file_id(text: str) -> FileId:
    """Read the name of a file. Raises NotFound: nothing is called so."""
    found = FILE_ID.fullmatch(text)
    if found is None:
        raise NotFound("File", text[:80])
    part: OutputPart | None = "output" if found["part"] == "output" else "error" if found["part"] else None
    return FileId(found["id"], part)
