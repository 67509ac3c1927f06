"""What the strict decoding of each target takes of a JSON Schema, one row per target, each with its source.

What a row does not name, the target answers with 400, or ignores. Answers are always held against the schema that was
asked for, whatever a target was told of it.
"""

from dataclasses import dataclass

TYPES = frozenset({"type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"})
NAMED = frozenset({"$ref", "$defs", "definitions"})
WORDS = frozenset({"title", "description"})
TOLD = frozenset({"$schema", "$id", "$comment", "default", "examples"})  # annotations that decide nothing
NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
TEXTS = frozenset({"minLength", "maxLength", "pattern"})
ARRAYS = frozenset({"minItems", "maxItems"})
PLAIN = TYPES | NAMED | WORDS
OPENAI_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})


@dataclass(frozen=True, slots=True)
class StrictRules:
    """What one target takes. None of a bound: any number."""

    target: str
    source: str
    keywords: frozenset[str] = PLAIN | TOLD
    formats: frozenset[str] | None = None  # None: any
    least_items: frozenset[int] | None = None  # values of minItems; None: any
    closed: bool = True  # additionalProperties is false in every object
    all_required: bool = True  # every property is required
    optional: int | None = None  # properties that are not required, in all
    object_root: bool = True  # the outermost schema is an object, and no union
    recursion: bool = True
    ref_siblings: bool = True  # other keywords may stand beside $ref
    single_all_of: bool = False  # allOf holds one schema alone
    plain_enums: bool = False  # enum holds no objects or arrays
    patterns_with_lengths: bool = True  # minLength and maxLength may stand beside pattern or format
    whole_patterns: bool = False  # a pattern begins with ^ and ends with $
    properties: int | None = None  # in all
    depth: int | None = None  # objects inside of one another
    enum_values: int | None = None  # in all
    by_flag: bool = True  # strict: false switches its decoding off; else every schema must be one that it takes


