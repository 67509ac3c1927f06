"""A batch and waiting calls through OpenAI's SDK: `python older_openai_calls.py URL LINES`. Says when they begin."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import openai
from outcomes import tell

url, lines = sys.argv[1], int(sys.argv[2])
client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", timeout=120)
ENDPOINT = "/v1/chat/completions"


def asked(prompt: str) -> dict[str, object]:
    return {"model": "bench", "messages": [{"role": "user", "content": prompt}]}


def line(number: int) -> str:
    name = f"prompt {number}"
    return json.dumps({"custom_id": name, "method": "POST", "url": ENDPOINT, "body": asked(name)})


def call(number: int) -> str | None:
    prompt = f"prompt {number}"
    match number % 3:
        case 0:
            return client.responses.create(model="bench", input=prompt).output_text
        case 1:
            chunks = client.chat.completions.create(**asked(prompt), stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        case _:
            return client.chat.completions.create(**asked(prompt)).choices[0].message.content


file = client.files.create(file=("in.jsonl", "\n".join(map(line, range(lines))).encode()), purpose="batch")
batch = client.batches.create(input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h")
while client.batches.retrieve(batch.id).request_counts.completed < lines // 10:
    time.sleep(0.1)
print("under way", flush=True)
with ThreadPoolExecutor(24) as threads:
    calls = list(threads.map(call, range(lines // 4)))
while (ended := client.batches.retrieve(batch.id)).status != "completed":
    time.sleep(0.2)
written = [json.loads(each) for each in client.files.content(ended.output_file_id).text.splitlines()]
answers = {each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"] for each in written}
own = sum(answer == f"answer to {name}" for name, answer in answers.items())
own += sum(answer == f"answer to prompt {number}" for number, answer in enumerate(calls))
tell(own, lines + len(calls))
