"""A browser as far as tests need one: it keeps cookies, says where its forms come from, and reads marked elements."""

from html.parser import HTMLParser
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

ORIGIN = {"origin": "http://127.0.0.1:8700"}
VOID = {"meta", "link", "input", "img", "br", "path", "rect"}


class Marked(HTMLParser):
    """Collects every element with its attributes, and the text inside those that carry a ``data-testid``."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.marked: dict[str, list[tuple[dict[str, str], list[str]]]] = {}
        self._open: list[tuple[str, list[str] | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        texts: list[str] | None = None
        if (mark := values.get("data-testid")) is not None:
            texts = []
            self.marked.setdefault(mark, []).append((values, texts))
        if tag not in VOID:
            self._open.append((tag, texts))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, texts in self._open:
            if texts is not None:
                texts.append(data)

    def value(self, mark: str) -> str:
        return self.marked[mark][0][0]["data-value"]

    def text(self, mark: str) -> str:
        return " ".join("".join(self.marked[mark][0][1]).split())


class Browser:
    def __init__(self, client: TestClient) -> None:
        self.client = client

    def open(self, path: str = "/ui") -> Response:
        return self.client.get(path)

    def read(self, path: str = "/ui") -> Marked:
        answer = self.open(path)
        assert answer.status_code == 200, answer.text
        return Marked(answer.text)

    def token(self, path: str = "/ui/jobs") -> str:
        inputs = (values for tag, values in self.read(path).elements if tag == "input")
        return next(values["value"] for values in inputs if values.get("name") == "token")

    def press(self, path: str, **fields: Any) -> Response:
        """Send a form of a page of ours."""
        return self.client.post(path, data={"token": self.token(), **fields}, headers=ORIGIN, follow_redirects=False)

    def log_in(self, key: str) -> Response:
        fields = {"token": self.token("/ui/login"), "key": key}
        return self.client.post("/ui/login", data=fields, headers=ORIGIN, follow_redirects=False)
