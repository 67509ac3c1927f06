"""A conversation's way to another provider and back again, over real JSON."""

from collections.abc import Iterator
from random import Random
from types import ModuleType

import orjson

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingReport
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from wire.carried import silent_losses
from wire.chance import Chance

DIALECTS: dict[Api, ModuleType] = {
    Api.ANTHROPIC: anthropic,
    Api.OPENAI_CHAT: chat,
    Api.OPENAI_RESPONSES: responses,
}
REFUSED = "refused"


def carried(api: Api, request: Request) -> tuple[Request, MappingReport]:
    """Write ``request`` for ``api`` and read what its provider would. Raises Unmappable."""
    body, report = DIALECTS[api].write_request(request, "m")
    return DIALECTS[api].read_request(orjson.loads(orjson.dumps(body))), report


def journey(seed: int) -> tuple[str, list[str]]:
    """One conversation from a provider to another one and back: its kind, and what was lost in silence."""
    random = Random(seed)
    home, away = random.sample(list(DIALECTS), 2)
    try:
        first, _ = carried(home, Chance(random, home).request())  # as its user wrote it
        there, to = carried(away, first)
    except Unmappable:
        return REFUSED, []
    losses = [f"{home} -> {away}: {loss}" for loss in silent_losses(first, to, there)]
    try:
        back, fro = carried(home, there)
    except Unmappable:
        return f"{home} to {away}", losses
    return f"{home} to {away}", losses + [f"{away} -> {home}: {loss}" for loss in silent_losses(there, fro, back)]


def journeys(first: int, conversations: int) -> Iterator[tuple[int, str, list[str]]]:
    """So many conversations that could be carried, from seed ``first`` on; those refused are yielded besides."""
    seed = first
    while conversations:
        kind, losses = journey(seed)
        yield seed, kind, losses
        conversations -= kind != REFUSED
        seed += 1
