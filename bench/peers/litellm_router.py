"""LiteLLM's Router with one deployment. `python litellm_router.py URL JOBS IN_FLIGHT [RETRIES]`."""

import asyncio
import sys

import litellm
from outcomes import count_outcomes

url, jobs, in_flight, *retries = sys.argv[1:]


async def main() -> None:
    litellm.suppress_debug_info = True
    deployment = {"model": "openai/first-model", "api_base": url, "api_key": "k"}
    router = litellm.Router(
        model_list=[{"model_name": "bench", "litellm_params": deployment}],
        **({"num_retries": int(retries[0])} if retries else {}),
    )

    async def ask(prompt: str) -> str | None:
        completion = await router.acompletion(model="bench", messages=[{"role": "user", "content": prompt}])
        return completion.choices[0].message.content

    await count_outcomes(ask, int(jobs), int(in_flight))


asyncio.run(main())
