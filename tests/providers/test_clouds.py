"""Logins in other clouds: what is signed is signed right, and no key ever reaches a cloud that it is not for."""

import base64
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from holdfast.model.call_result import CallResult, Dimension
from holdfast.model.errors import ConfigError
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.route import Api
from holdfast.providers import clouds
from holdfast.providers.ambient_login import AmbientLogin, AwsKeys, NoAmbientLogin, read_aws_keys
from holdfast.providers.connect import connect
from providers.conftest import ask, fault
from providers.loopback import SITE, Loopback, Seen, answers, base_url, error, hangs, success

KEYS = AwsKeys("AKIAOFTHETEST", "the/secret+of/the=test", "the-session-token")
PRINTED = orjson.dumps(
    {"Version": 1, "AccessKeyId": KEYS.access_key, "SecretAccessKey": KEYS.secret_key, "SessionToken": KEYS.token}
).decode()
SIGNED = {
    Api.ANTHROPIC_BEDROCK: "bedrock",
    Api.ANTHROPIC_BEDROCK_MANTLE: "bedrock-mantle",
    Api.ANTHROPIC_AWS: "aws-external-anthropic",
    Api.OPENAI_BEDROCK: "bedrock-mantle",
    Api.OPENAI_BEDROCK_RESPONSES: "bedrock-mantle",
}
AZURE = (Api.ANTHROPIC_FOUNDRY, Api.AZURE_OPENAI, Api.AZURE_OPENAI_RESPONSES)
GOOGLE = (Api.ANTHROPIC_VERTEX, Api.ANTHROPIC_GOOGLE_CLOUD)
CLOUDS = tuple(api for api in Api if api.wire is not api)
ENTRA = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"none"}', b'{"aud":"azure"}', b"signed")
)


async def made(api: Api, secret: str, act: Any = None, *, model: str = "m") -> tuple[CallResult, list[Seen]]:
    async with Loopback(act or answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), secret, concurrency=10, site=SITE)
        answer = await provider.complete(model, ask(), deadline=10, tag="job_1/0/1")
        await provider.close()
        return answer, server.seen


def signature_of(seen: Seen, service: str) -> str:
    """Sign anew what arrived, with the same keys at the same moment."""
    signed = re.search(r"SignedHeaders=([^,]+)", seen.headers["authorization"])
    assert signed
    headers = {name: seen.headers[name] for name in signed[1].split(";")}
    headers.pop("x-amz-date", None)
    request = AWSRequest("POST", f"http://{seen.headers['host']}{seen.path}", headers=headers, data=seen.body)
    moment = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(Credentials(*KEYS), service, SITE.region)
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


