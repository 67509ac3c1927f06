"""Reading the answer of an endpoint that has no neutral form: whole or not, and what it used.

Sources: OpenAI's API reference for embeddings, moderations, completions and images; the rerank references of Cohere and
Jina, which vLLM and other compatible servers follow.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.reply import Finish, Reply, Usage
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.finishes import read_end
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import figure

# What a whole answer of each documented endpoint holds: a list under one of these keys.
LISTS: Mapping[str, tuple[str, ...]] = {
    "/embeddings": ("data",),
    "/moderations": ("results",),
    "/completions": ("choices",),
    "/images/generations": ("data",),
    "/rerank": ("results", "data"),
}
INPUT = ("prompt_tokens", "input_tokens", "total_tokens")
OUTPUT = ("completion_tokens", "output_tokens")
FINISHES: Mapping[str, Finish] = {"stop": Finish.STOP, "length": Finish.LENGTH, "content_filter": Finish.REFUSED}


def read_endpoint_reply(endpoint: str, body: Any) -> Reply:
    """Read an answer of ``endpoint``, a path as in ``wire.endpoints``. Its body is for whoever asked.

    Raises: BadAnswer: it is no object, tells a failure, or lacks the list that its endpoint documents.
    """
    items = _items(endpoint, body)
    model = body.get("model")
    reply = Reply(text="", finish=Finish.STOP, usage=_usage(body), model=model if isinstance(model, str) else "")
    return reply.model_copy(update=_said(items)) if endpoint == "/completions" else reply


def _items(endpoint: str, body: Any) -> Sequence[Any]:
    keys = LISTS.get(endpoint)
    if keys is None:  # what it holds nobody here knows: only an error is no answer
        refuse_told_failure(body, answer=next(iter(body), "") if isinstance(body, Mapping) else "")
        return ()
    refuse_told_failure(body, answer=next((key for key in keys if key in body), keys[0]))
    found: list[Any] | None = next((body[key] for key in keys if isinstance(body.get(key), list)), None)
    if found is None:
        raise BadAnswer(f"the answer has no list {' or '.join(keys)}, as one of {endpoint} has.")
    return found


def _said(choices: Sequence[Any]) -> dict[str, Any]:
    """What the first choice of a completion says. Raises BadAnswer: it says that it failed."""
    first = choices[0] if choices and isinstance(choices[0], Mapping) else {}
    text, end = first.get("text"), read_end(first.get("finish_reason"), FINISHES, "completion")
    return {
        "text": text if isinstance(text, str) else "",
        "finish": end.finish or Finish.STOP,
        "finish_word": end.word,
        "choices": max(1, len(choices)),
    }


def _usage(body: Mapping[str, Any]) -> Usage:
    """Figures in OpenAI's words; Cohere's stand in ``meta``. Without any they are estimated."""
    meta = body.get("meta")
    places = (body.get("usage"), meta.get("tokens") if isinstance(meta, Mapping) else None)
    for figures in places:
        if given := _first(figures, INPUT):
            return Usage(input=given, output=_first(figures, OUTPUT))
    return Usage(estimated=True)


def _first(figures: Any, keys: tuple[str, ...]) -> int:
    return next((found for key in keys if (found := figure(figures, key))), 0)
