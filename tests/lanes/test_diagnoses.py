"""The last diagnosis of a provider is kept for whoever waits; which keys were good lately is known from replies."""

from holdfast.lanes.admin import server_time
from holdfast.lanes.diagnoses import KEPT, answered_lately, note_diagnosis, read_diagnoses


def test_only_the_last_diagnosis_is_kept_and_only_while_it_is_young(connection) -> None:
    note_diagnosis(connection, "a", {"verdict": "healthy", "at": 100.0})
    note_diagnosis(connection, "a", {"verdict": "budget", "at": 200.0})
    assert read_diagnoses(connection, 201.0) == {"a": {"verdict": "budget", "at": 200.0}}
    assert read_diagnoses(connection, 200.0 + KEPT) == {}


def test_a_key_was_good_lately_when_a_call_was_answered_with_it(connection) -> None:
    now = connection.ask(server_time)
    replies = {"a/m/x young": f"{now - 20} {now - 10}", "b/m old": f"{now - KEPT - 20} {now - KEPT - 10}"}
    connection.ask(lambda client: client.hset(connection.keys.replies, mapping=replies))
    assert answered_lately(connection) == {"a/young"}
