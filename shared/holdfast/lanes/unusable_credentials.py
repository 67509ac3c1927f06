"""Which credentials the workers have no secret for: they tell, for submits and `status`, which may not have any."""

from collections.abc import Mapping

from holdfast.lanes.connection import Connection


def note_usable(connection: Connection, reasons: Mapping[str, str | None]) -> None:
    """Tell by ``provider/credential`` why it cannot be used; None: it can. Raises QueueUnavailable."""
    key = connection.keys.unusable_credentials
    bad = {name: why for name, why in reasons.items() if why is not None}
    if bad:
        connection.ask(lambda client: client.hset(key, items=[text for pair in bad.items() for text in pair]))
    if good := [name for name in reasons if name not in bad]:
        connection.ask(lambda client: client.hdel(key, *good))


def unusable_credentials(connection: Connection) -> dict[str, str]:
    """Return what workers told. Raises QueueUnavailable."""
    found = connection.ask(lambda client: client.hgetall(connection.keys.unusable_credentials))
    return {str(name): str(why) for name, why in found.items()}
