"""Alerts as operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.client.backend import View
from holdfast.client.installation import Installation
from holdfast.client.views import page
from holdfast.model.alert import AlertCondition, AlertRecord
from holdfast.model.ids import inner_id, public_id
from holdfast.model.iso_time import iso
from holdfast.store.alerts import list_alerts


def alerts_page(installation: Installation, limit: int, cursor: str | None = None) -> View:
    """Return a page of what people were told of, newest first. Raises InvalidId."""
    before = inner_id("alert", cursor) if cursor else None
    found = installation.ready().read(list_alerts, limit, before)
    return page("alerts", [alert_view(each) for each in found], limit)


def alert_view(each: AlertRecord) -> View:
    """Show an alert."""
    return {
        "id": public_id("alert", each.id),
        "kind": each.kind,
        "about": each.about,
        "sentence": each.sentence,
        "since": iso(each.since),
        "told_at": iso(each.told_at),
        "ended_at": iso(each.ended_at),
    }


@dataclass(frozen=True, slots=True)
class AlertLine:
    """A trouble as a page shows it. Times in seconds since the epoch; ``ended_at`` None: it lasts.

    ``seen``: it was there at the last look; one that was not is over once it has been away for a while.
    """

    kind: str
    about: str
    sentence: str
    since: float | None
    ended_at: float | None = None
    seen: bool = True

    @property
    def lasts(self) -> bool:
        return self.ended_at is None


def alert_lines(now: Sequence[AlertCondition], told: Sequence[AlertRecord]) -> list[AlertLine]:
    """Put together what is wrong now and what people were told of, the troubles that last first.

    What lasts has the sentence of now, and the beginning that people were told.
    """
    open_ = {(each.kind, each.about): each for each in told if each.ended_at is None}
    lines = [AlertLine(each.kind, each.about, each.sentence, each.since) for each in now]
    lasting = {(line.kind, line.about): line for line in lines}
    for key, each in open_.items():
        sentence = lasting[key].sentence if key in lasting else each.sentence
        lasting[key] = AlertLine(*key, sentence, each.since, seen=key in lasting)
    over = [
        AlertLine(each.kind, each.about, each.sentence, each.since, each.ended_at) for each in told if each.ended_at
    ]
    return [*lasting.values(), *over]
