"""Which model the lines of an input ask for: what they say, or what ``--model`` and ``--map`` say instead."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest

BODIES = ("body", "params")
SHOWN = 3  # models that the notice names


@dataclass(slots=True)
class ModelChoice:
    """``override`` holds for every line, ``mapped`` for those that name one of its keys. ``replaced`` counts lines."""

    override: str | None = None
    mapped: Mapping[str, str] = field(default_factory=dict)
    replaced: Counter[str] = field(default_factory=Counter)

    def applied(self, line: bytes) -> bytes:
        """Return a line that asks for the chosen model, beside its body: that stays as it was written."""
        if self.override is None and not self.mapped:
            return line
        members = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        said = model_of(members)
        chosen = self.mapped.get(said or "", self.override)
        if said is None or chosen is None or chosen == said:
            return line
        self.replaced[said] += 1
        return msgspec.json.encode({**members, "model": msgspec.Raw(exact_json.dumps(chosen))})

    def __str__(self) -> str:
        """Say once what was replaced."""
        named = ", ".join(
            f"{model} ({count:,} {'line' if count == 1 else 'lines'})"
            for model, count in self.replaced.most_common(SHOWN)
        )
        more = ", …" if len(self.replaced) > SHOWN else ""
        return f"the lines name {named}{more}; --model or --map replaces that"


def model_of(members: Mapping[str, msgspec.Raw]) -> str | None:
    """Return the model that a line names, beside its body or inside."""
    inside = next((members[key] for key in BODIES if key in members), None)
    raw = members.get("model") or (None if inside is None else _model_inside(inside))
    value = None if raw is None else exact_json.loads(bytes(raw))
    return value if isinstance(value, str) else None


def _model_inside(body: msgspec.Raw) -> msgspec.Raw | None:
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get("model")
    except msgspec.DecodeError:
        return None  # no object: the line is refused for that


def read_map(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``OLD=NEW`` options. Raises InvalidRequest."""
    read = dict[str, str]()
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise InvalidRequest("--map", f"expected OLD=NEW, got {pair!r}.", "Name a model of the lines, and yours.")
        read[old] = new
    return read
