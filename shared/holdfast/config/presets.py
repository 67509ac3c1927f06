"""Providers by name: `api = "groq"` and the like stand for a wire format, an address, a dialect and a key's variable.

One row a provider, each with where its facts are from. How its server differs from OpenAI's is the dialect's row of
wire/chat/server_profile.py; the codes of its errors are found whatever the provider (docs/codes.md), and so are the
headers that tell its limits (wire/limits.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model.route import Api, Dialect


@dataclass(frozen=True, slots=True)
class Preset:
    """What a name of a provider stands for.

    ``key``: the environment variable in which users keep its key; None: a server of one's own, which wants none.
    ``model``: one to begin with, where a name stays good for years; None: its list of models is asked.
    """

    api: Api
    address: str
    key: str | None
    source: str
    dialect: Dialect | None = None
    status_page: str | None = None
    model: str | None = None


CHAT = Api.OPENAI_CHAT
PRESETS: Mapping[str, Preset] = {
    "anthropic": Preset(
        Api.ANTHROPIC, "https://api.anthropic.com", "ANTHROPIC_API_KEY", "its SDK: _client.py",
        None, "https://status.claude.com", "claude-opus-4-8",
    ),
    "openai": Preset(
        CHAT, "https://api.openai.com/v1", "OPENAI_API_KEY", "its SDK: _client.py",
        Dialect.OPENAI, "https://status.openai.com", "gpt-5.4",
    ),
    "gemini": Preset(
        CHAT, "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY",
        "ai.google.dev/gemini-api/docs/openai", Dialect.GEMINI,
    ),
    "groq": Preset(
        CHAT, "https://api.groq.com/openai/v1", "GROQ_API_KEY", "console.groq.com/docs/openai",
        Dialect.GROQ,
    ),
    "mistral": Preset(
        CHAT, "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "docs.mistral.ai/api",
        Dialect.MISTRAL,
    ),
    "deepseek": Preset(
        CHAT, "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "api-docs.deepseek.com",
        Dialect.DEEPSEEK,
    ),
    "openrouter": Preset(
        CHAT, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter.ai/docs/quickstart",
        Dialect.OPENROUTER,
    ),
    "together": Preset(
        CHAT, "https://api.together.xyz/v1", "TOGETHER_API_KEY", "docs.together.ai/docs/openai-api-compatibility",
        Dialect.TOGETHER,
    ),
    "fireworks": Preset(
        CHAT, "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY",
        "docs.fireworks.ai/tools-sdks/openai-compatibility", Dialect.FIREWORKS,
    ),
    "xai": Preset(CHAT, "https://api.x.ai/v1", "XAI_API_KEY", "docs.x.ai/docs/api-reference", Dialect.XAI),
    "dashscope": Preset(
        CHAT, "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY",
        "alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope", Dialect.DASHSCOPE,
    ),
    "moonshot": Preset(
        CHAT, "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", "platform.kimi.ai/docs/api/overview",
        Dialect.COMPATIBLE,
    ),
    "cerebras": Preset(
        CHAT, "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", "inference-docs.cerebras.ai/resources/openai",
        Dialect.COMPATIBLE,
    ),
    "nvidia": Preset(
        CHAT, "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", "docs.api.nvidia.com/nim/reference/llm-apis",
        Dialect.COMPATIBLE,
    ),
    "ollama": Preset(CHAT, "http://localhost:11434/v1", None, "ollama.com/blog/openai-compatibility", Dialect.OLLAMA),
    "lmstudio": Preset(
        CHAT, "http://localhost:1234/v1", None, "lmstudio.ai/docs/app/api/endpoints/openai", Dialect.LM_STUDIO
    ),
    "vllm": Preset(
        CHAT, "http://localhost:8000/v1", None, "docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        Dialect.VLLM,
    ),
    "llama.cpp": Preset(
        CHAT, "http://localhost:8080/v1", None, "github.com/ggml-org/llama.cpp, tools/server/README.md",
        Dialect.LLAMA_CPP,
    ),
    "sglang": Preset(
        CHAT, "http://localhost:30000/v1", None, "docs.sglang.ai/basic_usage/openai_api_completions.html",
        Dialect.SGLANG,
    ),
}  # fmt: skip
NAMES = (*Api, *(name for name in PRESETS if name not in set(Api)))  # all that `api` may say


def expanded(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as it was read, with what each preset stands for where nothing else is said.

    A key goes to its own provider alone: a preset with another address has none, unless ``credentials`` says so.
    """
    providers = file.get("providers")
    if not isinstance(providers, dict):
        return dict(file)
    return {**file, "providers": {name: _expanded(table) for name, table in providers.items()}}


def _expanded(table: Any) -> Any:
    preset = PRESETS.get(str(table.get("api"))) if isinstance(table, dict) else None
    if preset is None:
        return table
    said: dict[str, Any] = {"dialect": preset.dialect}
    if "base_url" not in table:
        said |= {"base_url": preset.address, "status_page": preset.status_page}
        said |= {"credentials": [{"name": "main", "secret": f"env:{preset.key}"}]} if preset.key else {}
    return {**{key: value for key, value in said.items() if value is not None}, **table, "api": preset.api.value}
