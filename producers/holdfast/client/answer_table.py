"""Answers as a table, for pipelines whose jobs were the rows of one."""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from holdfast.client.answer import Answer

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore] # no dependency of ours

COLUMNS = (
    "custom_id", "text", "status", "error", "error_message", "tool_calls", "reasoning", "finish", "model", "route",
    "attempts", "input_tokens", "output_tokens", "cost_usd", "id",
)  # fmt: skip


def answer_row(answer: Answer) -> dict[str, Any]:
    """Return the values of one answer by column."""
    usage, error = answer.usage, answer.error
    return {
        "custom_id": answer.custom_id,
        "text": answer.text,
        "status": answer.status.value,
        "error": error.kind if error else None,
        "error_message": error.message if error else None,
        "tool_calls": [call.model_dump(mode="json") for call in answer.tool_calls] or None,
        "reasoning": answer.reasoning or None,
        "finish": answer.finish.value if answer.finish else None,
        "model": answer.model,
        "route": answer.route,
        "attempts": answer.attempts,
        "input_tokens": usage.input if usage else None,
        "output_tokens": usage.output if usage else None,
        "cost_usd": answer.cost_usd,
        "id": answer.id,
    }


def demand_pandas() -> None:
    """Raise ImportError, with what to do, where pandas is not installed. Before a wait, not after it."""
    try:
        import_module("pandas")  # no dependency of ours: whoever asks for a DataFrame has it
    except ImportError:
        instead = "`[answer.line for answer in batch.results()]` gives the same as dicts"
        raise ImportError(f"to_pandas() needs pandas: `pip install pandas`, or {instead}.", name="pandas") from None


def to_frame(answers: Iterable[Answer]) -> "pd.DataFrame":
    """Return a DataFrame with a row for each answer, numbered from 0 in the order of ``answers``."""
    import pandas as pd  # noqa: PLC0415 - as above

    return pd.DataFrame([answer_row(answer) for answer in answers], columns=list(COLUMNS))
