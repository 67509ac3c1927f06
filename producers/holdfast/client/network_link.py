"""Requests over the network, with the proxies and certificates of the environment."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from holdfast.client.errors import ServerUnavailable
from holdfast.client.server_link import ACCEPT, ServerAnswer, ServerRequest
from holdfast.model.loopback import is_loopback

SECONDS, CONNECT_SECONDS = 60.0, 5.0  # for one answer


class NetworkLink:
    """``key`` is an API key of the server, None where it wants none."""

    def __init__(self, url: str, key: str | None, transport: httpx2.BaseTransport | None) -> None:
        self.url = url
        self._http = httpx2.Client(
            base_url=f"{url}/api/v1",
            timeout=httpx2.Timeout(SECONDS, connect=CONNECT_SECONDS),
            transport=transport,
            headers=ACCEPT | ({"Authorization": f"Bearer {key}"} if key else {}),
            trust_env=not is_loopback(httpx2.URL(url).host),  # a proxy of the environment cannot reach our own loopback
        )

    def send(self, request: ServerRequest) -> ServerAnswer:
        with self._told():
            answer = self._http.request(
                request.method, request.path, content=request.content or None, headers=request.headers
            )
        return ServerAnswer(answer.status_code, answer.headers, answer.content)

    @contextmanager
    def open(self, path: str) -> Iterator[tuple[ServerAnswer, Iterator[bytes]]]:
        with self._told(), self._http.stream("GET", path) as answer:
            yield ServerAnswer(answer.status_code, answer.headers, b""), answer.iter_bytes()

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx2.HTTPError as error:
            raise ServerUnavailable(self.url, str(error) or type(error).__name__) from error
