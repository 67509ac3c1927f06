"""The same as ``older_openai_calls.py`` through Anthropic's SDK."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import anthropic
from outcomes import tell

url, requests = sys.argv[1], int(sys.argv[2])
client = anthropic.Anthropic(base_url=url, api_key="none", timeout=120)


def asked(prompt: str) -> dict[str, object]:
    return {"model": "bench", "max_tokens": 50, "messages": [{"role": "user", "content": prompt}]}


def call(number: int) -> str:
    prompt = f"prompt {number}"
    if number % 2:
        with client.messages.stream(**asked(prompt)) as stream:
            return stream.get_final_text()
    return client.messages.create(**asked(prompt)).content[0].text


orders = [{"custom_id": f"r{number}", "params": asked(f"prompt {number}")} for number in range(requests)]
batch = client.messages.batches.create(requests=orders)
while client.messages.batches.retrieve(batch.id).request_counts.succeeded < requests // 10:
    time.sleep(0.1)
print("under way", flush=True)
with ThreadPoolExecutor(24) as threads:
    calls = list(threads.map(call, range(requests // 4)))
while client.messages.batches.retrieve(batch.id).processing_status != "ended":
    time.sleep(0.2)
answers = {each.custom_id: each.result.message.content[0].text for each in client.messages.batches.results(batch.id)}
own = sum(answer == f"answer to prompt {name.removeprefix('r')}" for name, answer in answers.items())
own += sum(answer == f"answer to prompt {number}" for number, answer in enumerate(calls))
tell(own, requests + len(calls))
