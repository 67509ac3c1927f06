"""What an issuer may cost: so many bytes of an answer, and so many questions while it is out."""

import pytest

from credentials.issuer import SimIssuer
from credentials.test_credential_providers import House
from credentials.test_sources import source_of
from holdfast.credentials import IssuerFailed, NoToken
from holdfast.credentials.issuer import LONGEST


async def test_an_answer_without_an_end_is_given_up():
    async with SimIssuer(prefix="t" * (LONGEST + 1)) as issuer:
        with pytest.raises(IssuerFailed, match="ClientPayloadError"):
            await source_of(issuer).fetch()


async def test_a_process_alone_asks_an_issuer_that_is_out_once_in_a_while():
    house = House()
    house.issuer.out = True
    keeper = house.keeper(alone=True)
    for _ in range(5):
        with pytest.raises(NoToken):
            await keeper.secret()
    assert house.issuer.asked == 1
    house.clock.now += 1.0
    with pytest.raises(NoToken):
        await keeper.secret()
    assert house.issuer.asked == 2
