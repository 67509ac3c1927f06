"""A Chat Completions body as one server takes it: what it refuses is renamed or left out, and told.

The same for bodies that were mapped and for those that were written in this format: only what has to change does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.wire.call_ids import CHAT_IDS, CallIds
from holdfast.wire.chat.server_profile import SIGNING, ServerProfile, reasons
from holdfast.wire.mapping_report import ANSWERED_WHOLE, QUEUED, MappingReportBuilder

OLDER, NEWER = "max_tokens", "max_completion_tokens"
SAMPLING = ("temperature", "top_p", "stop")
# ai.google.dev/gemini-api/docs/thought-signatures: what stands in where a call was made by another model
PLACEHOLDER = {"google": {"thought_signature": "skip_thought_signature_validator"}}
Body = dict[str, Any]


def touched(model: str, profile: ServerProfile) -> frozenset[str]:
    """Return the keys of a body that ``adapt`` may change, or has to know; all others stay as they are."""
    keys = QUEUED | profile.refused
    if profile.refused & {NEWER} or _is_reasoning(model, profile):
        keys |= {OLDER, NEWER}
    if _is_reasoning(model, profile):
        keys |= {*SAMPLING, "reasoning_effort"}
    if profile.single:
        keys |= {"n"}
    return keys | {"messages"} if _changes_messages(model, profile) else keys


def adapt(body: Mapping[str, Any], model: str, profile: ServerProfile, report: MappingReportBuilder) -> Body:
    """Return the body as ``model`` on a server of this profile takes it."""
    made = answered_whole(body, report)
    _rename_maximum(made, model, profile, report)
    if _is_reasoning(model, profile):
        drop_sampling(made, model, report)
    for key in [key for key in made if key in profile.refused]:
        del made[key]
        report.change(key, f"dropped: {profile.name} refuses it")
    if profile.single and made.get("n") not in (None, 1):
        del made["n"]
        report.change("n", f"dropped: {profile.name} gives one answer")
    if _changes_messages(model, profile) and isinstance(made.get("messages"), list):
        made["messages"] = _messages(made["messages"], model, profile, report)
    return made


def drop_sampling(body: Body, model: str, report: MappingReportBuilder) -> None:
    """Leave out what OpenAI's models that reason refuse, unless they are asked not to."""
    for key in SAMPLING:
        refused = key in body and body.get("reasoning_effort") != "none" and not (key != "stop" and body[key] == 1)
        if refused:
            del body[key]
            report.change(key, f"dropped: {model} reasons and refuses it")


def answered_whole(body: Mapping[str, Any], report: MappingReportBuilder) -> Body:
    """Leave out what asks for an answer in parts, or for one that is called for later."""
    if QUEUED.isdisjoint(body):
        return dict(body)
    dropped = [key for key in body if key in QUEUED and body[key] is not None and body[key] is not False]
    for key in dropped:
        report.change(key, ANSWERED_WHOLE)
    return {key: value for key, value in body.items() if key not in dropped}


def _is_reasoning(model: str, profile: ServerProfile) -> bool:
    return profile.is_openai and reasons(model)


def _rename_maximum(body: Body, model: str, profile: ServerProfile, report: MappingReportBuilder) -> None:
    """Use the one name of the maximum that is taken there, in its place."""
    old, new = (OLDER, NEWER) if _is_reasoning(model, profile) else (NEWER, OLDER)
    if old not in body or (new == OLDER and NEWER not in profile.refused):
        return
    if new in body:
        report.change(old, f"dropped: {profile.name} takes {new}, which is there too")
        del body[old]
        return
    report.change(old, f"became {new}, the name that {profile.name} takes")
    renamed = {new if key == old else key: value for key, value in body.items()}
    body.clear()
    body.update(renamed)


def _changes_messages(model: str, profile: ServerProfile) -> bool:
    return (
        bool(profile.refused_in_messages)
        or not profile.developer
        or profile.call_ids is not CHAT_IDS
        or bool(SIGNING.search(model))
    )


def _messages(messages: list[Any], model: str, profile: ServerProfile, report: MappingReportBuilder) -> list[Any]:
    ids = CallIds(profile.call_ids) if profile.call_ids is not CHAT_IDS else None
    made: list[Any] = []
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        if isinstance(message, Mapping):
            kept = _known_role(dict(_kept(message, place, profile, report)), place, profile, report)
            named = _named(kept, place, ids, report) if ids else kept
            made.append(_signed(named, place, report) if SIGNING.search(model) else named)
        else:
            made.append(message)
    return made


def _known_role(message: Body, place: str, profile: ServerProfile, report: MappingReportBuilder) -> Body:
    if profile.developer or message.get("role") != "developer":
        return message
    report.change(f"{place}.role", f"developer became system: {profile.name} does not know it")
    return {**message, "role": "system"}


def _kept(
    message: Mapping[str, Any], place: str, profile: ServerProfile, report: MappingReportBuilder
) -> Iterator[tuple[str, Any]]:
    for key, value in message.items():
        if key not in profile.refused_in_messages:
            yield key, value
        elif value is not None:
            report.change(f"{place}.{key}", f"dropped: {profile.name} refuses it")


def _named(message: Body, place: str, ids: CallIds, report: MappingReportBuilder) -> Body:
    """Give a message's calls, or its result, ids that the server takes."""
    calls = [
        {**call, "id": ids.of_call(str(call.get("id") or ""))} if isinstance(call, Mapping) else call
        for call in message.get("tool_calls") or ()
    ]
    made = {**message, "tool_calls": calls} if calls else dict(message)
    if message.get("role") == "tool":
        made["tool_call_id"] = ids.of_result(str(message.get("tool_call_id") or ""))
    if made != message:
        report.change(
            f"{place}.{'tool_calls' if calls else 'tool_call_id'}", "ids became stand-ins that it takes there"
        )
    return made


def _signed(message: Body, place: str, report: MappingReportBuilder) -> Body:
    """Give the first call of a message the placeholder of a signature where it has none."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls or not isinstance(calls[0], Mapping) or "extra_content" in calls[0]:
        return message
    report.change(f"{place}.tool_calls[0].extra_content", "added: Gemini wants a signature of each round's first call")
    return {**message, "tool_calls": [{**calls[0], "extra_content": PLACEHOLDER}, *calls[1:]]}
