from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from store.conftest import empty_file, postgres_store, postgres_url, store
from worker.workshop import workshop

__all__ = ["empty_file", "postgres_store", "postgres_url", "store", "workshop"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Events are logged to nobody: a console would draw every trace."""
    with capture_logs():
        yield
