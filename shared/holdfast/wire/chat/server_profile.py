"""How servers of the Chat Completions format differ: one row per kind of server, chosen by name or by address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from holdfast.model.route import Dialect
from holdfast.wire import strict_rules
from holdfast.wire.call_ids import CHAT_IDS, MISTRAL_IDS, IdRule
from holdfast.wire.effort import LEVELS, nearest_level
from holdfast.wire.strict_rules import StrictRules

PLAIN = re.compile(r"^(?:openai/)?(?:chatgpt-|gpt-[34])")  # OpenAI's models that know no effort
REASONING = re.compile(r"^(?:openai/)?(?:o[1-9]\b|gpt-[5-9])")  # they refuse max_tokens, stop and sampling
SIGNING = re.compile(r"gemini-(?:[3-9]|\d\d)")  # Gemini's models that want each call's thought signature back
THREE = frozenset({"low", "medium", "high"})
STORED = frozenset({"store", "metadata", "service_tier", "safety_identifier", "moderation"})  # services of OpenAI's own
CACHED = frozenset({"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"})
SHAPES = frozenset({"json_object", "json_schema"})


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """How one kind of server differs from OpenAI's.

    ``user`` None: it has no such field. ``efforts`` that it knows; None: whatever its model knows. ``cuts``: a prompt
    that is too long is cut, and nothing is said. ``decoding`` None: it decodes with whatever it understands. Of the
    servers without ``developer`` some answer 400 (DeepSeek: "unknown variant `developer`"), others hand the role to a
    chat template that knows system, user and assistant.
    """

    name: str
    max_tokens: str
    user: str | None
    source: str
    refused: frozenset[str] = frozenset()  # keys of the body that it answers with 400 or 422, or ignores to our harm
    refused_in_messages: frozenset[str] = frozenset()
    developer: bool = True  # it knows the role, which is called system elsewhere
    empty_parameters: bool = True  # a tool's schema may be an object without properties
    single: bool = False  # n above 1 is refused
    stops: int | None = 4  # stop sequences at most
    cuts: bool = False
    efforts: frozenset[str] | None = None
    call_ids: IdRule = CHAT_IDS
    decoding: StrictRules | None = strict_rules.OPENAI
    shapes: frozenset[str] = SHAPES  # types of response_format
    is_openai: bool = False  # OpenAI's own models stand behind it, with their own refusals


OPENAI = ServerProfile(
    "OpenAI",
    "max_completion_tokens",
    "safety_identifier",
    "developers.openai.com/api/docs/api-reference/chat/create; its SDK's types",
    is_openai=True,
)
AZURE = ServerProfile(
    "Azure",
    "max_completion_tokens",
    "user",
    "learn.microsoft.com/azure/ai-services/openai/reference#chat-completions",
    decoding=strict_rules.AZURE,
    is_openai=True,
)
COMPATIBLE = ServerProfile("this server", "max_tokens", "user", "OpenAI's older names, which every server takes")
GEMINI = ServerProfile(
    "Gemini",
    "max_tokens",
    None,
    "ai.google.dev/gemini-api/docs/openai; 400 'Unknown name \"seed\": Cannot find field' for others",
    refused=STORED
    | CACHED
    | {"seed", "frequency_penalty", "presence_penalty", "logit_bias", "verbosity", "prediction", "user", "audio"},
    stops=5,
    empty_parameters=False,  # ai.google.dev/api/caching#Schema: properties "should be non-empty for OBJECT type"
    efforts=THREE | {"none", "minimal"},
    decoding=strict_rules.GEMINI,
)
SERVER_PROFILES: Mapping[Dialect, ServerProfile] = {
    Dialect.OPENAI: OPENAI,
    Dialect.AZURE: AZURE,
    Dialect.GEMINI: GEMINI,
    Dialect.MISTRAL: ServerProfile(
        "Mistral",
        "max_tokens",
        None,
        "github.com/mistralai/client-python, src/mistralai/client/models/chatcompletionrequest.py: to any other key it "
        "answers 422 extra_forbidden; ids of calls are nine alphanumerics (mistral-common, "
        "InvalidToolCallId)",
        refused=(STORED - {"metadata"})
        | (CACHED - {"prompt_cache_key"})
        | {
            "max_completion_tokens",
            "seed",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "verbosity",
            "user",
            "audio",
            "modalities",
        }
        | {"web_search_options", "functions", "function_call"},
        refused_in_messages=frozenset({"refusal", "audio", "function_call", "annotations"}),
        developer=False,
        efforts=frozenset({"none", "high"}),
        call_ids=MISTRAL_IDS,
        decoding=strict_rules.MISTRAL,
    ),
    Dialect.GROQ: ServerProfile(
        "Groq",
        "max_completion_tokens",
        "user",
        "console.groq.com/docs/openai: 400 for logprobs, logit_bias, top_logprobs, messages[].name, n above 1",
        refused=frozenset({"logprobs", "logit_bias", "top_logprobs"}) | CACHED,
        refused_in_messages=frozenset({"name"}),
        single=True,
        efforts=THREE | {"none"},
        decoding=strict_rules.GROQ,
    ),
    Dialect.XAI: ServerProfile(
        "xAI",
        "max_completion_tokens",
        "user",
        "docs.x.ai/developers/model-capabilities/text/reasoning: its models refuse presence_penalty, frequency_penalty "
        "and stop; docs.x.ai/docs/api-reference#chat-completions: logit_bias is not taken",
        refused=frozenset({"presence_penalty", "frequency_penalty", "stop", "logit_bias"}),
        efforts=THREE | {"none"},
        decoding=strict_rules.XAI,
    ),
    Dialect.DEEPSEEK: ServerProfile(
        "DeepSeek",
        "max_tokens",
        None,
        "api-docs.deepseek.com/api/create-chat-completion: response_format is text or json_object alone; 16 stops; "
        "api-docs.deepseek.com/guides/thinking_mode: efforts",
        refused=frozenset({"max_completion_tokens"}),
        stops=16,
        developer=False,
        efforts=frozenset({"low", "high", "max"}),
        decoding=None,
        shapes=frozenset({"json_object"}),
    ),
    Dialect.DASHSCOPE: ServerProfile(
        "DashScope",
        "max_tokens",
        None,
        "alibabacloud.com/help/en/model-studio/use-qwen-by-calling-api: enable_thinking in the place of an effort; "
        "model-studio/json-mode: json_object for most models",
        refused=frozenset({"logit_bias", "store"}),
        developer=False,
        efforts=frozenset(),
        decoding=None,
        shapes=frozenset({"json_object"}),
    ),
    Dialect.TOGETHER: ServerProfile(
        "Together",
        "max_tokens",
        None,
        "docs.together.ai/reference/chat-completions-1; docs.together.ai/docs/json-mode",
        refused=frozenset({"max_completion_tokens"}),
        developer=False,
        efforts=THREE,
        decoding=None,
    ),
    Dialect.FIREWORKS: ServerProfile(
        "Fireworks",
        "max_tokens",
        "user",
        "docs.fireworks.ai/api-reference/post-chatcompletions",
        efforts=THREE | {"none"},
        decoding=strict_rules.FIREWORKS,
    ),
    Dialect.SGLANG: ServerProfile(
        "SGLang",
        "max_tokens",
        "user",
        "docs.sglang.ai/basic_usage/openai_api_completions.html; xgrammar decodes",
        developer=False,
        efforts=THREE | {"none"},
        decoding=strict_rules.VLLM,
    ),
    Dialect.TGI: ServerProfile(
        "TGI",
        "max_tokens",
        None,
        "huggingface.co/docs/text-generation-inference/messages_api; router/src/lib.rs, ChatRequest",
        refused=frozenset({"max_completion_tokens"}),
        developer=False,
        efforts=frozenset(),
        decoding=strict_rules.LLAMA_CPP,
    ),
    Dialect.VLLM: ServerProfile(
        "vLLM",
        "max_tokens",
        "user",
        "docs.vllm.ai/en/latest/serving/openai_compatible_server.html: every key of OpenAI's is taken",
        stops=None,
        developer=False,
        efforts=THREE,
        decoding=strict_rules.VLLM,
    ),
    Dialect.OLLAMA: ServerProfile(
        "Ollama",
        "max_tokens",
        None,
        "docs.ollama.com/api/openai-compatibility: what is not listed is ignored",
        refused=frozenset({"max_completion_tokens"}),
        stops=None,
        cuts=True,
        developer=False,
        efforts=THREE | {"none"},
        decoding=strict_rules.LLAMA_CPP,
    ),
    Dialect.LLAMA_CPP: ServerProfile(
        "llama.cpp",
        "max_tokens",
        None,
        "github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        stops=None,
        developer=False,
        efforts=THREE,
        decoding=strict_rules.LLAMA_CPP,
    ),
    Dialect.LM_STUDIO: ServerProfile(
        "LM Studio",
        "max_tokens",
        None,
        "lmstudio.ai/docs/developer/openai-compat; structured-output: type json_schema, and no json_object",
        refused=frozenset({"max_completion_tokens"}),
        stops=None,
        cuts=True,
        developer=False,
        efforts=THREE,
        decoding=strict_rules.LLAMA_CPP,
        shapes=frozenset({"json_schema"}),
    ),
    Dialect.OPENROUTER: ServerProfile(
        "OpenRouter",
        "max_tokens",
        "user",
        "openrouter.ai/docs/api-reference/parameters: what a model does not support is ignored",
        efforts=frozenset(LEVELS) - {"max"},
    ),
    Dialect.COMPATIBLE: COMPATIBLE,
}
HOSTS: Mapping[str, Dialect] = {  # ends of host names
    ".googleapis.com": Dialect.GEMINI,
    ".openai.com": Dialect.OPENAI,
    ".azure.com": Dialect.AZURE,
    ".openrouter.ai": Dialect.OPENROUTER,
    ".mistral.ai": Dialect.MISTRAL,
    ".groq.com": Dialect.GROQ,
    ".x.ai": Dialect.XAI,
    ".deepseek.com": Dialect.DEEPSEEK,
    ".aliyuncs.com": Dialect.DASHSCOPE,
    ".together.xyz": Dialect.TOGETHER,
    ".together.ai": Dialect.TOGETHER,
    ".fireworks.ai": Dialect.FIREWORKS,
}
PORTS: Mapping[int, Dialect] = {11434: Dialect.OLLAMA, 1234: Dialect.LM_STUDIO}  # where these listen by default


def profile_of(base_url: str, dialect: Dialect | None = None) -> ServerProfile:
    """Choose the profile by its name, else by the server's address.

    >>> profile_of("https://generativelanguage.googleapis.com/v1beta/openai/").name
    'Gemini'
    >>> profile_of("http://localhost:11434/v1").name
    'Ollama'
    >>> profile_of("http://localhost:8000/v1", Dialect.VLLM).name
    'vLLM'
    """
    return SERVER_PROFILES[dialect or dialect_of(base_url)]


def dialect_of(base_url: str) -> Dialect:
    address = urlsplit(base_url)
    host = f".{address.hostname or ''}"
    known = next((dialect for end, dialect in HOSTS.items() if host.endswith(end)), None)
    return known or PORTS.get(address.port or 0, Dialect.COMPATIBLE)


@lru_cache
def reasons(model: str) -> bool:
    """True for OpenAI models that reason, and so refuse ``max_tokens``, ``stop`` and sampling.

    >>> [reasons(name) for name in ("gpt-5.4", "o3", "gpt-4o", "llama3")]
    [True, True, False, False]
    """
    return REASONING.match(model) is not None


def effort_of(effort: str | None, model: str, profile: ServerProfile) -> str | None:
    """The effort as a server knows it: the nearest level it has; None where it, or the model, has none such.

    >>> [effort_of(level, "m", GEMINI) for level in ("max", "minimal", "none")]
    ['high', 'minimal', 'none']
    >>> [effort_of(level, "m", SERVER_PROFILES[Dialect.VLLM]) for level in ("xhigh", "minimal", "none")]
    ['high', 'low', None]
    >>> effort_of("high", "gpt-4o", OPENAI), effort_of("max", "gpt-6.2-sol", OPENAI)
    (None, 'max')
    """
    if effort is None or PLAIN.match(model):
        return None
    return effort if profile.efforts is None else nearest_level(effort, profile.efforts)
