"""``holdfast diagnose``: a verdict for people and for programs, with the exit status that says what a script may do."""


def test_a_provider_that_nobody_configured_is_not_found(cli) -> None:
    ended = cli("diagnose", "nobody")
    assert ended.status == 4
    assert "nobody" in ended.err


def test_what_is_not_reached_is_told_with_its_checks(cli) -> None:
    ended = cli("diagnose", "anthropic", "--no-calls", "--json")
    (found,) = ended.json["providers"]
    assert (ended.status, ended.json["verdict"], found["provider"]) == (69, "local_network", "anthropic")
    assert {name: found["checks"][0][name] for name in ("name", "ok")} == {"name": "connection", "ok": False}
    shown = cli("diagnose", "anthropic", "--no-calls")
    assert shown.out.startswith("anthropic: nothing is reached from this host (local_network)\n  no connection")
