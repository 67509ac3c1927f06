"""Codes of servers that people run themselves."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

SERVERS = (
    *rows(
        "github.com/ggml-org/llama.cpp, tools/server/README.md",
        {
            Kind.TOO_LONG: ("exceed_context_size_error",),
            Kind.OVERLOADED: ("unavailable_error",),  # a model loads, no slot is free
            None: ("not_supported_error",),
        },
    ),
    *rows(
        "github.com/vllm-project/vllm, vllm/entrypoints/openai (SGLang answers in the same shape)",
        {
            Kind.OVERLOADED: ("ServiceUnavailableError",),
            Kind.SERVER_ERROR: ("EngineDeadError", "EngineGenerateError"),
            None: ("BadRequestError", "UnprocessableEntityError", "NotImplementedError"),
        },
    ),
    *rows(
        "github.com/huggingface/text-generation-inference, router/src/server.rs",
        {
            Kind.SERVER_ERROR: ("generation", "incomplete_generation", "healthcheck"),  # the first comes as 424
            Kind.BAD_OUTPUT: ("tool_error",),
            None: ("validation", "template_error", "empty_input"),
        },
    ),
)
