"""What parked credentials mean: one key that is wrong, or a provider whose logins are out."""

from holdfast.policy.credential_alerts import ALERT_AFTER, Parked, alerts, auth_outages


def parked(name: str, why: str = "auth", down_for: float = ALERT_AFTER) -> Parked:
    return Parked(name, down_for, why)


def test_one_refused_key_is_its_own_fault() -> None:
    assert auth_outages([parked("first/a"), parked("second/a")]) == {}
    (alert,) = alerts([parked("first/a")])
    assert (alert.kind, alert.about) == ("credential_down", "first/a")
    assert "put a new one in its place" in alert.text


def test_two_keys_of_a_provider_refused_together_are_the_provider_s_outage() -> None:
    down = [parked("first/a"), parked("second/a", down_for=90.0), parked("first/b", down_for=70.0)]
    assert [each.name for each in auth_outages(down)["first"]] == ["first/a", "first/b"]
    assert [(alert.kind, alert.about, alert.down_for) for alert in alerts(down)] == [
        ("credential_down", "second/a", 90.0),
        ("auth_outage", "first", 70.0),
    ]


def test_a_key_that_a_diagnosis_found_good_is_refused_by_the_provider() -> None:
    down = [parked("first/a"), parked("first/b", "spend_limit"), parked("second/a")]
    told = {alert.about: alert for alert in alerts(down, {"first"})}
    assert {about: alert.ours for about, alert in told.items()} == {"first/a": False, "first/b": True, "second/a": True}
    assert told["first/a"].text.endswith("Jobs wait or reroute; nothing to do.")


def test_money_and_missing_tokens_are_no_outage_of_logins() -> None:
    down = [parked("first/a"), parked("first/b", "spend_limit"), parked("first/c", "no_token")]
    assert auth_outages(down) == {}
    assert [alert.about for alert in alerts(down)] == ["first/a", "first/b", "first/c"]


def test_what_is_down_for_less_than_a_minute_troubles_nobody() -> None:
    assert alerts([parked("first/a", down_for=59.9), parked("first/b", down_for=59.0)]) == []
