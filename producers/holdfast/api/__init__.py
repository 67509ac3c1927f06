"""The HTTP side of Holdfast: a FastAPI application over the client and the storage."""

from holdfast.api.app import create_app
from holdfast.api.serving import serve

__all__ = ["create_app", "serve"]
