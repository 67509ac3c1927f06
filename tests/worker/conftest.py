from store.conftest import empty_file, postgres_store, postgres_url, store
from worker.workshop import workshop

__all__ = ["empty_file", "postgres_store", "postgres_url", "store", "workshop"]
