"""Web pages of allowed origins may use the API, and of no others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from api.keys import add_key
from holdfast.api import create_app
from holdfast.config import Settings
from holdfast.model.access import KeyScope

PAGE = "https://app.example.com"
FROM_PAGE = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
ASKS = {**FROM_PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def opened(settings: Settings) -> Callable:
    @contextmanager
    def open_(*origins: str) -> Iterator[TestClient]:
        server = settings.server.model_copy(update={"allowed_origins": list(origins)})
        with TestClient(create_app(replace(settings, server=server)), base_url="http://127.0.0.1:8700") as client:
            yield client

    return open_


def test_none_may_by_default(api) -> None:
    for answer in (api.get("/api/v1/jobs", headers=FROM_PAGE), api.options("/api/v1/jobs", headers=ASKS)):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_an_allowed_one_may_ask_and_read(opened) -> None:
    with opened(PAGE) as api:
        asked = api.options("/api/v1/jobs", headers=ASKS)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
        answer = api.get("/api/v1/jobs", headers=FROM_PAGE)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "Location" in answer.headers["access-control-expose-headers"]


def test_another_one_may_not(opened) -> None:
    with opened(PAGE) as api:
        for origin in ("https://app.example.com.evil.example", "http://app.example.com", "null"):
            answer = api.get("/api/v1/jobs", headers=FROM_PAGE | {"Origin": origin})
            assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None)


def test_an_origin_is_no_key(opened, store) -> None:
    add_key(store, "default", KeyScope.READ)
    with opened(PAGE) as api:
        assert api.get("/api/v1/jobs", headers=FROM_PAGE).status_code == 401
