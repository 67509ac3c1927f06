"""Keys of this installation's own API: who may speak to it, and as whom."""

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlmodel import Field, SQLModel


class ApiKeyRow(SQLModel, table=True):
    """``digest`` stands for the secret, which nobody keeps. ``tenant`` null: all tenants. Revoked ones stay listed."""

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("scopes <> ''", name="api_key_has_a_scope"),
        CheckConstraint("tenant <> ''", name="api_key_tenant_has_a_name"),
    )

    id: str = Field(primary_key=True, sa_type=String(16))
    name: str
    tenant: str | None = None
    scopes: str  # sorted, with blanks between them
    digest: str = Field(sa_type=String(64))
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    used_at: int | None = Field(default=None, sa_type=BigInteger)
