"""Keepers: keys that change under us, tokens that are replaced early and used to their real end. In virtual time."""

import pytest

from holdfast.credentials import IssuerFailed, NoToken, Token
from holdfast.credentials.key_provider import KeyProvider
from holdfast.credentials.source import KeySource
from holdfast.credentials.token_cache import NoTokenCache, RefreshLock
from holdfast.credentials.token_provider import RETRY_EVERY, TokenProvider


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Gives t1, t2 … for ``life`` seconds each; ``out``: it fails."""

    def __init__(self, clock: Clock, life: float = 600.0) -> None:
        self.clock, self.life, self.out, self.given, self.asked = clock, life, False, 0, 0

    async def fetch(self) -> Token:
        self.asked += 1
        if self.out:
            raise IssuerFailed("issuer.example", "it answered 503")
        self.given += 1
        return Token(f"t{self.given}", self.clock.now, self.clock.now + self.life)


class Board:
    """A cache that several keepers share, as processes share Redis."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.token, self.holder, self.until = clock, None, None, 0.0

    def place(self) -> "Place":
        return Place(self)


class Place:
    def __init__(self, board: Board) -> None:
        self.board = board

    async def look(self):
        return self.board.token

    async def put(self, token) -> None:
        self.board.token = token

    async def claim(self, seconds: float) -> RefreshLock:
        board = self.board
        if board.holder is not None and board.clock.now < board.until:
            return RefreshLock.RESTING if board.holder == "rest" else RefreshLock.HELD
        board.holder, board.until = self, board.clock.now + seconds
        return RefreshLock.ACQUIRED

    async def rest(self, seconds: float) -> None:
        self.board.holder, self.board.until = "rest", self.board.clock.now + seconds

    async def release(self) -> None:
        self.board.holder = None


class House:
    """One issuer and keepers under one hand-cranked clock."""

    def __init__(self, life: float = 600.0) -> None:
        self.clock = Clock()
        self.issuer, self.board = Issuer(self.clock, life), Board(self.clock)
        self.changes: list[str] = []

    def keeper(self, share: float = 0.5, *, alone: bool = False) -> TokenProvider:
        async def changed(name: str) -> None:
            self.changes.append(name)

        async def sleep(seconds: float) -> None:
            self.clock.now += seconds

        cache = NoTokenCache() if alone else self.board.place()

        def uniform(low: float, high: float) -> float:
            return low + share * (high - low)

        return TokenProvider("p/main", self.issuer.fetch, cache, changed, self.clock, uniform, sleep)

    async def pass_time(self, seconds: float, *keepers: TokenProvider) -> None:
        """Crank the clock, each keeper ticking when it wants to."""
        end = self.clock.now + seconds
        due = dict.fromkeys(keepers, self.clock.now)
        while (now := min(due.values())) <= end:
            self.clock.now = max(now, self.clock.now)
            keeper = min(due, key=due.get)
            due[keeper] = self.clock.now + await keeper.tick()
        self.clock.now = end


async def test_a_token_is_replaced_well_before_its_end_and_before_anybody_waits_for_it():
    house = House(life=600)
    keeper = house.keeper()
    assert await keeper.secret() == "t1"
    await house.pass_time(400, keeper)
    assert await keeper.secret() == "t1"
    await house.pass_time(50, keeper)
    assert await keeper.secret() == "t2"
    assert house.issuer.asked == 2


async def test_a_token_is_used_to_its_real_end_while_the_issuer_is_out():
    house = House(life=600)
    keeper = house.keeper()
    await keeper.secret()
    house.issuer.out = True
    await house.pass_time(599, keeper)
    assert await keeper.secret() == "t1"
    await house.pass_time(2, keeper)
    with pytest.raises(NoToken, match="503"):
        await keeper.secret()
    house.issuer.out = False
    await house.pass_time(40, keeper)
    assert await keeper.secret() == "t2"


async def test_an_issuer_that_is_out_is_asked_at_growing_distances():
    house = House(life=600)
    keepers = [house.keeper(share) for share in (0.1, 0.5, 0.9)]
    for keeper in keepers:
        await keeper.secret()
    house.issuer.out, house.issuer.asked = True, 0
    await house.pass_time(600, *keepers)
    assert 10 <= house.issuer.asked <= 45  # over about 240 s, by the whole fleet


async def test_calls_that_need_a_token_do_not_hammer_an_issuer_that_is_out():
    house = House()
    house.issuer.out = True
    keeper = house.keeper()
    for _ in range(100):
        with pytest.raises(NoToken):
            await keeper.secret()
    assert house.issuer.asked == 1


