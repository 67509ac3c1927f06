"""What code may work on this schema."""

from sqlmodel import Field, SQLModel


class SchemaFloorRow(SQLModel, table=True):
    """One row: the oldest ``revision`` whose code may work here. A migration that takes something away raises it."""

    __tablename__ = "schema_floor"

    revision: str = Field(primary_key=True)
    """The oldest revision whose code may work here. Raised by a migration that takes something away."""