OPENAI = StrictRules(
    "OpenAI",
    "developers.openai.com/api/docs/guides/structured-outputs#supported-schemas: types and bounds; objects closed, all "
    "required; no anyOf at the root; 5,000 properties, 10 levels, 1,000 enum values; no allOf, not, if, dependent*. "
    "Its 400s: '$ref cannot have keywords', 'default' and 'oneOf' are 'not permitted'.",
    keywords=PLAIN | NUMBERS | ARRAYS | {"pattern", "format", "$schema"},
    formats=OPENAI_FORMATS,
    ref_siblings=False,
    properties=5_000,
    depth=10,
    enum_values=1_000,
)
AZURE = StrictRules(
    "Azure",
    "learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs#unsupported-type-specific-keywords: no "
    "bounds of texts, numbers or arrays, no format; 100 properties, 5 levels; objects closed, all required.",
    keywords=PLAIN | {"$schema"},
    ref_siblings=False,
    properties=100,
    depth=5,
)
ANTHROPIC = StrictRules(
    "Anthropic",
    "platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations: no recursion, no bounds "
    "of numbers and texts, minItems 0 or 1 alone, objects closed, 24 optional properties, enum of plain values; the "
    "SDK's own transform (anthropic/lib/_parse/_transform.py) moves the rest into descriptions.",
    keywords=PLAIN | TOLD | {"allOf", "format", "minItems"},
    formats=OPENAI_FORMATS | {"uri"},
    least_items=frozenset({0, 1}),
    all_required=False,
    optional=24,
    object_root=False,
    recursion=False,
    plain_enums=True,
    by_flag=False,
)
GEMINI = StrictRules(
    "Gemini",
    "ai.google.dev/gemini-api/docs/structured-output#json_schema_support: enum, format of date, date-time and time, "
    "minimum, maximum, items, prefixItems, minItems, maxItems, properties, required, additionalProperties, anyOf; what "
    "it does not know it may answer with 400.",
    keywords=PLAIN | {"minimum", "maximum", "minItems", "maxItems", "prefixItems", "format", "$id"},
    formats=frozenset({"date-time", "date", "time"}),
    closed=False,
    all_required=False,
    object_root=False,
    ref_siblings=False,
    by_flag=False,
)
MISTRAL = StrictRules(
    "Mistral",
    "docs.mistral.ai/capabilities/structured_output/custom: schemas as its SDK makes them strict "
    "(mistralai/extra/utils/_pydantic_helper.py: objects closed, nothing beside $ref).",
    keywords=PLAIN | TOLD | NUMBERS | TEXTS | ARRAYS | {"format", "allOf"},
    all_required=False,
    ref_siblings=False,
)
GROQ = StrictRules(
    "Groq",
    "console.groq.com/docs/structured-outputs#schema-requirements: strict demands every property required and objects "
    "closed; unions by anyOf, recursion and $defs are taken.",
    keywords=PLAIN | TOLD,
)
XAI = StrictRules(
    "xAI",
    "docs.x.ai/developers/model-capabilities/text/structured-outputs: Draft 2020-12 with enum, const, anyOf, oneOf, "
    "allOf of one schema, $ref that is not circular, format of date, time, date-time, email, uuid, ipv4, ipv6; strict "
    "is implied, additionalProperties false where nothing is said. Lengths in a tool's schema are seen to fail (502).",
    keywords=PLAIN | TOLD | NUMBERS | {"format", "oneOf", "allOf", "pattern"},
    formats=frozenset({"date", "time", "date-time", "email", "uuid", "ipv4", "ipv6"}),
    closed=False,
    all_required=False,
    object_root=False,
    recursion=False,
    single_all_of=True,
    by_flag=False,
)
VLLM = StrictRules(
    "vLLM",
    "github.com/vllm-project/vllm/blob/main/vllm/v1/structured_output/backend_xgrammar.py, "
    "has_xgrammar_unsupported_json_features: no multipleOf, uniqueItems, contains, other formats, lengths beside a "
    "pattern or a format, and patternProperties or propertyNames beside properties; xgrammar's docs, json_schema.md: "
    "oneOf is read as anyOf, allOf holds one schema.",
    keywords=PLAIN | TOLD | TEXTS | ARRAYS | (NUMBERS - {"multipleOf"}) | {"format", "allOf", "oneOf", "prefixItems"},
    formats=OPENAI_FORMATS | {"uri", "uri-reference", "uri-template", "json-pointer", "relative-json-pointer"},
    closed=False,
    all_required=False,
    object_root=False,
    single_all_of=True,
    patterns_with_lengths=False,
    by_flag=False,
)
FIREWORKS = StrictRules(
    "Fireworks",
    "docs.fireworks.ai/structured-responses/structured-response-formatting#json-schema-support: no oneOf, no "
    "lengths of texts or arrays, no regular expressions.",
    keywords=PLAIN | TOLD | NUMBERS,
    closed=False,
    all_required=False,
    object_root=False,
    by_flag=False,
)
LLAMA_CPP = StrictRules(
    "llama.cpp",
    "github.com/ggml-org/llama.cpp/blob/master/grammars/README.md#json-schemas--gbnf: no uniqueItems, contains, not, "
    "if, dependent*, patternProperties, prefixItems, formats such as uri and email; a pattern begins with ^ and ends "
    "with $; $ref inside of the document alone, and nothing beside it.",
    keywords=PLAIN | TOLD | TEXTS | ARRAYS | (NUMBERS - {"multipleOf"}) | {"format", "allOf", "oneOf"},
    formats=frozenset({"date", "time", "date-time", "uuid"}),
    closed=False,
    all_required=False,
    object_root=False,
    ref_siblings=False,
    whole_patterns=True,
    by_flag=False,
)
TABLE = (OPENAI, AZURE, ANTHROPIC, GEMINI, MISTRAL, GROQ, XAI, VLLM, FIREWORKS, LLAMA_CPP)