async def test_one_process_of_the_fleet_asks_and_the_others_take_what_it_got():
    house = House(life=600)
    keepers = [house.keeper(share) for share in (0.1, 0.5, 0.9)]
    for keeper in keepers:
        assert await keeper.secret() == "t1"
    await house.pass_time(480, *keepers)
    assert {await keeper.secret() for keeper in keepers} == {"t2"}
    assert house.issuer.asked == 2


async def test_a_process_waits_for_another_one_that_is_asking_just_now():
    house = House()
    house.board.holder, house.board.until = "another", house.clock.now + 3.0
    assert await house.keeper().secret() == "t1"
    assert house.clock.now >= 1_003.0


async def test_a_process_that_died_while_asking_frees_its_turn():
    house = House()
    dead = house.board.place()
    await dead.claim(10.0)
    keeper = house.keeper()
    await house.pass_time(11, keeper)
    assert await keeper.secret() == "t1"


async def test_a_refused_token_is_replaced_but_not_once_per_call():
    house = House()
    keeper = house.keeper()
    await keeper.secret()
    assert await keeper.refused("t1")
    assert await keeper.secret() == "t2"
    for _ in range(100):
        await keeper.refused("t2")
    assert house.issuer.asked == 2
    house.clock.now += RETRY_EVERY
    assert await keeper.refused("t2")
    assert house.issuer.asked == 3


async def test_a_refused_token_stays_in_use_while_the_issuer_is_out():
    house = House()
    keeper = house.keeper()
    await keeper.secret()
    house.issuer.out = True
    assert not await keeper.refused("t1")
    assert await keeper.secret() == "t1"


async def test_the_token_that_another_process_got_after_a_refusal_serves_this_one_as_well():
    house = House()
    first, second = house.keeper(), house.keeper()
    await first.secret()
    await second.secret()
    await first.refused("t1")
    assert await second.refused("t1")
    assert await second.secret() == "t2"
    assert house.issuer.asked == 2


async def test_a_refusal_of_an_older_token_asks_for_nothing():
    house = House()
    keeper = house.keeper()
    await keeper.secret()
    await keeper.refused("t1")
    assert await keeper.refused("t1")
    assert house.issuer.asked == 2


async def test_without_a_shelf_a_process_helps_itself():
    house = House()
    assert await house.keeper(alone=True).secret() == "t1"
    assert await house.keeper(alone=True).secret() == "t2"


async def test_each_new_token_is_told_once():
    house = House()
    keeper = house.keeper()
    await keeper.secret()
    await keeper.refused("t1")
    await keeper.tick()
    assert house.changes == ["p/main", "p/main"]


class KeyPlace(KeySource):
    """A place whose key the test sets; None: it cannot be read."""

    def __init__(self, key: str | None) -> None:
        super().__init__("none")
        self.key, self.reads, self.changed = key, 0, False

    async def fetch(self) -> str:
        self.reads += 1
        self.changed = False
        if self.key is None:
            raise IssuerFailed("a place", "it is away")
        return self.key

    def looks_changed(self) -> bool:
        return self.changed


def key_keeper(place: KeyPlace) -> tuple[KeyProvider, Clock, list[str]]:
    clock, changes = Clock(), []

    async def changed(name: str) -> None:
        changes.append(name)

    return KeyProvider("p/main", place, changed, clock), clock, changes


async def test_a_key_is_read_once_and_again_when_its_file_changed():
    place = KeyPlace("a")
    keeper, _, changes = key_keeper(place)
    assert [await keeper.secret() for _ in range(5)] == ["a"] * 5
    assert place.reads == 1
    place.key, place.changed = "b", True
    await keeper.tick()
    assert await keeper.secret() == "b"
    assert changes == ["p/main", "p/main"]


async def test_a_wave_of_refusals_reads_a_key_once_in_a_while():
    place = KeyPlace("a")
    keeper, clock, _ = key_keeper(place)
    await keeper.secret()
    clock.now += 10
    assert not any([await keeper.refused("a") for _ in range(500)])
    assert place.reads == 2
    place.key = "b"
    clock.now += 3
    await keeper.tick()
    assert await keeper.secret() == "b"


async def test_a_place_that_fails_takes_no_good_key_away():
    place = KeyPlace("a")
    keeper, _, _ = key_keeper(place)
    await keeper.secret()
    place.key, place.changed = None, True
    await keeper.tick()
    assert await keeper.secret() == "a"


async def test_a_place_that_was_empty_is_looked_at_until_there_is_a_key():
    place = KeyPlace(None)
    keeper, clock, _ = key_keeper(place)
    with pytest.raises(NoToken, match="p/main"):
        await keeper.secret()
    place.key = "a"
    clock.now += 3
    await keeper.tick()
    assert await keeper.secret() == "a"
