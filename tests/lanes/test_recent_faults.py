"""Which faults routes had lately is counted for the fleet, and forgotten by itself."""

from holdfast.lanes.recent_faults import KEPT, note_faults, recent_faults
from holdfast.policy.outage_sentence import FaultCount


def test_what_several_workers_tell_is_added_up_most_frequent_first(connection) -> None:
    note_faults(connection, {("a/m", "server_error", 503): 2, ("b/m", "timed_out", None): 1})
    note_faults(connection, {("a/m", "server_error", 503): 3})
    found = [(each.route, each.count) for each in recent_faults(connection, 600.0)]
    assert found == [("a/m", FaultCount("server_error", 503, 5)), ("b/m", FaultCount("timed_out", None, 1))]


def test_nothing_is_kept_for_longer_than_a_day(connection) -> None:
    note_faults(connection, {("a/m", "server_error", 503): 1})
    (name,) = connection.ask(lambda client: list(client.scan_iter(match=f"{connection.keys.root}faults:*")))
    assert 0 < connection.ask(lambda client: client.ttl(name)) <= KEPT


def test_where_nothing_failed_nothing_is_written(connection) -> None:
    note_faults(connection, {})
    assert recent_faults(connection, 600.0) == []
