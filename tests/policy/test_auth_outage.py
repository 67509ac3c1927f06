"""Several credentials of a provider refused together are its outage; one bad key among good ones is not."""

from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.policy.auth_outage import REMEMBERED, AuthRecord, accepted, refused
from holdfast.policy.breaker import Admission, admit, record
from holdfast.policy.breaker_recovery import cool_off
from holdfast.policy.breaker_rules import RULES
from holdfast.policy.breaker_state import Breaker, Closed, HalfOpen, Open
from holdfast.policy.outcome_signals import reports_auth, signals
from holdfast.policy.probe_order import probe_rank
from holdfast.policy.signals import Observation, ScopeKind, Signal

YES = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
NO = Fault(FaultKind.AUTH, status=401)
TICK = 0.25  # seconds between two calls


def middle(low: float, high: float) -> float:
    return (low + high) / 2


@dataclass
class Provider:
    """A provider's endpoint with the breakers of its keys, a clock to crank, and one caller that tries what it may."""

    keys: tuple[str, ...]
    good: set[str] = field(default_factory=set)  # keys that are valid
    well: bool = True  # whether valid keys are let in
    now: float = 1_000.0
    calls: list[tuple[float, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.endpoint = Breaker()
        self.credentials = {key: Breaker() for key in self.keys}

    def call(self) -> bool | None:
        """Make one call with the first key that may; whether it was let in, None where none may be tried."""
        for key in sorted(self.keys, key=lambda key: probe_rank(self.credentials[key], self.endpoint, self.now)):
            credential, by_key = admit(self.credentials[key], self.now, RULES[ScopeKind.CREDENTIAL])
            endpoint, by_endpoint = admit(self.endpoint, self.now, RULES[ScopeKind.ENDPOINT])
            if isinstance(by_key, Admission) and isinstance(by_endpoint, Admission):
                self.credentials[key], self.endpoint = credential, endpoint
                return self.answer(key, ok=self.well and key in self.good)
        return None

    def answer(self, key: str, *, ok: bool, sent: float | None = None) -> bool:
        told = signals(YES if ok else NO)
        said = key if reports_auth(told) else ""
        observation = Observation(self.now, self.credentials[key].epoch, told[ScopeKind.CREDENTIAL])
        self.credentials[key] = record(self.credentials[key], observation, RULES[ScopeKind.CREDENTIAL], middle)
        observation = Observation(self.now, self.endpoint.epoch, told[ScopeKind.ENDPOINT], credential=said, sent=sent)
        self.endpoint = record(self.endpoint, observation, RULES[ScopeKind.ENDPOINT], middle)
        self.calls.append((self.now, key, ok))
        return ok

    def go_on(self, seconds: float) -> None:
        """Call again and again."""
        end = self.now + seconds
        while self.now < end:
            self.call()
            self.now += TICK

    @property
    def is_out(self) -> bool:
        return isinstance(self.endpoint.state, Open | HalfOpen)


def test_two_keys_refused_together_open_the_endpoint() -> None:
    provider = Provider(("a", "b"), good={"a", "b"}, well=False)
    for _ in range(4):
        assert not provider.is_out
        provider.call()
    assert provider.is_out
    assert provider.endpoint.auth_outage


def test_during_an_auth_outage_one_probe_a_cool_off_is_made_for_the_whole_provider() -> None:
    apart, together = Provider(("a",), good={"a"}, well=False), Provider(("a", "b", "c"), good={"a"}, well=False)
    apart.go_on(300.0)
    together.go_on(300.0)
    assert len(together.calls) <= len(apart.calls) + 4
    assert len({key for _, key, _ in together.calls}) == 3


def test_it_ends_by_itself_and_every_valid_key_comes_back() -> None:
    provider = Provider(("a", "b"), good={"a", "b"}, well=False)
    provider.go_on(600.0)
    provider.well = True
    provider.go_on(180.0)
    assert not provider.is_out
    assert all(breaker.state == Closed() for breaker in provider.credentials.values())


def test_a_key_that_was_revoked_during_the_outage_does_not_hide_its_end() -> None:
    provider = Provider(("a", "b"), good={"b"}, well=False)
    provider.go_on(600.0)
    provider.well = True
    provider.go_on(180.0)
    assert not provider.is_out
    assert isinstance(provider.credentials["b"].state, Closed)
    assert isinstance(provider.credentials["a"].state, Open)


def test_one_bad_key_among_good_ones_is_its_own_affair() -> None:
    provider = Provider(("bad", "good"), good={"good"})
    provider.go_on(600.0)
    assert not provider.is_out
    assert provider.endpoint.epoch == 0
    assert sum(not ok for _, _, ok in provider.calls) < 60 < len(provider.calls) / 30


def test_a_provider_with_one_credential_has_that_credentials_breaker_and_no_more() -> None:
    provider = Provider(("only",), good={"only"}, well=False)
    provider.go_on(600.0)
    assert provider.endpoint.epoch == 0


def test_one_refusal_each_may_be_a_slip() -> None:
    provider = Provider(("a", "b"))
    provider.answer("a", ok=False)
    provider.answer("b", ok=False)
    assert not provider.is_out


def test_refusals_that_lie_far_apart_were_not_said_together() -> None:
    logins = refused(refused((), "a", 0.0), "a", 1.0)
    assert [each.credential for each in refused(logins, "b", REMEMBERED + 2.0)] == ["b"]


def test_an_answer_to_a_call_from_before_the_outage_does_not_vouch_for_its_key() -> None:
    provider = Provider(("a", "b"))
    sent = provider.now - 30.0
    provider.answer("a", ok=False)
    provider.answer("a", ok=True, sent=sent)
    provider.answer("a", ok=False)
    provider.answer("b", ok=False)
    provider.answer("b", ok=False)
    assert provider.is_out


def test_a_key_that_is_let_in_vouches_for_the_provider() -> None:
    provider = Provider(("a", "b", "c"))
    provider.answer("a", ok=False)
    provider.now += 1.0
    provider.answer("c", ok=True)
    for key in ("a", "b", "b"):
        provider.answer(key, ok=False)
    assert not provider.is_out


def test_while_every_login_works_nothing_is_remembered_and_nothing_is_written() -> None:
    provider = Provider(("a", "b"), good={"a", "b"})
    before = provider.endpoint
    provider.go_on(60.0)
    assert provider.endpoint is before
    assert accepted((), "a", 1.0, 1.0) == ()


def test_beside_a_bad_key_a_good_one_is_noted_once_a_second() -> None:
    logins = accepted(refused((), "bad", 0.0), "good", 2.0, 1.0)
    assert logins == (AuthRecord("bad", 0.0, 1), AuthRecord("good", 1.0, 0))
    assert accepted(logins, "good", 2.5, 1.9) is logins
    assert accepted(logins, "good", 2.6, 2.1)[-1] == AuthRecord("good", 2.1, 0)


def test_an_endpoint_that_could_not_be_reached_is_back_when_it_refuses_a_key() -> None:
    down = Breaker(HalfOpen(10.0, 1.0), epoch=1, since=0.0)
    observation = Observation(5.0, 1, Signal.AUTH_REJECTED, credential="a")
    assert isinstance(record(down, observation, RULES[ScopeKind.ENDPOINT], middle).state, Closed)


def test_the_credential_that_has_waited_longest_is_tried_first_and_a_sound_one_makes_the_providers_probe() -> None:
    early, late, sound = Breaker(Open(5.0, 1.0)), Breaker(Open(8.0, 1.0)), Breaker()
    assert probe_rank(early, Breaker(), 10.0) < probe_rank(late, Breaker(), 10.0) < probe_rank(sound, Breaker(), 10.0)
    due = Breaker(Open(9.0, 1.0), auth_outage=True)
    assert probe_rank(sound, due, 10.0) < probe_rank(early, due, 10.0) < probe_rank(late, due, 10.0)
    assert probe_rank(Breaker(Open(11.0, 1.0)), Breaker(), 10.0) == probe_rank(sound, Breaker(), 10.0)


LONGEST = cool_off(1_200.0, RULES[ScopeKind.ENDPOINT])  # seconds between two probes in the outages below


@settings(max_examples=150)
@example((("a", "b", "c", "d"), {"b"}), [(False, 173.1), (False, 134.6), (False, 134.6), (True, 200.0)])
@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True).flatmap(
        lambda keys: st.tuples(st.just(tuple(keys)), st.sets(st.sampled_from(keys)))
    ),
    st.lists(st.tuples(st.booleans(), st.floats(1, 200)), max_size=6),
)
def test_however_an_outage_goes_valid_keys_come_back_and_the_provider_is_open_only_while_none_is_let_in(
    keys, spells
) -> None:
    provider = Provider(keys[0], good=keys[1])
    for provider.well, seconds in spells:
        provider.go_on(seconds)
        if provider.well and provider.good and seconds > len(provider.keys) * LONGEST:  # each key was the probe once
            assert not provider.is_out
    provider.well = True
    provider.go_on(1_000.0)
    for key in provider.good:
        assert isinstance(provider.credentials[key].state, Closed), key
    if provider.good:
        assert not provider.is_out
    if len(provider.keys) == 1:
        assert not provider.endpoint.auth_outage
