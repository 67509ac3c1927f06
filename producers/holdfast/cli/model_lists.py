"""What models a provider has, asked once: for the configuration that `holdfast init` begins."""

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from holdfast.config.presets import Preset
from holdfast.model.route import Api

SECONDS = 5.0  # for a provider's answer, in all
HERE_SECONDS = 0.5  # for a server of this machine
LARGEST = 4 * 1024 * 1024  # bytes of an answer
NAME = re.compile(r"[\w./:@+-]{1,200}")  # of a model, as it can stand in a file
NO_CHAT = re.compile(
    r"embed|whisper|tts|audio|image|vision-preview|moderation|guard|rerank|ocr|transcri|realtime|dall-e|sora|veo|imagen"
    r"|search|speech|babbage|davinci|instruct-0|-live|computer-use",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ModelList:
    """What a provider answered: its models by name, or ``why`` it told none."""

    models: tuple[str, ...] = ()
    why: str = ""

    def choose(self, usual: str | None) -> str | None:
        """Return the ``usual`` model where the provider has it, or told none; else its first that chats."""
        if usual is not None and (usual in self.models or not self.models):
            return usual
        return next((model for model in self.models if not NO_CHAT.search(model)), None)


def ask_all(presets: Mapping[str, Preset], env: Mapping[str, str]) -> dict[str, ModelList]:
    """Ask every provider at once. Each key goes to its own provider."""
    if not presets:
        return {}
    with ThreadPoolExecutor(max_workers=len(presets)) as pool:
        asked = pool.map(partial(ask, env=env), presets.values())
        return dict(zip(presets, asked, strict=True))


def ask(preset: Preset, env: Mapping[str, str]) -> ModelList:
    """Ask one provider for its models."""
    import httpx2

    key = env.get(preset.key, "") if preset.key else ""
    try:
        answer = httpx2.get(
            f"{preset.address}{'/v1' if preset.api is Api.ANTHROPIC else ''}/models",
            headers=login(preset, key),
            timeout=SECONDS if preset.key else HERE_SECONDS,
            follow_redirects=False,
            trust_env=bool(preset.key),
        )
    except (httpx2.HTTPError, OSError) as error:
        return ModelList(why=f"it could not be reached ({type(error).__name__})")
    if not answer.is_success:
        return ModelList(why=f"it answered {answer.status_code}" + (": is the key right?" if key else ""))
    models = tuple(names_in(answer.content[:LARGEST]))
    return ModelList(models) if models else ModelList(why="its answer lists no models")


def login(preset: Preset, key: str) -> dict[str, str]:
    """Return the headers that show a key as the provider wants it."""
    if not key:
        return {}
    if preset.api is Api.ANTHROPIC:
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {key}"}


def names_in(body: bytes) -> Iterable[str]:
    """Yield the names of models in an answer, as OpenAI and Anthropic list them; some send the list alone.

    >>> list(names_in(b'{"data": [{"id": "models/gemini-3-pro"}, {"id": "b"}, 7]}'))
    ['gemini-3-pro', 'b']
    """
    try:
        value: Any = json.loads(body)
    except ValueError:
        return
    listed = value.get("data") if isinstance(value, dict) else value
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(name := each.get("id"), str) and NAME.fullmatch(name):
            yield name.removeprefix("models/")
