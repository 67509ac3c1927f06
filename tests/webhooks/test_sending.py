"""One attempt: signed so that the libraries of receivers verify it, bounded, and told in words without the address."""

import json
import socket
import sys
import time
from threading import Thread

import openai
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from holdfast.model.event import Event, EventKind
from holdfast.model.receiver_address import read_allowed
from holdfast.policy.webhook_event import BatchFacts, write_event
from holdfast.policy.webhook_retry import ReceiverAnswer
from holdfast.webhooks import command
from holdfast.webhooks.command import run_command
from holdfast.webhooks.sender import WebhookSender, signed_headers
from webhooks.receiver import Receiver

SECRET, OTHER = "whsec_" + "YWJj" * 8, "whsec_" + "ZGVm" * 8
ALLOWED = read_allowed(["127.0.0.1"])


async def send(url: str, secrets=(SECRET,), total: float = 5.0) -> ReceiverAnswer:
    async with WebhookSender(ALLOWED, total=total) as sender:
        return await sender.send(url, "evt_1", '{"ä": 1}', secrets, time.time())


async def test_both_secrets_verify_while_both_are_good_and_no_other_does() -> None:
    with Receiver() as receiver:
        assert (await send(receiver.url, (OTHER, SECRET))).status == 204
    [got] = receiver.got
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(got.body, got.headers) == {"ä": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "eHl6" * 8).verify(got.body, got.headers)
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("counts", "facts", "kind"),
    [
        ({"succeeded": 2, "dead": 1}, BatchFacts(), "batch.completed"),
        ({"succeeded": 2, "expired": 1}, BatchFacts(), "batch.expired"),
        ({"succeeded": 2, "cancelled": 1}, BatchFacts(cancelled=True), "batch.cancelled"),
        ({}, BatchFacts(failed=True), "batch.failed"),
    ],
)
def test_openais_client_reads_the_end_of_a_batch_as_its_own(counts, facts, kind) -> None:
    event = Event("0" * 32, EventKind.BATCH_ENDED, 1_800_000_000.5, "default", "b" * 32, counts=counts)
    told = write_event(event, facts)
    headers = signed_headers(told.id, told.body, [SECRET], time.time())
    read = openai.OpenAI(api_key="-").webhooks.unwrap(told.body, headers, secret=SECRET)
    assert (type(read).__name__, read.type, read.data.id, read.created_at) == (
        "".join(part.capitalize() for part in kind.split(".")) + "WebhookEvent",
        kind,
        "batch_" + "b" * 32,
        1_800_000_000,
    )


def test_an_event_tells_no_prompt_and_no_answer() -> None:
    event = Event("0" * 32, EventKind.JOB_DEAD, 1.0, "default", None, "a" * 32, 2, "mine", "smart", "bad_output")
    assert json.loads(write_event(event, BatchFacts()).body)["data"] == {
        "id": "job_" + "a" * 32,
        "status": "dead",
        "custom_id": "mine",
        "batch": None,
        "model": "smart",
        "fault": "bad_output",
        "generation": 2,
        "status_url": "/api/v1/jobs/job_" + "a" * 32,
    }


async def test_who_does_not_answer_in_time_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = await send(f"http://127.0.0.1:{silent.getsockname()[1]}/", total=0.2)
    assert answer == ReceiverAnswer(error="no answer in time")


async def test_an_endless_answer_is_not_read() -> None:
    def pour(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        except OSError:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=pour, args=(listener,), daemon=True).start()
        assert (await send(f"http://127.0.0.1:{listener.getsockname()[1]}/")).status == 200


async def test_why_no_answer_came_is_told_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = await send(f"http://127.0.0.1:{port}/token-of-somebody")
    assert answer.error == "no connection (Connection refused)"


async def test_a_receivers_wish_is_read_as_seconds_or_as_a_date() -> None:
    with Receiver(lambda _: (503, {"retry-after": "120"})) as receiver:
        assert await send(receiver.url) == ReceiverAnswer(503, retry_after=120.0)


def test_a_command_gets_the_alert_on_its_standard_input(tmp_path) -> None:
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    assert run_command([sys.executable, "-c", script, str(tmp_path / "got")], '{"a": "$HOME"}').status == 200
    assert (tmp_path / "got").read_text() == '{"a": "$HOME"}'


def test_a_command_that_fails_hangs_or_is_not_there_is_tried_again(monkeypatch) -> None:
    monkeypatch.setattr(command, "SECONDS", 0.2)
    assert run_command(["/nowhere"], "").error == "the command cannot be run (No such file or directory)"
    assert run_command([sys.executable, "-c", "raise SystemExit(3)"], "").error == "the command ended with status 3"
    assert run_command(["sleep", "60"], "").error == "the command did not end within 0.2 s"
