"""People are told of an outage once when it begins and once when it ends, by however many workers there are."""

import json
import sys

from standardwebhooks import Webhook

from holdfast.client.webhooks import Webhooks
from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.webhook import OPERATOR
from webhooks.receiver import Receiver

SCRIPT = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(build, tmp_path):
    told = tmp_path / "told.jsonl"
    with Receiver() as pager:
        command = json.dumps([sys.executable, "-c", SCRIPT, str(told)])
        more = f'[webhooks]\nallow = ["127.0.0.1"]\n[alerts]\nwebhooks = ["{pager.url}"]\ncommand = {command}\n'
        fleet = build(more=more + 'after = "2s"\nquiet = "5s"\n')
        secret = Webhooks(fleet.holdfast.backend.installation, None, "test").make_secret(OPERATOR)["secret"]
        fleet.sims[0].break_(InjectedFault(mode="e503"))
        batch = fleet.submit(30)
        for _ in range(3):
            fleet.worker()
        fleet.until(lambda: len(pager.got) == 1)
        fleet.sims[0].heal()
        fleet.until_done(batch)
        fleet.until(lambda: len(pager.got) >= 2 and told.is_file() and len(told.read_text().splitlines()) >= 2)
        began, ended = (json.loads(each.body) for each in pager.got)
        for each in pager.got:
            Webhook(secret).verify(each.body, each.headers)
    assert [began["type"], ended["type"]] == ["alert.began", "alert.ended"]
    assert began["data"]["id"] == ended["data"]["id"]
    assert (began["data"]["kind"], began["data"]["about"]) == ("outage", "first")
    assert began["data"]["sentence"].startswith("It is a provider, not us: first/claude-sim is down")
    assert sorted(json.loads(line)["type"] for line in told.read_text().splitlines()) == ["alert.began", "alert.ended"]
