"""The bare loop that the pool is measured against: `python bare_loop.py URL JOBS IN_FLIGHT`.

Prints one JSON line: seconds, and CPU seconds of this process from the first call to the last answer.
"""

import asyncio
import json
import sys
import time

import anthropic
import httpx2


async def run(url: str, jobs: int, in_flight: int) -> dict[str, float]:
    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    http = anthropic.DefaultAioHttpClient(limits=limits, trust_env=False)
    client = anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0, timeout=60, http_client=http)
    slots = asyncio.Semaphore(in_flight)

    async def call(number: int) -> str:
        async with slots:
            turn = {"role": "user", "content": f"prompt {number}"}
            message = await client.messages.create(model="first-model", max_tokens=1000, messages=[turn])
            return message.content[0].text

    began, cpu = time.perf_counter(), time.process_time()
    texts = await asyncio.gather(*map(call, range(jobs)))
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    await client.close()
    if any(text != f"answer to prompt {number}" for number, text in enumerate(texts)):
        raise SystemExit("an answer is another call's")
    return took


if __name__ == "__main__":
    url_, jobs_, in_flight_ = sys.argv[1:]
    print(json.dumps(asyncio.run(run(url_, int(jobs_), int(in_flight_)))))
