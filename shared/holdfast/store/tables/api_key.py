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
    """Drawn when the key is made, and part of its text; names it in lists, in `key revoke` and in the audit log."""
    name: str
    """What the operator calls it, given when it is made. Only people read it."""
    tenant: str | None = None
    """Whose jobs it may touch, given when it is made; null: every tenant's."""
    scopes: str
    """What it may do, given when it is made: sorted, with blanks between them."""
    digest: str = Field(sa_type=String(64))
    """Set when the key is made, from its secret, which is kept nowhere; every request's key is compared with it."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was made."""
    created_by: str
    """Who made it, as the audit log names them."""
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    """From when on it is refused, set when it is made; null: never."""
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    """When an operator ended it, once and for good; null until then. The row stays listed."""
    used_at: int | None = Field(default=None, sa_type=BigInteger)
    """When a request last came with it, written by the API once a minute at most; null before the first."""