@pytest.mark.parametrize("api", SIGNED)
@pytest.mark.parametrize(
    "model", ["anthropic.claude-opus-5-v1:0", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x"]
)
async def test_a_signature_holds_for_what_arrived(api, model):
    answer, (seen,) = await made(api, PRINTED, model=model)
    assert isinstance(answer.outcome, Reply)
    told = seen.headers["authorization"]
    assert told.startswith(f"AWS4-HMAC-SHA256 Credential={KEYS.access_key}/")
    assert f"/{SITE.region}/{SIGNED[api]}/aws4_request" in told
    assert seen.headers["x-amz-security-token"] == KEYS.token
    assert told.endswith(f"Signature={signature_of(seen, SIGNED[api])}")
    assert KEYS.secret_key not in str(seen.headers)


async def test_bedrock_and_vertex_take_the_model_in_the_path_and_a_version_in_the_body():
    for api in (Api.ANTHROPIC_BEDROCK, Api.ANTHROPIC_VERTEX):
        _, (seen,) = await made(api, "a-token", model="claude-opus-5@20260101")
        assert "claude-opus-5" in seen.path
        assert "model" not in seen.json
        assert seen.json["anthropic_version"]
        assert seen.json["messages"]


FIRST_PARTY = (
    Api.ANTHROPIC,
    Api.ANTHROPIC_AWS,
    Api.ANTHROPIC_FOUNDRY,
    Api.ANTHROPIC_GOOGLE_CLOUD,
    Api.ANTHROPIC_BEDROCK_MANTLE,
)


async def test_the_other_clouds_of_claude_take_the_first_partys_body():
    bodies = [(await made(api, "k"))[1][0].json for api in FIRST_PARTY]
    assert all(body == bodies[0] for body in bodies)


async def test_the_responses_api_of_other_clouds_takes_the_first_partys_body_with_the_model_in_it():
    clouds_of_it = (Api.OPENAI_RESPONSES, Api.AZURE_OPENAI_RESPONSES, Api.OPENAI_BEDROCK_RESPONSES)
    bodies = [(await made(api, "k", model="gpt-6"))[1][0].json for api in clouds_of_it]
    assert bodies[0]["model"] == "gpt-6"
    assert bodies[0]["input"]
    assert all(body == bodies[0] for body in bodies)


async def test_the_workspace_goes_along_on_aws():
    _, (seen,) = await made(Api.ANTHROPIC_AWS, "k")
    assert seen.headers["anthropic-workspace-id"] == SITE.workspace_id


@pytest.mark.parametrize("api", AZURE)
async def test_azure_takes_a_key_as_api_key_and_a_token_as_bearer(api):
    _, (keyed,) = await made(api, "an-azure-key")
    assert (keyed.headers["api-key"], "authorization" in keyed.headers) == ("an-azure-key", False)
    _, (tokened,) = await made(api, ENTRA)
    assert (tokened.headers["authorization"], "api-key" in tokened.headers) == (f"Bearer {ENTRA}", False)


async def test_a_model_that_cannot_stand_in_a_path_costs_no_call():
    answer, seen = await made(Api.ANTHROPIC_BEDROCK, "k", model="..")
    assert (fault(answer).kind, seen) == (FaultKind.UNMAPPABLE, [])


# ---- the environment is full of keys

CANARIES = {
    name: f"canary-{name.lower().replace('_', '-')}"
    for name in (
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_AWS_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY",
        "ANTHROPIC_WEBHOOK_SIGNING_KEY", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID",
        "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GEMINI_API_KEY", "GOOGLE_API_KEY",
    )
}  # fmt: skip
HEADERS = {
    "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: canary-custom\nauthorization: Bearer canary-custom",
    "OPENAI_CUSTOM_HEADERS": "api-key: canary-custom\nauthorization: Bearer canary-custom",
}
ELSEWHERE = dict.fromkeys(
    [
        "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL", "ANTHROPIC_AWS_BASE_URL",
        "ANTHROPIC_VERTEX_BASE_URL", "ANTHROPIC_GOOGLE_CLOUD_BASE_URL", "ANTHROPIC_FOUNDRY_BASE_URL",
        "AWS_BEDROCK_BASE_URL", "AZURE_OPENAI_ENDPOINT", "HTTP_PROXY", "ALL_PROXY",
    ],
    "http://127.0.0.1:9/",
)  # fmt: skip
OWN = {  # with no key configured, a cloud's own login from the environment is its to use
    Api.ANTHROPIC_BEDROCK: {"AWS_BEARER_TOKEN_BEDROCK"},
    Api.ANTHROPIC_BEDROCK_MANTLE: {"AWS_BEARER_TOKEN_BEDROCK"},
    Api.OPENAI_BEDROCK: {"AWS_BEARER_TOKEN_BEDROCK"},
    Api.OPENAI_BEDROCK_RESPONSES: {"AWS_BEARER_TOKEN_BEDROCK"},
    Api.ANTHROPIC_AWS: {"ANTHROPIC_AWS_API_KEY"},
}


@pytest.fixture
def _canaries(monkeypatch):
    for name, value in (CANARIES | HEADERS | ELSEWHERE).items():
        monkeypatch.setenv(name, value)


def canaries_in(seen: Seen) -> set[str]:
    text = f"{seen.path} {seen.headers} {seen.body!r}"
    told = {name for name, value in CANARIES.items() if re.search(rf"{value}(?![-\w])", text)}
    return told | ({"CUSTOM"} if "canary-custom" in text else set())


@pytest.mark.usefixtures("_canaries")
@pytest.mark.parametrize("api", list(Api))
@pytest.mark.parametrize("secret", ["the-key-that-is-meant", PRINTED, ENTRA, ""], ids=["key", "aws", "entra", "none"])
async def test_no_key_of_one_cloud_is_ever_sent_to_another(api, secret, monkeypatch):
    if not secret and (api in GOOGLE or api in AZURE):
        pytest.skip("these need a key, or the machine's login, which has a test of its own")
    _, seen = await made(api, secret)
    allowed = OWN.get(api, set()) if not secret else set()
    assert set().union(*map(canaries_in, seen)) <= allowed
    assert len(seen) == (1 if secret or api in OWN else len(seen))


@pytest.mark.parametrize("api", SIGNED)
async def test_the_machines_own_aws_login_is_found_in_the_environment(api, monkeypatch):
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", str(value))
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    answer, (seen,) = await made(api, "")
    assert isinstance(answer.outcome, Reply)
    assert seen.headers["authorization"].endswith(signature_of(seen, SIGNED[api]))


@pytest.mark.parametrize("api", GOOGLE)
async def test_the_machines_own_google_login_is_used_where_no_token_is_configured(api, monkeypatch):
    monkeypatch.setattr(clouds, "google_default", lambda: lambda: "a-google-token")
    _, (seen,) = await made(api, "")
    assert seen.headers["authorization"] == "Bearer a-google-token"


@pytest.mark.parametrize("api", GOOGLE)
async def test_without_any_login_no_byte_is_sent_and_nothing_is_the_jobs_fault(api, monkeypatch):
    def nothing() -> str:
        raise OSError("no metadata server")

    monkeypatch.setattr(clouds, "google_default", lambda: nothing)
    answer, seen = await made(api, "")
    assert (fault(answer).kind, fault(answer).ambiguous, seen) == (FaultKind.NO_TOKEN, False, [])


# ---- the machine's login


async def test_a_login_is_looked_for_once_for_all_calls(monkeypatch):
    looked, taken = [], []
    login = AmbientLogin(lambda: looked.append(1) or "t", taken.append)
    for _ in range(3):
        await login.ready()
    assert (looked, taken) == ([1], ["t"])


async def test_a_renewal_that_fails_keeps_the_login_there_is():
    found = ["t"]
    login = AmbientLogin(found.pop, lambda _: None)
    await login.ready()
    login._looked -= 120
    await login.ready()
    with pytest.raises(NoAmbientLogin):
        await AmbientLogin(found.pop, lambda _: None).ready()


def test_only_what_a_credential_process_prints_is_read_as_aws_keys():
    assert read_aws_keys(PRINTED) == KEYS
    assert [read_aws_keys(text) for text in ("", "a-bearer-token", "{}", '{"AccessKeyId": 1}', "[]")] == [None] * 5


# ---- what is not installed

MISSING = [
    (Api.ANTHROPIC_BEDROCK, "boto3", "bedrock"),
    (Api.ANTHROPIC_AWS, "boto3", "aws"),
    (Api.ANTHROPIC_BEDROCK_MANTLE, "boto3", "bedrock"),
    (Api.OPENAI_BEDROCK, "botocore", "bedrock"),
    (Api.OPENAI_BEDROCK_RESPONSES, "botocore", "bedrock"),
    (Api.ANTHROPIC_VERTEX, "google", "vertex"),
    (Api.ANTHROPIC_GOOGLE_CLOUD, "google", "google-cloud"),
]


@pytest.mark.parametrize(("api", "package", "extra"), MISSING)
def test_a_missing_extra_is_named(api, package, extra, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_AWS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError) as refusal:
        connect(api, "http://127.0.0.1:1", "", concurrency=1, site=SITE)
    assert refusal.value.problems == (
        f'api = "{api.value}" needs {package} to log in, and it is not installed: pip install "holdfast[{extra}]"',
    )


@pytest.mark.parametrize("api", AZURE)
def test_azure_has_no_login_without_a_credential(api):
    with pytest.raises(ConfigError, match="needs a credential"):
        connect(api, "http://127.0.0.1:1", "", concurrency=1, site=SITE)


def test_no_library_of_a_cloud_is_imported_where_none_is_configured():
    script = (
        "import sys; from holdfast.model.route import Api; from holdfast.providers.connect import connect\n"
        "connect(Api.OPENAI_CHAT, 'http://127.0.0.1:1', 'k', concurrency=1)\n"
        "print(*sorted({'boto3', 'botocore', 'google.auth', 'anthropic'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


# ---- errors, as each cloud writes them


def google(status: str, message: str = "no", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": 400, "message": message, "status": status, "details": list(details)}}


def azure(code: str, message: str = "no", **others: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **others}}


B, V, Z, F = Api.ANTHROPIC_BEDROCK, Api.ANTHROPIC_VERTEX, Api.AZURE_OPENAI, Api.ANTHROPIC_FOUNDRY
M, ZR, BR = Api.ANTHROPIC_BEDROCK_MANTLE, Api.AZURE_OPENAI_RESPONSES, Api.OPENAI_BEDROCK_RESPONSES
Kind = FaultKind


@pytest.mark.parametrize(
    ("api", "status", "body", "headers", "kind"),
    [
        (B, 429, {"message": "x"}, {"x_amzn_errortype": "ThrottlingException:http://x"}, Kind.RATE_LIMITED),
        (B, 403, {"message": "The security token included in the request is expired"},
         {"x_amzn_errortype": "ExpiredTokenException"}, Kind.AUTH),
        (B, 403, {"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "x"}, {}, Kind.AUTH),
        (B, 403, {"message": "You don't have access to the model"}, {"x_amzn_errortype": "AccessDeniedException"},
         Kind.FORBIDDEN),
        (B, 404, {"message": "x"}, {"x_amzn_errortype": "ResourceNotFoundException"}, Kind.MODEL_NOT_FOUND),
        (B, 400, {"message": "The provided model identifier is invalid."}, {"x_amzn_errortype": "ValidationException"},
         Kind.MODEL_NOT_FOUND),
        (B, 400, {"message": "Input is too long for requested model."}, {"x_amzn_errortype": "ValidationException"},
         Kind.TOO_LONG),
        (B, 400, {"message": "messages: roles must alternate"}, {"x_amzn_errortype": "ValidationException"},
         Kind.INVALID_REQUEST),
        (B, 424, {"message": "x"}, {"x_amzn_errortype": "ModelErrorException"}, Kind.SERVER_ERROR),
        (B, 429, {"message": "x"}, {"x_amzn_errortype": "ModelNotReadyException"}, Kind.OVERLOADED),
        (B, 529, error(Api.ANTHROPIC, "overloaded_error"), {}, Kind.OVERLOADED),
        (V, 401, [google("UNAUTHENTICATED")], {}, Kind.AUTH),
        (V, 403, google("PERMISSION_DENIED"), {}, Kind.FORBIDDEN),
        (V, 403, google("PERMISSION_DENIED", "x", {"reason": "BILLING_DISABLED"}), {}, Kind.SPEND_LIMIT),
        (V, 429, google("RESOURCE_EXHAUSTED"), {}, Kind.RATE_LIMITED),
        (V, 404, google("NOT_FOUND"), {}, Kind.MODEL_NOT_FOUND),
        (V, 503, google("UNAVAILABLE"), {}, Kind.OVERLOADED),
        (V, 400, error(Api.ANTHROPIC, "invalid_request_error", "prompt is too long: 9 tokens > 8"), {}, Kind.TOO_LONG),
        (Z, 401, {"statusCode": 401, "message": "Unauthorized. Access token is missing"}, {}, Kind.AUTH),
        (Z, 401, azure("401", "Access denied due to invalid subscription key"), {}, Kind.AUTH),
        (Z, 404, azure("DeploymentNotFound"), {}, Kind.MODEL_NOT_FOUND),
        (Z, 400, azure("OperationNotSupported"), {}, Kind.MODEL_NOT_FOUND),
        (Z, 429, azure("429", "exceeded token rate limit. Please retry after 6 seconds."), {}, Kind.RATE_LIMITED),
        (Z, 429, azure("insufficient_quota"), {}, Kind.SPEND_LIMIT),
        (Z, 503, azure("NoCapacity"), {}, Kind.OVERLOADED),
        (Z, 400, azure("context_length_exceeded"), {}, Kind.TOO_LONG),
        (M, 429, {"message": "x"}, {"x_amzn_errortype": "ThrottlingException"}, Kind.RATE_LIMITED),
        (M, 529, error(Api.ANTHROPIC, "overloaded_error"), {}, Kind.OVERLOADED),
        (M, 403, {"message": "x"}, {"x_amzn_errortype": "ExpiredTokenException"}, Kind.AUTH),
        (ZR, 404, azure("DeploymentNotFound"), {}, Kind.MODEL_NOT_FOUND),
        (ZR, 401, {"statusCode": 401, "message": "x"}, {}, Kind.AUTH),
        (ZR, 429, azure("429", "exceeded token rate limit. Please retry after 6 seconds."), {}, Kind.RATE_LIMITED),
        (BR, 403, {"message": "x"}, {"x_amzn_errortype": "InvalidSignatureException"}, Kind.AUTH),
        (BR, 503, {"message": "x"}, {"x_amzn_errortype": "ServiceUnavailableException"}, Kind.OVERLOADED),
        (BR, 429, error(Api.OPENAI_CHAT, "rate_limit_error", code="rate_limit_exceeded"), {}, Kind.RATE_LIMITED),
        (F, 404, azure("DeploymentNotFound"), {}, Kind.MODEL_NOT_FOUND),
        (F, 401, {"statusCode": 401, "message": "x"}, {}, Kind.AUTH),
    ],
)  # fmt: skip
async def test_the_errors_of_a_cloud_keep_their_meaning(call, api, status, body, headers, kind):
    answer, _ = await call(api, answers(status, body, **headers))
    assert (fault(answer).kind, fault(answer).status) == (kind, status)


async def test_azures_wait_is_read_even_where_only_words_tell_it(call):
    answer, _ = await call(Z, answers(429, azure("429", "exceeded rate limit. Please retry after 6 seconds.")))
    assert fault(answer).retry_after == 6.0


@pytest.mark.parametrize("api", [Z, ZR])
async def test_a_prompt_that_azures_filter_turned_away_is_refused_and_no_failure(api, call):
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}}
    body = azure("content_filter", "The response was filtered", type=None, param="prompt", status=400, innererror=inner)
    answer, _ = await call(api, answers(400, body))
    assert isinstance(answer.outcome, Reply)
    assert (answer.outcome.finish, answer.outcome.text, answer.outcome.usage.output) == (Finish.REFUSED, "", 0)


async def test_limits_below_one_are_not_believed(call):
    told = {"x_ratelimit_limit_requests": "-1", "x_ratelimit_limit_tokens": "0", "x_ratelimit_remaining_requests": "-1"}
    answer, _ = await call(Z, answers(200, success(Z), **told))
    assert answer.limits == {}
    answer, _ = await call(Z, answers(200, success(Z), **told | {"x_ratelimit_limit_requests": "60"}))
    assert answer.limits[Dimension.REQUESTS].per_minute == 60


@pytest.mark.parametrize("api", CLOUDS)
async def test_redirects_are_not_followed_anywhere(api, call):
    answer, server = await call(api, answers(307, b"", location="/elsewhere"))
    assert (fault(answer).kind, len(server.seen)) == (FaultKind.BAD_ANSWER, 1)


@pytest.mark.parametrize("api", SIGNED)
async def test_a_signed_call_ends_with_its_deadline(api):
    async with Loopback(hangs) as server:
        provider = connect(api, base_url(api, server.url), PRINTED, concurrency=1, site=SITE)
        answer = await provider.complete("m", ask(), deadline=0.5, tag="t")
        await provider.close()
    assert (fault(answer).kind, fault(answer).ambiguous) in {(Kind.TIMED_OUT, True), (Kind.UNREACHABLE, False)}
