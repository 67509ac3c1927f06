"""Offers are a courtesy: they never raise, never make a submit wait, and leave a Redis that is away alone."""

from threading import Event

from holdfast.client.offers import CROWD, MAX_PENDING, PAUSE, Offers
from holdfast.client.redis_link import EmbeddedServerDown
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Need, Offer

JOBS = [Offer("a", "smart.batch", Need(1, 1))]


class Redis:
    """Lanes that can be away, and a clock to turn by hand."""

    def __init__(self) -> None:
        self.away, self.now, self.asked, self.offered = False, 0.0, 0, []
        self.why = QueueUnavailable
        self.offers = Offers(self.reach, clock=lambda: self.now, quiet=5.0)

    def reach(self):
        self.asked += 1
        if self.away:
            raise self.why("redis://127.0.0.1:1", "connection refused")
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


def test_an_embedded_one_that_no_worker_has_started_yet_is_looked_for_soon_again() -> None:
    """`run` submits while its own pool starts: its jobs need not wait for the sweeper."""
    redis = Redis()
    redis.away, redis.why = True, EmbeddedServerDown
    redis.make(times=50)
    assert redis.asked == 1
    redis.away, redis.now = False, 0.2
    redis.make()
    assert redis.offered == JOBS


class SlowRedis:
    """Lanes whose first offer takes until ``going`` is set."""

    def __init__(self) -> None:
        self.asked, self.going, self.offered = Event(), Event(), list[list[Offer]]()
        self.offers = Offers(lambda: self)

    def offer(self, offers) -> int:
        self.asked.set()
        self.going.wait(120)
        self.offered.append(list(offers))
        return len(offers)

    def pile_up(self, submits: int, jobs: int) -> None:
        """One submit whose offer hangs, then ``submits`` of ``jobs`` jobs, none of which waits for it."""
        self.offers.make(JOBS)
        self.asked.wait(120)
        for _ in range(submits):
            self.offers.make(JOBS * jobs)
        self.going.set()
        self.offers.close()


def test_offers_of_many_submits_that_wait_are_made_together() -> None:
    """However many callers submit one job each: none of them waits for the sweeper."""
    redis = SlowRedis()
    redis.pile_up(submits=500, jobs=1)
    assert redis.offered == [JOBS, JOBS * 500]


def test_offers_that_pile_up_behind_a_slow_redis_are_left_to_the_sweeper() -> None:
    redis = SlowRedis()
    redis.pile_up(submits=50, jobs=1_000)
    assert [len(offers) for offers in redis.offered] == [1, MAX_PENDING]


class FastRedis:
    """Lanes that answer at once, and a clock that moves when somebody sleeps. A job comes in meanwhile."""

    def __init__(self) -> None:
        self.now, self.slept, self.offered = 0.0, list[float](), list[list[Offer]]()
        self.offers = Offers(lambda: self, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.offers.make(JOBS)
        self.now += seconds
        self.slept.append(seconds)

    def offer(self, offers) -> int:
        self.offered.append(list(offers))
        return len(offers)

    def submit(self, times: int, every: float) -> None:
        for _ in range(times):
            self.offers.make(JOBS)
            self.offers.flush()
            self.now += every


def test_jobs_that_are_submitted_one_upon_the_other_are_offered_together() -> None:
    redis = FastRedis()
    redis.submit(times=CROWD, every=PAUSE / 100)
    assert redis.offered == [JOBS] * (CROWD - 1) + [JOBS * 2]
    assert redis.slept == [PAUSE - PAUSE / 100]


def test_a_submit_by_itself_is_offered_at_once() -> None:
    """However many there are: nobody waits for the crowd that does not come."""
    redis = FastRedis()
    redis.submit(times=20, every=PAUSE / 2)
    assert (redis.offered, redis.slept) == ([JOBS] * 20, [])


def test_an_unforeseen_error_is_logged_and_nothing_else(caplog) -> None:
    def broken():
        raise RuntimeError("a bug")

    offers = Offers(broken)
    offers.make(JOBS)
    offers.close()
    assert "an offer failed" in caplog.text
