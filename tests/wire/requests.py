"""Requests for property tests: what each wire format can say, and what all three can."""

from typing import Any

from hypothesis import strategies as st

from holdfast.model.request import (
    Document,
    Image,
    Output,
    Request,
    Role,
    Text,
    Thought,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.model.route import Api

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
names = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)
ids = st.from_regex(r"(call|toolu)_[A-Za-z0-9]{4,12}", fullmatch=True)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(names, json, max_size=3)
texts = st.builds(Text, text=words.filter(str.strip))
data = st.sampled_from(["AAAA", "QUJD", "aGVsbG8="])
inline_images = st.builds(Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=data)
linked_images = st.builds(Image, url=st.sampled_from(["https://example.org/a.png", "http://example.org/b"]))
images = inline_images | linked_images
detailed_images = images.map(lambda image: image.model_copy(update={"detail": "low"}))
papers = st.builds(Document, media_type=st.just("application/pdf"), data=data, title=words)
linked_papers = st.builds(Document, url=st.just("https://example.org/a.pdf"), title=st.none() | words)
calls = st.builds(ToolUse, id=ids, name=names, input=objects)


def closed_schemas() -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.sampled_from([{"type": kind} for kind in ("string", "integer", "boolean", "null")])
    return st.dictionaries(names, leaf, min_size=1, max_size=3).map(
        lambda fields: {
            "type": "object",
            "properties": fields,
            "required": sorted(fields),
            "additionalProperties": False,
        }
    )


def results(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[ToolResult]:
    return st.builds(ToolResult, id=ids, parts=st.lists(parts, min_size=1, max_size=2).map(tuple))


@st.composite
def conversations(draw: st.DrawFn, said: st.SearchStrategy[Any], told: st.SearchStrategy[Any]) -> tuple[Turn, ...]:
    """Turns that alternate, from the user to the user. Calls are answered in the next turn, by results alone."""
    turns = [Turn(role=Role.USER, parts=tuple(draw(st.lists(said, min_size=1, max_size=3))))]
    for _ in range(draw(st.integers(0, 2))):
        drawn = draw(st.lists(calls, max_size=2))
        asked = [call.model_copy(update={"id": f"{call.id}{len(turns)}{at}"}) for at, call in enumerate(drawn)]
        spoken = draw(st.lists(texts, min_size=0 if asked else 1, max_size=1))
        turns.append(Turn(role=Role.ASSISTANT, parts=(*spoken, *asked)))
        answered = told if asked else said
        turns.append(Turn(role=Role.USER, parts=tuple(draw(st.lists(answered, min_size=1, max_size=2)))))
    return tuple(turns)


def tools(strict: st.SearchStrategy[bool | None]) -> st.SearchStrategy[tuple[Tool, ...]]:
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    tight = loose | {"required": ["a"], "additionalProperties": False}  # what strict decoding takes everywhere
    made = st.builds(Tool, name=names, description=st.none() | words, parameters=st.just(loose), strict=strict)
    tool = made.map(lambda tool: tool.model_copy(update={"parameters": tight}) if tool.strict else tool)
    return st.lists(tool, max_size=3, unique_by=lambda made: made.name).map(tuple)


@st.composite
def choices(draw: st.DrawFn, offered: tuple[Tool, ...]) -> ToolChoice | None:
    if not offered:
        return None
    picked = ToolChoice(mode="tool", name=draw(st.sampled_from(offered)).name)
    return draw(st.none() | st.sampled_from([*(ToolChoice(mode=m) for m in ("auto", "any", "none")), picked]))


@st.composite
def shared(draw: st.DrawFn, **own: st.SearchStrategy[Any]) -> Request:
    """A request that all three formats can say; ``own`` adds or replaces fields."""
    offered = draw(own.pop("tools", tools(st.booleans())))
    choice = draw(choices(offered))
    parallel = draw(st.none() | st.booleans()) if choice and choice.mode != "none" else None
    fields: dict[str, st.SearchStrategy[Any]] = {
        "turns": conversations(texts | images | papers, results(texts)),
        "system": st.none() | words,
        "max_tokens": st.integers(1, 100_000),
        "output": st.none() | st.builds(Output, json_schema=closed_schemas()),
        "effort": st.none() | st.sampled_from(["low", "medium", "high", "xhigh", "max"]),
        "user": st.none() | names,
        **own,
    }
    drawn = {name: draw(strategy) for name, strategy in fields.items()}
    return Request(tools=offered, tool_choice=choice, parallel_tools=parallel, **drawn)


def native(api: Api, **fields: Any) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    return st.sampled_from([{}, {api.value: fields}])


sampling = {"temperature": st.none() | st.floats(0, 2), "top_p": st.none() | st.floats(0, 1)}
outputs = st.none() | st.builds(
    Output, json_schema=st.none() | closed_schemas(), strict=st.none() | st.booleans(), description=st.none() | words
).filter(lambda output: output.json_schema is not None or (output.strict is None and output.description is None))
stops = st.lists(words.filter(str.strip), max_size=4).map(tuple)


def with_native(parts: st.SearchStrategy[Any], api: Api) -> st.SearchStrategy[Any]:
    marked = {api.value: {"cache_control": {"type": "ephemeral"}}}
    return st.one_of(parts, parts.map(lambda part: part.model_copy(update={"native": marked})))


@st.composite
def thinking(draw: st.DrawFn, turns: st.SearchStrategy[tuple[Turn, ...]], api: Api) -> tuple[Turn, ...]:
    """The same turns, with sealed reasoning before some answers."""
    thought = Thought(dialect=api.value, block=_BLOCKS[api])
    return tuple(
        turn.model_copy(update={"parts": (thought, *turn.parts)})
        if turn.role is Role.ASSISTANT and draw(st.booleans())
        else turn
        for turn in draw(turns)
    )


_BLOCKS = {
    Api.ANTHROPIC: {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
    Api.OPENAI_RESPONSES: {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
}

# Everything that each format says of the neutral request, and what only it knows.
SAYABLE: dict[Api, st.SearchStrategy[Request]] = {
    Api.ANTHROPIC: shared(
        turns=thinking(
            conversations(
                with_native(texts | images | papers | linked_papers, Api.ANTHROPIC), results(texts | images | papers)
            ),
            Api.ANTHROPIC,
        ),
        tools=tools(st.none() | st.booleans()),
        stop=stops,
        native=native(Api.ANTHROPIC, thinking={"type": "adaptive"}, service_tier="auto", metadata={"a": "b"}),
    ),
    Api.OPENAI_CHAT: shared(
        turns=conversations(
            with_native(texts | papers | images | detailed_images, Api.OPENAI_CHAT),
            results(texts),
        ),
        tools=tools(st.none() | st.booleans()),
        max_tokens=st.none() | st.integers(1, 1000),
        output=outputs,
        stop=stops,
        effort=st.none() | st.sampled_from(["none", "minimal", "low", "max"]),
        native=native(Api.OPENAI_CHAT, seed=7, logit_bias={"5": 1}, metadata={"a": "b"}, tool_choice={"type": "x"}),
        **sampling,
    ),
    Api.OPENAI_RESPONSES: shared(
        turns=thinking(
            conversations(texts | images | papers | linked_papers, results(texts | images | papers)),
            Api.OPENAI_RESPONSES,
        ),
        max_tokens=st.none() | st.integers(1, 1000),
        output=outputs,
        effort=st.none() | st.sampled_from(["none", "minimal", "low", "max"]),
        native=native(Api.OPENAI_RESPONSES, truncation="auto", text={"verbosity": "low"}, reasoning={"summary": "a"}),
        **sampling,
    ),
}  # fmt: skip
