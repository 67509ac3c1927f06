"""What a provider's status page says, read from any of the shapes such pages have. A page is a claim, never proof.

Shapes: Statuspage's ``summary.json`` (its documentation: status, components, incidents; incident.io writes the same),
incident.io's own ``summary`` (``ongoing_incidents``), Instatus's (``page.status``, ``activeIncidents``) and a list of
incidents as Google's ``incidents.json``. Words of levels differ; each is read by what it contains.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

API = re.compile(
    r"\b(apis?|inference|(?:chat )?completions?|responses|embeddings|messages|batch(?:es)?)\b", re.IGNORECASE
)
OVER = frozenset({"resolved", "postmortem", "completed", "closed"})
NAMES = ("name", "title", "external_desc")


class StatusLevel(IntEnum):
    """How well a part is, as its page says; more is worse."""

    OPERATIONAL = 0
    DEGRADED = 1
    PARTIAL_OUTAGE = 2
    MAJOR_OUTAGE = 3

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class StatusPage:
    """What a page claims. ``web``: everything that is not the API. None: the page does not say.

    ``incidents``: titles of those under way, those that concern the API first.
    """

    api: StatusLevel | None
    web: StatusLevel | None
    incidents: tuple[str, ...] = ()

    @property
    def claims(self) -> str:
        """Whether there is an incident: ``no_provider_incident``, ``web_only``, ``provider_incident``, ``unknown``."""
        if self.api is None and self.web is None:
            return "unknown"
        if self.api:
            return "provider_incident"
        return "web_only" if self.web else "no_provider_incident"


@dataclass(frozen=True, slots=True)
class _Incident:
    title: str
    level: StatusLevel
    parts: tuple[str, ...]


def read_status_page(body: bytes, host: str = "") -> StatusPage | None:
    """Read a page's JSON; None: it is none that says anything, as a page for people or a check for robots is.

    A part is the API's by its name: it holds ``host``, the API's own address, or words of inference. The level of a
    side is the worst of its components and of the incidents that name them; an incident that names none concerns both.
    The page's own indicator counts only where it names no components: it often says less than they do. A page that
    tells no parts apart speaks of the API.
    """
    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(page, list):
        page = {"incidents": page, "components": []} if all(isinstance(each, Mapping) for each in page) else None
    if not isinstance(page, Mapping):
        return None
    return _claims(page, host.lower())


def _claims(page: Mapping[str, Any], host: str) -> StatusPage | None:
    components = [
        (_name(each), level) for each in _maps(page.get("components")) if (level := _level(each.get("status")))
    ]
    known = [_name(each) for each in _maps(page.get("components"))]
    listed = [page[key] for key in ("incidents", "ongoing_incidents", "activeIncidents") if key in page]
    incidents = [_incident(each) for some in listed for each in _maps(some) if not _is_over(each)]
    whole = _whole(page)
    if not known and not listed and whole is None:
        return None
    ill = [*components, *((part, each.level) for each in incidents for part in each.parts)]
    everywhere = [each.level for each in incidents if not each.parts] + ([whole] if whole and not known else [])
    names = [*known, *(name for name, _ in ill)]
    tells_apart = any(_is_api(name, host) for name in names)

    def side(*, api: bool) -> StatusLevel | None:
        if not api and not any(_is_api(name, host) is api for name in names) and not everywhere:
            return None
        here = [level for name, level in ill if (_is_api(name, host) or not tells_apart) is api]
        return max([*here, *everywhere], default=StatusLevel.OPERATIONAL)

    ordered = sorted(incidents, key=lambda each: not any(_is_api(part, host) for part in each.parts))
    return StatusPage(side(api=True), side(api=False), tuple(each.title for each in ordered))


def _is_api(name: str, host: str) -> bool:
    return bool(API.search(name)) or (bool(host) and host in name.lower())


def _whole(page: Mapping[str, Any]) -> StatusLevel | None:
    """The level of a page as a whole, where it has one."""
    for holder, key in (("status", "indicator"), ("page", "status")):
        inner = page.get(holder)
        if isinstance(inner, Mapping) and isinstance(inner.get(key), str):
            return _impact(inner[key])
    return None


def _incident(of: Mapping[str, Any]) -> _Incident:
    affected = [of.get(key) for key in ("components", "affected_components", "affected_products")]
    parts = tuple(_name(each) for some in affected for each in _maps(some))
    told = [of.get(key) for key in ("impact", "status_impact", "severity")]
    levels = [_impact(word) for word in told if isinstance(word, str)]
    return _Incident(_name(of), max([each for each in levels if each is not None], default=StatusLevel.DEGRADED), parts)


def _is_over(incident: Mapping[str, Any]) -> bool:
    return str(incident.get("status", "")).lower() in OVER or bool(incident.get("end") or incident.get("resolved_at"))


def _impact(word: str) -> StatusLevel | None:
    """The level of an impact or an indicator, which are one step milder in words than those of components.

    >>> [_impact(word).words for word in ("none", "minor", "major", "critical", "SERVICE_OUTAGE", "HASISSUES")]
    ['operational', 'degraded', 'partial outage', 'major outage', 'major outage', 'degraded']
    """
    plain = re.sub(r"[^a-z]", "", word.lower())
    return StatusLevel.PARTIAL_OUTAGE if plain in {"major", "high", "servicedisruption"} else _level(word)


def _level(word: object) -> StatusLevel | None:
    """The level of a component; a word that nobody knows is a trouble, though a small one.

    >>> [_level(word).words for word in ("operational", "under_maintenance", "partial_outage", "full_outage")]
    ['operational', 'degraded', 'partial outage', 'major outage']
    """
    if not isinstance(word, str) or not word:
        return None
    plain = re.sub(r"[^a-z]", "", word.lower())
    if plain in {"operational", "none", "up", "available", "low", "serviceinformation", "ok"}:
        return StatusLevel.OPERATIONAL
    if "partial" in plain:
        return StatusLevel.PARTIAL_OUTAGE
    return StatusLevel.MAJOR_OUTAGE if "outage" in plain or plain in {"critical", "down"} else StatusLevel.DEGRADED


def _name(of: Mapping[str, Any]) -> str:
    return next((str(of[key])[:200] for key in NAMES if isinstance(of.get(key), str)), "")


def _maps(some: object) -> list[Mapping[str, Any]]:
    return [each for each in some if isinstance(each, Mapping)] if isinstance(some, list) else []
