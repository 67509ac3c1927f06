"""Conversations by chance, from a seed: quick enough for tens of thousands, and each written as its format can."""

from random import Random
from typing import Any

from holdfast.model.request import (
    Document,
    Image,
    Output,
    Part,
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

WORDS = (
    "Paris",
    "",
    " ",
    "Zürich",
    "über",
    "雪",
    "a\nb",
    "{}",
    "null",
    "</s>",
    "the quick brown fox",
    "🙂",
    "0",
    '"',
    "\\",
)
IDS = ("call_1a", "toolu_01Xy", "functions.look:0", "c" * 50, "t-" * 60, "chatcmpl-tool-9", "ein ß", "call_2b")
THOUGHTS: dict[Api, dict[str, Any]] = {
    Api.ANTHROPIC: {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
    Api.OPENAI_RESPONSES: {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
}
OWN: dict[Api, dict[str, Any]] = {
    Api.ANTHROPIC: {
        "thinking": {"type": "adaptive"}, "service_tier": "auto", "speed": "fast", "inference_geo": "eu",
        "output_config": {"later": 1}, "metadata": {"team": "a"}, "cache_control": {"type": "ephemeral"},
    },
    Api.OPENAI_CHAT: {
        "seed": 7, "logit_bias": {"5": 1}, "metadata": {"a": "b"}, "verbosity": "low", "service_tier": "flex",
        "store": True, "prompt_cache_key": "k", "frequency_penalty": 0.5, "prediction": {"type": "content"},
    },
    Api.OPENAI_RESPONSES: {
        "truncation": "auto", "text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}, "metadata": {"a": "b"},
        "service_tier": "flex", "store": True, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
    },
}  # fmt: skip
SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"x": {"oneOf": [{"type": "string"}, {"type": "null"}]}}},
    {"type": "array", "items": {"type": "string", "pattern": "^a"}},
)
PARAMETERS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {"q": {"type": "array"}}},
    {"type": "object", "properties": {"q": {"type": "array"}}, "required": ["q"], "additionalProperties": False},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "additionalProperties": False},
    {"type": "object", "properties": {"o": {"type": "object"}}, "required": ["o"]},
)


