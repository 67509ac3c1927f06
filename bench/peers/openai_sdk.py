"""The OpenAI SDK alone, retries left to it. `python openai_sdk.py URL JOBS IN_FLIGHT [RETRIES]`."""

import asyncio
import sys

import openai
from outcomes import count_outcomes

url, jobs, in_flight, *retries = sys.argv[1:]


async def main() -> None:
    client = openai.AsyncOpenAI(
        api_key="k",
        base_url=url,
        **({"max_retries": int(retries[0])} if retries else {}),
        http_client=openai.DefaultAioHttpClient(trust_env=False),
    )

    async def ask(prompt: str) -> str | None:
        completion = await client.chat.completions.create(
            model="first-model", messages=[{"role": "user", "content": prompt}]
        )
        return completion.choices[0].message.content

    await count_outcomes(ask, int(jobs), int(in_flight))


asyncio.run(main())
