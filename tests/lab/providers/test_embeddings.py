"""Simulated providers embed: one vector for each input, which follows from it alone, as a list or packed."""

import openai

from lab.providers.asking import asking


async def test_the_sdk_gets_a_vector_for_each_input_packed_or_not() -> None:
    async with asking() as asker, openai.AsyncOpenAI(base_url=f"{asker.sim.url}/v1", api_key="k") as client:
        packed = await client.embeddings.create(model="e", input=["a", "b", "a"])
        listed = await client.embeddings.create(model="e", input="a", encoding_format="float")
    vectors = [each.embedding for each in packed.data]
    assert vectors[0] == vectors[2] != vectors[1]
    assert [round(value, 5) for value in listed.data[0].embedding] == [round(value, 5) for value in vectors[0]]
    assert packed.usage.total_tokens > 0


async def test_an_embedding_of_nothing_is_refused() -> None:
    async with asking() as asker:
        assert await asker.status("/v1/embeddings", {"model": "e", "input": []}) == 400
        assert await asker.status("/v1/embeddings", {"model": "e", "input": "a", "odd": 1}) == 400
