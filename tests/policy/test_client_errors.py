"""A burst of client errors ends: soon where the route names what is wrong, else after longer than an outage lasts."""

from dataclasses import replace

from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.breaker import admit, record
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, Rules
from holdfast.policy.breaker_state import Breaker, Closed, HalfOpen, Open
from holdfast.policy.comparison import NOTHING_KNOWN, Blame, blame, is_its_own
from holdfast.policy.health import Health
from holdfast.policy.outcome_signals import signals
from holdfast.policy.signals import Observation, ScopeKind, Signal

BARE, NAMED, OK, FAULT = Signal.CLIENT_ERROR, Signal.NAMED_CLIENT_ERROR, Signal.OK, Signal.FAULT
RULES = NO_ALTERNATIVE[ScopeKind.ROUTE]
HOUR = 3_600.0
WRONG = Fault(FaultKind.INVALID_REQUEST, "400", 400)
BELIEVED = Health(failing_routes=frozenset({"a/m"}), degraded=frozenset({"a/m"}), believed=frozenset({"a/m"}))


def middle(low, high):
    return (low + high) / 2


class Route:
    """A route that answers one signal to everybody: its breaker, and how often it was asked."""

    def __init__(self, answer=BARE, *, replied=None, rules=RULES):
        self.breaker, self.now, self.answer, self.replied, self.rules = Breaker(), 1_000.0, answer, replied, rules
        self.calls = 0
        while not self.is_shut:
            self.tell(answer)

    def tell(self, signal):
        self.calls += 1
        job = f"job-{self.calls}"
        observed = Observation(self.now, self.breaker.epoch, signal, job=job, sent=self.now, replied=self.replied)
        self.breaker = record(self.breaker, observed, self.rules, middle)

    def probe(self):
        self.now = max(self.now, self.breaker.state.until)
        self.breaker, _ = admit(self.breaker, self.now, self.rules)
        self.tell(self.answer)

    def until_believed(self, most=HOUR * 24):
        began, calls = self.now, self.calls
        while self.is_shut and self.now < began + most:
            self.probe()
        return self.calls - calls, self.now - began

    @property
    def is_shut(self):
        return not isinstance(self.breaker.state, Closed)

    @property
    def is_believed(self):
        state = self.breaker.state
        return isinstance(state, Closed) and state.believed_until is not None and self.now < state.believed_until


def test_what_is_named_is_believed_after_a_handful_of_probes_in_growing_steps():
    for replied in (None, 900.0):
        calls, seconds = Route(NAMED, replied=replied).until_believed()
        assert calls == RULES.wrong_probes
        assert seconds == 1 + 2 + 4 + 8 + 16


def test_what_is_not_named_outlives_an_outage_of_an_hour_where_somebody_was_answered_before():
    calls, seconds = Route(BARE, replied=900.0).until_believed()
    assert 2 * HOUR <= seconds <= 2 * HOUR + RULES.cap
    assert calls <= 40


def test_where_nobody_was_ever_answered_a_few_minutes_are_enough():
    calls, seconds = Route(BARE).until_believed()
    assert calls == RULES.wrong_unnamed
    assert seconds < 300


def test_the_outage_may_end_before():
    route = Route(BARE, replied=900.0)
    for _ in range(12):
        route.probe()
    route.answer = OK
    route.probe()
    assert isinstance(route.breaker.state, Closed)
    assert not route.is_believed


def test_once_believed_client_errors_open_nothing_as_long_as_they_come():
    route = Route(NAMED)
    route.until_believed()
    for _ in range(100):
        route.now += 20.0
        route.tell(NAMED)
    assert route.is_believed


def test_belief_ends_with_a_success_or_a_minute_after_the_last_of_them():
    for end in ("success", "minute"):
        route = Route(NAMED)
        route.until_believed()
        if end == "success":
            route.tell(OK)
        route.now += RULES.believed_seconds
        assert not route.is_believed
        for _ in range(RULES.error_burst):
            route.tell(NAMED)
        assert isinstance(route.breaker.state, Open)


def test_a_fault_of_another_kind_makes_it_an_outage():
    route = Route(NAMED)
    route.probe()
    route.answer = FAULT
    route.probe()
    assert route.breaker.state.wrong is None
    route.answer = NAMED
    route.now = route.breaker.state.until
    route.breaker, _ = admit(route.breaker, route.now, route.rules)
    route.tell(NAMED)
    assert isinstance(route.breaker.state, HalfOpen)


def test_every_state_on_the_way_survives_its_hash():
    route = Route(NAMED)
    for _ in range(RULES.wrong_probes):
        assert parse(dump(route.breaker)) == route.breaker
        route.probe()
    assert route.is_believed
    assert parse(dump(route.breaker)) == route.breaker


def test_a_request_that_is_believed_to_be_wrong_is_its_job_s_fault_and_is_told_to_the_breaker():
    assert blame(WRONG, "a/m", NOTHING_KNOWN, BELIEVED) is Blame.JOB
    assert blame(WRONG, "a/m", NOTHING_KNOWN, replace(BELIEVED, believed=frozenset())) is Blame.ROUTE
    assert blame(Fault(FaultKind.SERVER_ERROR), "a/m", NOTHING_KNOWN, BELIEVED) is Blame.ROUTE
    assert not is_its_own(WRONG, 9, "a/m", NOTHING_KNOWN, BELIEVED, before=FaultKind.INVALID_REQUEST)


def test_only_an_answer_that_names_a_part_says_so():
    assert signals(WRONG)[ScopeKind.ROUTE] is BARE
    assert signals(replace(WRONG, names_part=True))[ScopeKind.ROUTE] is NAMED


def test_the_rules_of_a_route_with_an_alternative_end_it_as_well():
    assert Route(NAMED, rules=Rules()).until_believed()[0] == Rules().wrong_probes
