"""The whole over a real socket: many waiters at once hold no threads."""

import asyncio

import httpx2

from producing import StandInWorker, served


async def test_two_hundred_waiters_hear_of_their_job_while_others_are_served(settings, store) -> None:
    worker = StandInWorker(store)
    limits = httpx2.Limits(max_connections=None)
    with served(settings) as url:
        async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as http:
            jobs = [{"prompt": f"p{n}"} for n in range(200)]
            accepted = (await http.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs})).json()["jobs"]
            waits = [
                asyncio.create_task(http.get(job["status_url"], headers={"Prefer": "wait=60"})) for job in accepted
            ]
            assert (await http.get("/readyz")).status_code == 200
            await asyncio.to_thread(worker.answer)
            answers = await asyncio.gather(*waits)
    assert {answer.json()["status"] for answer in answers} == {"succeeded"}
