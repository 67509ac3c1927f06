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


def test_the_newest_answer_of_a_route_is_marked_unless_it_was_no_answer_of_the_route(connection) -> None:
    note_faults(connection, {("a/m", "server_error", 503): 20, ("b/m", "overloaded", 529): 1})
    note_faults(connection, {("a/m", "server_error", 503): 1, ("a/m", "auth", 401): 2, ("a/m", "ours", None): 1})
    found = {(each.route, each.count.kind): each.is_last for each in recent_faults(connection, 600.0)}
    assert found == {
        ("a/m", "server_error"): False, ("a/m", "auth"): True, ("a/m", "ours"): False, ("b/m", "overloaded"): True
    }  # fmt: skip
