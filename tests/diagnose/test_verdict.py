"""One verdict from what the checks found; only our own calls prove anything, the page decides what they leave open."""

import pytest

from holdfast.diagnose.status_page import StatusLevel, StatusPage
from holdfast.diagnose.verdict import Findings, ModelCheck, Unreachable, Verdict, diagnose
from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.diagnosis_words import WORDS

WEB_DOWN = StatusPage(StatusLevel.OPERATIONAL, StatusLevel.MAJOR_OUTAGE, ("Login fails",))
API_DOWN = StatusPage(StatusLevel.PARTIAL_OUTAGE, StatusLevel.MAJOR_OUTAGE)
WELL = StatusPage(StatusLevel.OPERATIONAL, StatusLevel.OPERATIONAL)


def models(*kinds: FaultKind | None, credential: str = "main") -> list[ModelCheck]:
    return [ModelCheck(f"m{n}", credential, None if kind is None else Fault(kind)) for n, kind in enumerate(kinds)]


def verdict(**found: object) -> Verdict:
    return diagnose(Findings("p", **found)).verdict  # type: ignore[arg-type]


def test_a_provider_that_answers_is_healthy_whatever_its_page_says_of_its_api() -> None:
    assert verdict(models=models(None, None)) is Verdict.HEALTHY
    assert verdict(models=models(None), page=API_DOWN) is Verdict.HEALTHY


def test_a_broken_web_front_end_beside_a_working_api_is_web_only() -> None:
    assert verdict(models=models(None), page=WEB_DOWN) is Verdict.WEB_ONLY


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.OVERLOADED, FaultKind.TIMED_OUT, FaultKind.BAD_ANSWER]
)
def test_calls_that_all_fail_are_the_providers_inference_though_its_page_says_nothing(kind: FaultKind) -> None:
    assert verdict(models=models(kind, kind), page=WELL) is Verdict.PROVIDER_INFERENCE


def test_one_model_that_fails_beside_others_is_that_model() -> None:
    assert verdict(models=models(None, FaultKind.OVERLOADED)) is Verdict.ONE_MODEL
    assert verdict(models=models(FaultKind.MODEL_NOT_FOUND, None)) is Verdict.ONE_MODEL


def test_money_and_rates_are_told_apart() -> None:
    assert verdict(models=models(FaultKind.SPEND_LIMIT)) is Verdict.BUDGET
    assert verdict(models=models(FaultKind.RATE_LIMITED)) is Verdict.RATE_LIMITED
    assert verdict(models=models(None, FaultKind.RAMP_LIMITED)) is Verdict.RATE_LIMITED


def test_a_single_refused_key_is_ones_own() -> None:
    assert verdict(models=models(FaultKind.AUTH)) is Verdict.LOCAL_CONFIGURATION
    assert verdict(models=models(FaultKind.AUTH), page=WELL) is Verdict.LOCAL_CONFIGURATION


def test_a_refused_key_beside_an_accepted_one_is_ones_own() -> None:
    logins = {"main": Fault(FaultKind.AUTH), "other": None}
    assert verdict(models=models(FaultKind.AUTH), logins=logins, page=WEB_DOWN) is Verdict.LOCAL_CONFIGURATION


def test_keys_that_are_refused_together_are_the_providers_doing() -> None:
    logins = {"main": Fault(FaultKind.AUTH), "other": Fault(FaultKind.AUTH)}
    assert verdict(credentials=2, models=models(FaultKind.AUTH), logins=logins) is Verdict.PROVIDER_AUTHENTICATION


def test_a_key_that_was_good_minutes_ago_or_beside_an_incident_is_the_providers_doing() -> None:
    refused = models(FaultKind.AUTH)
    assert verdict(models=refused, accepted_lately=frozenset({"main"})) is Verdict.PROVIDER_AUTHENTICATION
    assert verdict(models=refused, page=WEB_DOWN) is Verdict.PROVIDER_AUTHENTICATION


def test_a_key_that_opens_the_list_and_no_model_is_the_providers_doing() -> None:
    assert verdict(models=models(FaultKind.AUTH), logins={"main": None}) is Verdict.PROVIDER_AUTHENTICATION


def test_a_key_that_may_not_use_the_model_is_configuration() -> None:
    assert verdict(models=models(FaultKind.FORBIDDEN)) is Verdict.LOCAL_CONFIGURATION
    assert verdict(models=models(FaultKind.MODEL_NOT_FOUND)) is Verdict.LOCAL_CONFIGURATION
    assert verdict(models=models(FaultKind.CLOCK_SKEW)) is Verdict.LOCAL_CONFIGURATION


def test_a_refused_question_is_an_answer() -> None:
    assert verdict(models=models(FaultKind.INVALID_REQUEST, FaultKind.REFUSED)) is Verdict.HEALTHY


def test_no_connection_is_the_network_unless_other_hosts_are_reached() -> None:
    away, unknown = Unreachable("x takes no connection"), Unreachable("x is not found", unknown_name=True)
    failing = models(FaultKind.UNREACHABLE)
    assert verdict(unreachable=away, models=failing) is Verdict.LOCAL_NETWORK
    assert verdict(unreachable=unknown, others_reachable=False) is Verdict.LOCAL_NETWORK
    assert verdict(unreachable=away, others_reachable=True, models=failing) is Verdict.PROVIDER_INFERENCE
    assert verdict(unreachable=unknown, others_reachable=True) is Verdict.LOCAL_CONFIGURATION


