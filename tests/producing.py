"""What tests of the client and the API share: a configuration, and a stand-in for the worker."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn

from attempts import ended
from holdfast.api import create_app
from holdfast.config import Settings, load
from holdfast.config.pool_socket import listening, pool_socket
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import ProviderResponse
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, DeathReason, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Text
from holdfast.model.route import Price
from holdfast.model.step import Bury, Complete
from holdfast.store import Store
from holdfast.store.backlog import lane_heads
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker

PRICE = Price(input=5.0, output=25.0)
ROUTE = "anthropic/claude-opus-4-8"
NOBODY = "redis://127.0.0.1:1/0"  # no Redis listens there
CONFIG = """
[storage]
database_url = "sqlite:///{directory}/holdfast.db"
redis_url = "{redis_url}"
directory = "{directory}"

[providers.anthropic]
api = "anthropic"
base_url = "http://127.0.0.1:9"
credentials = [{{ name = "main", secret = "none" }}]

[providers.openai]
api = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
credentials = [{{ name = "main", secret = "none" }}]

[models.smart]
routes = [
  {{ provider = "anthropic", model = "claude-opus-4-8", price = {{ input = 5.0, output = 25.0 }} }},
  {{ provider = "openai", model = "gpt-5.4" }},
]
"""


def configured(directory: Path, *, redis_url: str = NOBODY) -> Settings:
    """Write a configuration into ``directory`` and load it."""
    file = directory / "holdfast.toml"
    file.write_text(CONFIG.format(directory=directory, redis_url=redis_url))
    return load(file, {})


class StandInWorker:
    """Claims what heads the lanes and finishes it through the store, as a worker would; no provider is asked."""

    def __init__(self, store: Store) -> None:
        self.store, self.id = store, new_id()
        store.write(register_worker, self.id, host="here", pid=1, version="test", lease=600.0)

    def claim(self, lane: str = "smart.batch", jobs: int = 1_000) -> list[Claimed]:
        return self.store.write(
            claim, self.id, [permit(offer.id, lane) for offer in self.store.read(lane_heads, lane, jobs)]
        )

    def answer(self, lane: str = "smart.batch", jobs: int = 1_000, *, free: bool = False) -> int:
        """Answer every job with its own prompt, upper case; ``free``: at no price that anybody knows."""
        return self.finish_with_reply(self.claim(lane, jobs), price=None if free else PRICE)

    def respond(self, body: bytes, read: Reply | None = None, *, lane: str = "smart.batch", jobs: int = 1_000) -> int:
        """Answer every job with the body of a provider, which is kept; ``read`` is the reading of it."""
        response = ProviderResponse(200, body, "req_1")
        return self.finish([
            ended(job, permit(job.id, lane), read or reply(job), Complete(), price=PRICE, response=response)
            for job in self.claim(lane, jobs)
        ])  # fmt: skip

    def finish_with_reply(self, jobs: list[Claimed], price: Price | None = PRICE) -> int:
        return self.finish([ended(job, permit(job.id, job.lane), reply(job), Complete(), price=price) for job in jobs])

    def bury(self, lane: str = "smart.batch", jobs: int = 1_000, body: bytes | None = None) -> int:
        return self.finish([self.buried(job, body) for job in self.claim(lane, jobs)])

    def buried(self, job: Claimed, body: bytes | None = None) -> Attempt:
        """The attempt that ends a claimed job, refused by its provider."""
        fault = Fault(FaultKind.INVALID_REQUEST, "the provider said: no such parameter", 400, "bad_parameter")
        step = Bury(DeathReason(fault.kind, fault.message, fault.status, fault.code))
        told = {} if body is None else {"response": ProviderResponse(400, body, "req_2")}
        return ended(job, permit(job.id, job.lane), fault, step, **told)

    def finish(self, attempts: list[Attempt]) -> int:
        return sum(self.store.write(finish, attempts))


def permit(job: str, lane: str) -> Permit:
    return Permit(new_id(), job, lane, ROUTE, "main", {})


def reply(claimed: Claimed) -> Reply:
    said = claimed.request.turns[-1].parts if claimed.request.turns else ()
    prompt = "".join(part.text for part in said if isinstance(part, Text))
    return Reply(
        text=prompt.upper(), finish=Finish.STOP, usage=Usage(input=10, output=4), model="claude-opus-4-8-20260401"
    )


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve the API on a free loopback port, in a thread, and say where."""
    config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    with running(uvicorn.Server(config)) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def served_as_pool(settings: Settings) -> Iterator[Path]:
    """Serve the API as `holdfast up` does for commands of the working directory, and say on which socket."""
    path = pool_socket(settings.source)
    path.parent.mkdir(exist_ok=True)
    config = uvicorn.Config(create_app(settings, path), log_level="warning", timeout_graceful_shutdown=1)
    with listening(path) as listener, running(uvicorn.Server(config), listener):
        yield path


@contextmanager
def running(server: uvicorn.Server, unix: socket.socket | None = None) -> Iterator[int]:
    """Run a server on a free loopback port, in a thread, and say which. ``unix``: another place where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener, *([unix] if unix else [])]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)
