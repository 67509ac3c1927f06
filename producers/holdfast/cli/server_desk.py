"""The desk that is a Holdfast server, over its native HTTP API."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from holdfast.cli.desk import Force, View
from holdfast.client.http import HttpBackend
from holdfast.client.key_file import find_key
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import JobFilter


class ServerDesk:
    def __init__(self, url: str) -> None:
        self.backend = HttpBackend(url, find_key())

    def jobs(self, where: JobFilter, limit: int, cursor: str | None = None) -> list[View]:
        return self._get("/jobs", _query(where) | {"limit": limit, "cursor": cursor})["jobs"]  # type: ignore[no-any-return]

    def job(self, name: str) -> View:
        return self._get(f"/jobs/{_job(name)}")

    def cancel_job(self, name: str) -> View:
        return self._post(f"/jobs/{_job(name)}/cancel")

    def batches(self, limit: int, cursor: str | None = None) -> list[View]:
        return self._get("/batches", {"limit": limit, "cursor": cursor})["batches"]  # type: ignore[no-any-return]

    def batch(self, name: str) -> View:
        return self._get(f"/batches/{_batch(name)}")

    def cancel_batch(self, name: str) -> View:
        return self._post(f"/batches/{_batch(name)}/cancel")

    def lanes(self) -> list[View]:
        return self._get("/lanes")["lanes"]  # type: ignore[no-any-return]

    def pause(self, lane: str, *, paused: bool) -> View:
        return self._post(f"/lanes/{quote(lane)}/{'pause' if paused else 'resume'}")

    def routes(self) -> list[View]:
        return self._get("/routes")["routes"]  # type: ignore[no-any-return]

    def force(self, route: str, want: Force) -> View:
        return self._post(f"/routes/{quote(route)}/{'open' if want == 'open' else 'close'}")

    def reset(self, route: str) -> View:
        return self._post(f"/routes/{quote(route)}/reset")

    def groups(self, where: JobFilter) -> list[View]:
        query = {name: value for name, value in _query(where).items() if name != "state"}
        return self._get("/dlq/groups", query)["groups"]  # type: ignore[no-any-return]

    def count(self, where: JobFilter, limit: int) -> int:
        return int(self._post("/dlq/drop", _bulk(where, limit) | {"dry_run": True})["jobs"])

    def replay(self, where: JobFilter, limit: int, per_minute: float | None) -> int:
        return int(self._post("/dlq/replay", _bulk(where, limit) | {"per_minute": per_minute})["jobs"])

    def drop(self, where: JobFilter, limit: int) -> int:
        return int(self._post("/dlq/drop", _bulk(where, limit))["jobs"])

    def drain(self, where: JobFilter, limit: int, to: Path) -> int:
        drained = self._post("/dlq/drain", _bulk(where, limit))
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            self.backend.download(str(drained["export_url"]).removeprefix("/api/v1"), file)
        return int(drained["jobs"])

    def ledger(self) -> View:
        return self._get("/ledger")

    def status(self) -> View:
        return self._get("/status")

    def _get(self, path: str, query: dict[str, Any] | None = None) -> View:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self.backend.call("GET", path, params=given)  # type: ignore[no-any-return]

    def _post(self, path: str, body: dict[str, Any] | None = None) -> View:
        return self.backend.call("POST", path, json=body or {})  # type: ignore[no-any-return]


def _job(name: str) -> str:
    return public_id("job", inner_id("job", name))


def _batch(name: str) -> str:
    return public_id("batch", inner_id("batch", name))


def _query(where: JobFilter) -> dict[str, Any]:
    """Write a filter as the API reads it."""
    return {
        "state": sorted(where.states) if where.states else None,
        "tenant": where.tenant,
        "model": where.model,
        "lane": where.lane,
        "batch": public_id("batch", where.batch) if where.batch else None,
        "fault": where.fault,
        "id": [public_id("job", job) for job in where.ids] if where.ids else None,
        "created_after": where.created_after,
        "created_before": where.created_before,
        "finished_after": where.finished_after,
        "finished_before": where.finished_before,
    }


def _bulk(where: JobFilter, limit: int) -> dict[str, Any]:
    given = {name: value for name, value in _query(where).items() if value is not None and name != "state"}
    return given | {"all": not given, "dry_run": False, "limit": limit}
