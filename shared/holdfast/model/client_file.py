"""A file that a client uploaded through a compatible API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientFile:
    """A file without its content. Times are seconds since the epoch on SQL's clock."""

    id: str
    """Made when the upload begins."""
    tenant: str
    """Who owns it."""
    filename: str
    """The client's own name for it."""
    purpose: str
    """What the client says it is for."""
    size: int
    """Bytes as they were uploaded."""
    lines: int
    """Lines that are not blank."""
    created_at: float = 0.0
    """When its last byte was kept; set by the store."""
    expires_at: float | None = None
    """When it is deleted; set by the store. None: nobody said so."""
