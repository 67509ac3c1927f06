"""Offers are a courtesy: they never raise, never make a submit wait, and leave a Redis that is away alone."""

from threading import Event

from holdfast.client.offers import MAX_PENDING, Offers
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Need, Offer

JOBS = [Offer("a", "smart.batch", Need(1, 1))]


class Redis:
    """Lanes that can be away, and a clock to turn by hand."""

    def __init__(self) -> None:
        self.away, self.now, self.asked, self.offered = False, 0.0, 0, []
        self.offers = Offers(self.reach, clock=lambda: self.now, quiet=5.0)

    def reach(self):
        self.asked += 1
        if self.away:
            raise QueueUnavailable("redis://127.0.0.1:1", "connection refused")
        return self

    def offer(self, offers) -> int:
        self.offered += offers
        return len(offers)

    def make(self, times: int = 1) -> None:
        for _ in range(times):
            self.offers.make(JOBS)
        self.offers.flush()


def test_jobs_are_offered() -> None:
    redis = Redis()
    redis.make()
    assert redis.offered == JOBS


def test_a_redis_that_is_away_is_asked_once_and_then_left_alone() -> None:
    redis = Redis()
    redis.away = True
    redis.make(times=50)
    assert (redis.asked, redis.offered) == (1, [])


def test_after_a_quiet_time_it_is_asked_again() -> None:
    redis = Redis()
    redis.away = True
    redis.make()
    redis.away, redis.now = False, 6.0
    redis.make()
    assert redis.offered == JOBS


def test_offers_that_pile_up_behind_a_slow_redis_are_left_to_the_sweeper() -> None:
    slow, going, offered = Event(), Event(), list[object]()

    class Slow:
        def offer(self, offers) -> int:
            going.set()
            slow.wait(120)
            offered.append(offers)
            return 1

    offers = Offers(Slow)
    offers.make(JOBS)
    going.wait(120)
    for _ in range(MAX_PENDING * 2):
        offers.make(JOBS)  # returns although nothing moves
    slow.set()
    offers.close()
    assert len(offered) == MAX_PENDING


def test_an_unforeseen_error_is_logged_and_nothing_else(caplog) -> None:
    def broken():
        raise RuntimeError("a bug")

    offers = Offers(broken)
    offers.make(JOBS)
    offers.close()
    assert "an offer failed" in caplog.text
