"""Workers tell the fleet which credentials they have no secret for."""

from holdfast.lanes.unusable_credentials import note_usable, unusable_credentials


def test_workers_tell_which_keys_they_lack_until_they_have_them(connection) -> None:
    note_usable(connection, {"a/main": "it is empty", "b/main": None})
    assert unusable_credentials(connection) == {"a/main": "it is empty"}
    note_usable(connection, {"a/main": None, "b/main": None})
    assert unusable_credentials(connection) == {}
