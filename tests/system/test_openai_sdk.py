"""A batch through OpenAI's SDK, with a provider broken and a worker killed in the middle: every line its own answer."""

import json
import signal

import openai

from holdfast.lab.providers.settings import InjectedFault
from producing import served

LINES = 200


def line(n: int) -> bytes:
    body = {"model": "two", "messages": [{"role": "user", "content": f"say {n}."}]}
    return json.dumps({"custom_id": str(n), "method": "POST", "url": "/v1/chat/completions", "body": body}).encode()


def test_a_batch_outlives_its_provider_and_its_worker(build) -> None:
    fleet = build(concurrency=10)
    worker = fleet.worker()
    with served(fleet.settings) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none", timeout=60) as client:
        file = client.files.create(file=("in.jsonl", b"\n".join(map(line, range(LINES)))), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        fleet.until(lambda: client.batches.retrieve(batch.id).request_counts.completed > LINES // 10)
        fleet.sims[0].break_(InjectedFault(mode="e503"))
        worker.send_signal(signal.SIGKILL)
        fleet.worker()
        waiting = client.chat.completions.create(model="two", messages=[{"role": "user", "content": "and me"}])
        assert waiting.choices[0].message.content == "answer to and me"
        fleet.until(lambda: client.batches.retrieve(batch.id).status == "completed")
        done = client.batches.retrieve(batch.id)
        lines = [json.loads(each) for each in client.files.content(done.output_file_id).text.splitlines()]
    assert (done.request_counts.completed, done.error_file_id) == (LINES, None)
    assert [each["custom_id"] for each in lines] == [str(n) for n in range(LINES)]
    said = [each["response"]["body"]["choices"][0]["message"]["content"] for each in lines]
    assert said == [f"answer to say {n}." for n in range(LINES)]
    assert {each["holdfast"]["route"] for each in lines} == {"first/claude-sim", "second/gpt-sim"}
    assert fleet.offenders() == {}
