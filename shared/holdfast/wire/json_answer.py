"""JSON that a model put into a code fence, or behind its thoughts, where the job asked for JSON alone."""

from holdfast.model import exact_json
from holdfast.model.job import MappingNote
from holdfast.model.reply import Reply
from holdfast.model.request import Request

FENCE = "```"
# Perplexity's reasoning models answer so whatever shape is asked for (docs.perplexity.ai, "Structured outputs").
THOUGHTS = ("<think>", "</think>")


def unwrap_json(request: Request, reply: Reply) -> Reply:
    """Return the reply with bare JSON as its text, and a note, where its job asked for JSON and it holds it wrapped.

    What is JSON already, what holds none, or more than one fenced block, stays as it is.
    """
    asked = request.output is not None or any(rule.json_path is not None for rule in request.must)
    if not asked or reply.tool_calls or _is_json(reply.text):
        return reply
    thoughts, answer = _split(reply.text)
    found = next((text for text in (answer, *_fenced(answer)) if _is_json(text)), None)
    if found is None:
        return reply
    note = MappingNote("reply.text", "unwrapped: JSON was asked for, and stood in a code fence or behind thoughts")
    update = {"text": found.strip(), "reasoning": reply.reasoning or thoughts, "notes": (*reply.notes, note)}
    return reply.model_copy(update=update)


def _split(text: str) -> tuple[str, str]:
    """Part thoughts from what stands behind them.

    >>> _split("<think>Hm.</think> {}"), _split("{}")
    (('Hm.', ' {}'), ('', '{}'))
    """
    begin, end = THOUGHTS
    thoughts, found, answer = text.partition(end)
    if not found or not thoughts.lstrip().startswith(begin):
        return "", text
    return thoughts.lstrip().removeprefix(begin).strip(), answer


def _fenced(text: str) -> tuple[str, ...]:
    """Return what stands between the first fence and the last, with and without the language named there.

    >>> _fenced("Here: ```json {}```")
    ('json {}', '{}')
    """
    whole = text.partition(FENCE)[2].rpartition(FENCE)[0]
    words = whole.split(maxsplit=1)
    return whole, words[1] if len(words) > 1 else ""


def _is_json(text: str) -> bool:
    try:
        exact_json.loads(text)
    except ValueError:
        return False
    return True