class Chance:
    """Makes requests that ``api`` can say, and that its users do say."""

    def __init__(self, random: Random, api: Api) -> None:
        self._random, self._api = random, api

    def request(self) -> Request:
        maybe, pick = self._maybe, self._random.choice
        tools = self._tools()
        chat, claude = self._api is Api.OPENAI_CHAT, self._api is Api.ANTHROPIC
        fields: dict[str, Any] = {
            "turns": self._turns(),
            "system": maybe(pick(WORDS[:1] + WORDS[3:])),
            "max_tokens": self._random.randint(1, 9999) if claude else maybe(self._random.randint(1, 9999)),
            "tools": tools,
            "tool_choice": self._choice(tools),
            "output": maybe(self._output(), 0.3),
            "stop": tuple(self._some(("END", "\n\n", "stop", "###"), 3)) if chat or claude else (),
            "effort": maybe(pick(("low", "medium", "high", "xhigh", "max") + (() if claude else ("none", "minimal")))),
            "user": maybe(pick(("user-1", "u" * 90))),
            "native": self._own(),
        }
        fields["parallel_tools"] = maybe(pick((True, False))) if fields["tool_choice"] else None
        if not claude:
            fields |= {"temperature": maybe(0.25), "top_p": maybe(0.5)}
        return Request(**{key: value for key, value in fields.items() if value is not None})

    def _maybe(self, value: Any, often: float = 0.5) -> Any:
        return value if self._random.random() < often else None

    def _some(self, values: tuple[Any, ...], most: int) -> list[Any]:
        return self._random.sample(values, self._random.randint(0, most))

    def _own(self) -> dict[str, dict[str, Any]]:
        own = OWN[self._api]
        picked = {key: own[key] for key in self._some(tuple(own), 3)}
        return {self._api.value: picked} if picked else {}

    def _marks(self) -> dict[str, dict[str, Any]]:
        marked = self._random.random() < 0.2 and self._api is not Api.OPENAI_RESPONSES
        return {self._api.value: {"cache_control": {"type": "ephemeral"}}} if marked else {}

    def _text(self) -> Text:
        words = WORDS if self._api is not Api.ANTHROPIC else WORDS[:1] + WORDS[3:]
        return Text(text=self._random.choice(words), native=self._marks())

    def _shown(self) -> Part:
        """What a user shows: text, pictures, papers."""
        kind = self._random.random()
        if kind < 0.6:
            return self._text()
        if kind < 0.8:
            detail = None if self._api is Api.ANTHROPIC else self._maybe("low", 0.3)
            if self._random.random() < 0.5:
                return Image(url="https://example.org/a.png", detail=detail)
            return Image(media_type=self._random.choice(("image/png", "image/jpeg")), data="QUJD", detail=detail)
        if kind < 0.9 and self._api is not Api.OPENAI_CHAT:
            return Document(url="https://example.org/a.pdf", title=self._maybe("a.pdf"))
        kinds = ("application/pdf", "text/plain") + (() if self._api is Api.ANTHROPIC else ("text/csv",))
        title = self._random.choice(("a.pdf", "b")) if self._api is not Api.ANTHROPIC else self._maybe("a.pdf")
        return Document(media_type=self._random.choice(kinds), data="QUJD", title=title)

    def _turns(self) -> tuple[Turn, ...]:
        turns = [Turn(role=Role.USER, parts=tuple(self._shown() for _ in range(self._random.randint(1, 3))))]
        if self._random.random() < 0.1:
            turns.insert(0, Turn(role=Role.SYSTEM, parts=(self._text(),)))
        for _ in range(self._random.randint(0, 3)):
            turns += self._round()
        if self._random.random() < 0.1:
            turns.append(Turn(role=Role.SYSTEM, parts=(Text(text="And in French."),)))
            turns.append(Turn(role=Role.SYSTEM, parts=(Text(text="At once."),)))
            turns.append(Turn(role=Role.USER, parts=(self._shown(),)))
        return tuple(turns)

    def _round(self) -> list[Turn]:
        """An answer, its results, and more of the user."""
        calls = [ToolUse(id=id_, name="look", input={"q": [1, {"a": None}]}) for id_ in self._some(IDS, 2)]
        spoken: list[Part] = [self._text()] if not calls or self._random.random() < 0.5 else []
        if self._api in THOUGHTS and self._random.random() < 0.3:
            spoken.insert(0, Thought(dialect=self._api.value, block=THOUGHTS[self._api]))
        results: list[Part] = [self._result(call.id) for call in calls]
        more = [self._shown()] if not results or self._random.random() < 0.3 else []
        turns = [Turn(role=Role.ASSISTANT, parts=(*spoken, *calls))]
        if self._random.random() < 0.1:
            turns.append(
                Turn(role=Role.USER, parts=(*results, *more)) if results else Turn(role=Role.USER, parts=(*more,))
            )
            turns.append(Turn(role=Role.SYSTEM, parts=(Text(text="Be brief now."),)))
            return [*turns, Turn(role=Role.USER, parts=(self._shown(),))]
        return [*turns, *(Turn(role=Role.USER, parts=tuple(parts)) for parts in (results, more) if parts)]

    def _result(self, id_: str) -> ToolResult:
        shown = [self._text() if self._api is Api.OPENAI_CHAT else self._shown()]
        is_error = self._api is Api.ANTHROPIC and self._random.random() < 0.3
        return ToolResult(id=id_, parts=tuple(shown), is_error=is_error)

    def _tools(self) -> tuple[Tool, ...]:
        named = self._some(("look", "book", "f-1", "a" * 64), 2)
        strict = (True, False) if self._api is Api.OPENAI_RESPONSES else (True, False, None)
        return tuple(
            Tool(
                name=name,
                description=self._maybe("Looks."),
                parameters=self._random.choice(PARAMETERS),
                strict=self._random.choice(strict),
                native=self._marks(),
            )
            for name in named
        )

    def _choice(self, tools: tuple[Tool, ...]) -> ToolChoice | None:
        if not tools:
            return None
        picked = ToolChoice(mode="tool", name=self._random.choice(tools).name)
        return self._random.choice((None, ToolChoice(), ToolChoice(mode="any"), ToolChoice(mode="none"), picked))

    def _output(self) -> Output:
        schema = self._random.choice(SCHEMAS)
        if self._api is Api.ANTHROPIC:
            return Output(json_schema=SCHEMAS[0])
        if self._random.random() < 0.2:
            return Output()
        described = self._maybe("The answer.")
        return Output(name="city", json_schema=schema, strict=self._maybe(True), description=described)
