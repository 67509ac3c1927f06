"""One server on the loopback that is the provider of every route of a slice: the path says which."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from field.case import Answer, SeenRequest

Script = Mapping[str, Sequence[Answer]]  # by the provider's name


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class ScriptedProvider:
    """``seen``: the requests by provider, in the order in which they came."""

    def __init__(self, script: Script) -> None:
        self._script, self._lock = script, threading.Lock()
        self._said: Counter[tuple[str, int]] = Counter()
        self.seen: dict[str, list[SeenRequest]] = defaultdict(list)

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                name, _, path = self.path.lstrip("/").partition("/")
                answer = owner.answer(name, SeenRequest(f"/{path}", headers, body))
                said = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for header, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(header, value() if callable(value) else value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Say nothing: what came is kept."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, name: str, request: SeenRequest) -> Answer:
        """Keep the request and choose an answer: the next that takes it, and of each kind the last again."""
        with self._lock:
            self.seen[name].append(request)
            fit = [answer for answer in self._script[name] if answer.when(request)]
            kind = [answer for answer in fit if answer.when is fit[0].when]
            turn = self._said[name, id(kind[0].when)]
            self._said[name, id(kind[0].when)] += 1
            return kind[min(turn, len(kind) - 1)]
