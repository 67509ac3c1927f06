"""Alerts as operators see them."""

from holdfast.client.backend import View
from holdfast.client.installation import Installation
from holdfast.client.iso_time import iso
from holdfast.store.alerts import list_alerts


def alerts_view(installation: Installation, limit: int) -> View:
    """List what people were told of, newest first."""
    found = installation.ready().read(list_alerts, limit)
    return {
        "alerts": [
            {
                "id": f"alert_{each.id}",
                "kind": each.kind,
                "about": each.about,
                "sentence": each.sentence,
                "since": iso(each.since),
                "told_at": iso(each.told_at),
                "ended_at": iso(each.ended_at),
            }
            for each in found
        ]
    }
