"""Reading the answer of an endpoint that has no neutral form: whole or not, and what it used.

Sources: OpenAI's API reference for embeddings, moderations, completions and images; the rerank references of Cohere and
Jina, which vLLM and other compatible servers follow.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.wire.bad_answer import BadAnswer
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
    if not isinstance(body, Mapping):
        raise BadAnswer("the answer is no JSON object.")
    if error := body.get("error"):
        raise _told(error)
    items = _items(endpoint, body)
    model = body.get("model")
    return Reply(
        text=_text(items) if endpoint == "/completions" else "",
        finish=_finish(items) if endpoint == "/completions" else Finish.STOP,
        usage=_usage(body),
        model=model if isinstance(model, str) else "",
    )


def _told(error: Any) -> BadAnswer:
    fields = error if isinstance(error, Mapping) else {"message": error}
    code, message = fields.get("code") or fields.get("type"), fields.get("message")
    told = str(message or "")[:1000]
    return BadAnswer("the answer tells a failure.", FaultKind.BAD_ANSWER, str(code)[:100] if code else None, told)


def _items(endpoint: str, body: Mapping[str, Any]) -> Sequence[Any]:
    keys = LISTS.get(endpoint, ())
    found = next((body[key] for key in keys if isinstance(body.get(key), list)), None)
    if keys and found is None:
        raise BadAnswer(f"the answer has no list {' or '.join(keys)}, as one of {endpoint} has.")
    return found or ()


def _text(choices: Sequence[Any]) -> str:
    first = choices[0] if choices else None
    text = first.get("text") if isinstance(first, Mapping) else None
    return text if isinstance(text, str) else ""


def _finish(choices: Sequence[Any]) -> Finish:
    first = choices[0] if choices else None
    word = first.get("finish_reason") if isinstance(first, Mapping) else None
    return FINISHES.get(str(word).lower(), Finish.STOP)


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
