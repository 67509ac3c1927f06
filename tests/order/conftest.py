"""A store on either database, and lanes on a real server."""

from lanes.conftest import real, redis_url
from store.conftest import empty_file, postgres_store, postgres_url, store

__all__ = ["empty_file", "postgres_store", "postgres_url", "real", "redis_url", "store"]
