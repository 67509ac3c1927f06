"""Our tables against the SDKs' own lists, so that a new version cannot bring a name that we do not know."""

from typing import Any, get_args, get_type_hints

from anthropic.types import MessageParam, OutputConfigParam
from anthropic.types.beta import BetaStopReason
from openai.types.chat.chat_completion import Choice
from openai.types.responses.response import IncompleteDetails
from openai.types.shared import ReasoningEffort

from holdfast.wire.anthropic.claude import ALL_LEVELS
from holdfast.wire.anthropic.reply import FINISH as ANTHROPIC_FINISH
from holdfast.wire.chat.reply import FINISH as CHAT_FINISH
from holdfast.wire.responses.reply import INCOMPLETE


def literals(annotation: Any) -> set[str]:
    inner = get_args(annotation)
    return {annotation} if isinstance(annotation, str) else set().union(*(literals(each) for each in inner))


def test_every_stop_reason_of_anthropic_has_a_meaning():
    assert literals(BetaStopReason) == set(ANTHROPIC_FINISH)


def test_every_finish_reason_of_chat_completions_has_a_meaning():
    assert literals(Choice.model_fields["finish_reason"].annotation) == set(CHAT_FINISH)


def test_every_reason_of_an_incomplete_response_has_a_meaning():
    assert literals(IncompleteDetails.model_fields["reason"].annotation) == set(INCOMPLETE)


def test_every_effort_of_anthropic_is_known():
    assert literals(get_type_hints(OutputConfigParam)["effort"]) == ALL_LEVELS
    assert literals(ReasoningEffort) - ALL_LEVELS == {"none", "minimal"}


def test_anthropic_takes_system_turns_among_the_messages():
    roles = [get_type_hints(kind)["role"] for kind in get_args(MessageParam)]
    assert set().union(*map(literals, roles)) == {"user", "assistant", "system"}