def test_nothing_to_log_in_with_is_configuration_unless_an_issuer_is_away() -> None:
    missing = {"main": "environment variable K is not set"}
    assert verdict(missing=missing) is Verdict.LOCAL_CONFIGURATION
    assert verdict(missing=missing, issuer_fails=True) is Verdict.PROVIDER_AUTHENTICATION
    assert verdict(missing=missing, credentials=2, models=models(None)) is Verdict.HEALTHY


def test_without_calls_the_keys_decide() -> None:
    assert verdict(logins={"main": None}) is Verdict.HEALTHY
    assert verdict(logins={"main": Fault(FaultKind.SERVER_ERROR)}) is Verdict.PROVIDER_INFERENCE


def test_the_sentence_names_the_provider_what_failed_and_what_its_page_says() -> None:
    checks = [
        ModelCheck("opus", "main", Fault(FaultKind.OVERLOADED, "529 Overloaded", 529)),
        ModelCheck("h", "main", None),
    ]
    told = diagnose(Findings("anthropic", models=checks, page=WEB_DOWN))
    assert told.sentence == (
        "anthropic: 1 of 2 models fails: HTTP 529 Overloaded (opus (main)); "
        "its status page says web major outage (Login fails)"
    )
    assert told.advice


NO_KEY = {"main": "environment variable K is not set"}
AWAY = Unreachable("x takes no connection")


@pytest.mark.parametrize(
    ("found", "first", "also"),
    [
        ({"missing": NO_KEY, "unreachable": AWAY}, Verdict.LOCAL_NETWORK, [Verdict.LOCAL_CONFIGURATION]),
        (
            {"missing": NO_KEY, "issuer_fails": True, "unreachable": AWAY},
            Verdict.LOCAL_NETWORK,
            [Verdict.PROVIDER_AUTHENTICATION],
        ),
        (
            {"missing": NO_KEY, "unreachable": AWAY, "others_reachable": True},
            Verdict.LOCAL_CONFIGURATION,
            [Verdict.PROVIDER_INFERENCE],
        ),
        ({"models": models(None, FaultKind.OVERLOADED), "page": WEB_DOWN}, Verdict.ONE_MODEL, [Verdict.WEB_ONLY]),
        ({"models": models(FaultKind.SERVER_ERROR), "page": WEB_DOWN}, Verdict.PROVIDER_INFERENCE, [Verdict.WEB_ONLY]),
        (
            {"models": models(FaultKind.RATE_LIMITED, FaultKind.RATE_LIMITED, FaultKind.SPEND_LIMIT)},
            Verdict.BUDGET,
            [Verdict.RATE_LIMITED],
        ),
        (
            {"models": models(FaultKind.OVERLOADED, FaultKind.OVERLOADED, FaultKind.MODEL_NOT_FOUND)},
            Verdict.PROVIDER_INFERENCE,
            [Verdict.ONE_MODEL],
        ),
        (
            {"models": models(FaultKind.AUTH, FaultKind.RATE_LIMITED)},
            Verdict.LOCAL_CONFIGURATION,
            [Verdict.RATE_LIMITED],
        ),
        (
            {"models": models(None, FaultKind.OVERLOADED, FaultKind.RATE_LIMITED)},
            Verdict.ONE_MODEL,
            [Verdict.RATE_LIMITED],
        ),
        (
            {"models": models(FaultKind.SERVER_ERROR, FaultKind.SPEND_LIMIT)},
            Verdict.BUDGET,
            [Verdict.PROVIDER_INFERENCE],
        ),
    ],
)
def test_of_two_troubles_the_one_to_act_on_is_first_and_the_other_is_told(
    found: dict[str, object], first: Verdict, also: list[Verdict]
) -> None:
    told = diagnose(Findings("p", **found))  # type: ignore[arg-type]
    assert (told.verdict, list(told.also)) == (first, also)
    assert "; " in told.sentence


def test_the_sentence_names_both_and_the_advice_what_is_to_be_mended_after() -> None:
    told = diagnose(Findings("p", missing=NO_KEY, unreachable=AWAY))
    assert told.sentence == (
        "p: no connection (x takes no connection), nor to any other host that was tried; "
        "also there is nothing to log in with (environment variable K is not set)"
    )
    assert told.advice.partition("; then ")[2].startswith("correct the key")
    calls = [
        ModelCheck("a", "main", Fault(FaultKind.RATE_LIMITED, "429 slow down", 429)),
        ModelCheck("b", "main", Fault(FaultKind.SPEND_LIMIT, "402 no credit", 402)),
    ]
    assert diagnose(Findings("p", models=calls)).sentence == (
        "p: 1 of 2 models fails: HTTP 402 no credit (b (main)); also 1 of 2 models fails: HTTP 429 slow down (a (main))"
    )


def test_a_spare_key_of_no_use_is_told_and_changes_no_verdict() -> None:
    spare = {"main": None, "spare": Fault(FaultKind.AUTH, "401 no", 401)}
    told = diagnose(Findings("p", credentials=2, logins=spare, models=models(None)))
    assert (told.verdict, told.also) == (Verdict.HEALTHY, ())
    assert told.sentence == "p: its API answers (1 model); also key spare is refused: HTTP 401 no"
    told = diagnose(Findings("p", credentials=2, missing={"spare": "K is not set"}, models=models(None)))
    assert told.sentence.endswith("; also there is nothing to log in with as spare (K is not set)")


def test_every_verdict_has_words_for_a_page() -> None:
    assert list(WORDS) == [each.value for each in Verdict]
