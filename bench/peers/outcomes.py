"""What the user of a client library gets: answers, and failures that are left to them."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable


def tell(answers: int, jobs: int) -> None:
    print(json.dumps({"answers": answers, "failures": jobs - answers}))


async def count_outcomes(ask: Callable[[str], Awaitable[str | None]], jobs: int, in_flight: int) -> None:
    """Ask for every prompt, at most ``in_flight`` at once, and print how many were answered."""
    places = asyncio.Semaphore(in_flight)
    answers, errors = 0, set()

    async def call(number: int) -> None:
        nonlocal answers
        async with places:
            try:
                answer = await ask(f"prompt {number}")
            except Exception as error:  # noqa: BLE001  whatever reaches the user
                errors.add(f"{type(error).__name__}: {error}"[:200])
            else:
                answers += answer == f"answer to prompt {number}"

    await asyncio.gather(*map(call, range(jobs)))
    sys.stderr.write("".join(f"{error}\n" for error in sorted(errors)[:5]))
    tell(answers, jobs)
