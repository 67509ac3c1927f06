"""After SQL failed it is trusted again slowly, and nobody is taken over before the living had time to renew."""

from holdfast.worker.dependency_health import FIRST_REST, LONGEST_REST, DependencyHealth


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def flap(dependencies: DependencyHealth, clock: Clock) -> float:
    """SQL fails and then answers all the time; seconds until it is trusted."""
    dependencies.sql_failed("disk full")
    began = clock.now
    while not dependencies.may_call:
        clock.now += 0.05
        dependencies.sql_answered()
    return clock.now - began


def test_a_database_that_answers_and_does_not_write_is_asked_ever_more_rarely() -> None:
    clock = Clock()
    dependencies = DependencyHealth(clock)
    rests = [flap(dependencies, clock) for _ in range(8)]
    assert rests == sorted(rests)
    assert rests[0] < 2 * FIRST_REST + 0.1
    assert LONGEST_REST <= rests[-1] < LONGEST_REST + 0.1


def test_a_written_claim_restores_trust() -> None:
    clock = Clock()
    dependencies = DependencyHealth(clock)
    [flap(dependencies, clock) for _ in range(8)]
    dependencies.sql_wrote()
    assert flap(dependencies, clock) < 2 * FIRST_REST + 0.1


def test_sql_is_steady_only_some_time_after_it_came_back_or_after_the_start() -> None:
    clock = Clock()
    dependencies = DependencyHealth(clock)
    assert not dependencies.sql_steady_for(5)
    clock.now += 5
    assert dependencies.sql_steady_for(5)
    flap(dependencies, clock)
    assert not dependencies.sql_steady_for(5)
    clock.now += 5
    assert dependencies.sql_steady_for(5)


def test_while_sql_is_lost_nothing_is_steady() -> None:
    clock = Clock()
    dependencies = DependencyHealth(clock)
    dependencies.sql_failed("away")
    clock.now += 100
    assert not dependencies.sql_steady_for(5)
