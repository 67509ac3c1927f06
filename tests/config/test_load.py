"""A configuration is read whole, or refused with every problem at once, each with its line."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdfast.config import BreakerRules, CredentialSettings, find, load
from holdfast.model.errors import ConfigError, InvalidRequest
from holdfast.model.route import Api, Limits, Price
from holdfast.policy.breaker_rules import RULES, Rules
from holdfast.policy.signals import ScopeKind

EXAMPLE = Path(__file__).parents[2] / "docs" / "holdfast.example.toml"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def complaints(text: str, env: dict[str, str] | None = None) -> list[str]:
    Path("holdfast.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load(None, env or {})
    return list(refusal.value.problems)


def problems() -> tuple[str, ...]:
    """Of the file in the directory; none when it loads."""
    try:
        load(None, {})
    except ConfigError as error:
        return error.problems or ("an error without a problem",)
    return ()


def complaint(text: str) -> str:
    (only,) = complaints(text)
    return only


def test_the_documented_example_loads() -> None:
    found = load(EXAMPLE, {})
    assert list(found.providers) == ["anthropic", "openai", "gemini", "local"]
    anthropic = found.providers["anthropic"]
    assert anthropic.credentials[0] == CredentialSettings("main", "env:ANTHROPIC_API_KEY")
    assert anthropic.limits == Limits(4_000, 2_000_000, 400_000, 400)
    assert (anthropic.deadline, anthropic.slow_after) == (120.0, 60.0)
    assert found.providers["local"].credentials == (CredentialSettings("main", "none"),)
    assert found.providers["local"].breaker.overrides() == {"consecutive": 3, "cap": 30.0}
    route = found.models["smart"].routes[0]
    assert (route.name, route.price) == ("anthropic/claude-opus-4-8", Price(5.0, 25.0))
    assert route.credentials == ("main", "spare")


def test_the_example_s_values_that_are_said_to_be_defaults_are() -> None:
    said, unsaid = load(EXAMPLE, {}), load(None, {})
    assert (said.server, said.storage, said.worker) == (unsaid.server, unsaid.storage, unsaid.worker)


def test_without_a_file_the_providers_are_those_whose_key_is_set() -> None:
    found = load(None, {"ANTHROPIC_API_KEY": "x", "GEMINI_API_KEY": "y", "OPENAI_API_KEY": ""})
    assert list(found.providers) == ["anthropic", "gemini"]
    assert found.source is None
    assert found.providers["gemini"].api is Api.OPENAI_CHAT
    assert found.plan("anthropic/claude-opus-4-8").routes[0].credentials == ("main",)


def test_a_file_that_names_no_provider_has_the_built_in_ones() -> None:
    Path("holdfast.toml").write_text('[models.m]\nroutes = [{ provider = "openai", model = "gpt" }]\n')
    assert load(None, {"OPENAI_API_KEY": "x"}).models["m"].routes[0].provider == "openai"


def test_the_environment_overrides_the_storage() -> None:
    Path("holdfast.toml").write_text('[storage]\ndatabase_url = "sqlite:///a.db"\ndirectory = "/srv/hf"\n')
    assert load(None, {}).storage.database_url == "sqlite:///a.db"
    env = {"HOLDFAST_DATABASE_URL": "postgresql://db/hf", "HOLDFAST_REDIS_URL": "redis://cache"}
    storage = load(None, env).storage
    assert (storage.database_url, storage.redis_url) == ("postgresql://db/hf", "redis://cache")


def test_the_database_lies_in_the_directory_unless_it_is_named() -> None:
    Path("holdfast.toml").write_text('[storage]\ndirectory = "/srv/hf"\n')
    assert load(None, {}).storage.database_url == "sqlite:////srv/hf/holdfast.db"


def test_the_file_is_the_named_one_then_the_environment_s_then_the_directory_s() -> None:
    assert find(None, {}) is None
    Path("holdfast.toml").touch()
    assert find(None, {}) == Path("holdfast.toml")
    assert find(None, {"HOLDFAST_CONFIG": "b.toml"}) == Path("b.toml")
    assert find(Path("a.toml"), {"HOLDFAST_CONFIG": "b.toml"}) == Path("a.toml")


BAD = """\
[server]
port = "1"

[worker]
lease = "15x"
concurency = 1

[providers.a]
api = "anthropic"
credentials = [
  { name = "x", secret = "sk-1" },
  { name = "x", secret = "env:A" },
]

[providers.b]
api = "anthropc"
base_url = "https://user:word@host"
limits.requests_per_minute = 0

[models.s]
routes = [
  { provider = 1, model = "" },
  { provider = "aa", model = "m", prize = { input = 1 } },
]
[modles.z]
"""


@pytest.mark.parametrize("url", ["sentinel://a:1,b:2/main", "redis+cluster://:key@a:1,b", "rediss://a?ssl_ca_certs=x"])
def test_redis_may_be_one_server_or_several(url: str) -> None:
    assert load(None, {"HOLDFAST_REDIS_URL": url}).storage.redis_url == url


PRESETS = (
    "openai, gemini, groq, mistral, deepseek, openrouter, together, fireworks, xai, dashscope, moonshot, cerebras,"
    " nvidia, ollama, lmstudio, vllm, llama.cpp, sglang"
)


def test_every_problem_comes_at_once_in_the_order_of_the_file() -> None:
    assert complaints(BAD, {"HOLDFAST_REDIS_URL": "http://user:word@host"}) == [
        "holdfast.toml:2: server.port: expected a whole number, got '1'",
        (
            'holdfast.toml:5: worker.lease: expected a duration, such as "120s", "5m", "500ms" or a number of seconds,'
            " got '15x'"
        ),
        (
            "holdfast.toml:6: worker.concurency: expected one of concurrency, grace, lease, processes, window,"
            " got a key that does not exist; nearest valid name concurrency"
        ),
        (
            "holdfast.toml:11: providers.a.credentials[0].secret: expected a reference: env:NAME, file:PATH,"
            " command:WORDS or none, got a text of 4 characters (not shown: it may be the secret itself)"
        ),
        (
            "holdfast.toml:12: providers.a.credentials[1].name: expected a name that no other credential of the"
            " provider has, got 'x'"
        ),
        (
            "holdfast.toml:16: providers.b.api: expected one of anthropic, openai-chat,"
            " openai-responses, anthropic-bedrock, anthropic-bedrock-mantle, anthropic-aws, anthropic-vertex,"
            " anthropic-google-cloud, anthropic-foundry, azure-openai, azure-openai-responses, openai-bedrock,"
            f" openai-bedrock-responses, {PRESETS}, got 'anthropc'; nearest valid name anthropic"
        ),
        (
            "holdfast.toml:17: providers.b.base_url: expected an address without user, query or fragment,"
            " got 'https://***@host'"
        ),
        "holdfast.toml:18: providers.b.limits.requests_per_minute: expected a number above 0, got 0",
        "holdfast.toml:22: models.s.routes[0].provider: expected a text, got 1",
        "holdfast.toml:22: models.s.routes[0].model: expected a text that is not empty, got ''",
        (
            "holdfast.toml:23: models.s.routes[1].prize: expected one of deadline, group, limits, model, price,"
            " provider, slow_after, got a key that does not exist; nearest valid name price"
        ),
        (
            "holdfast.toml:23: models.s.routes[1].provider: expected a configured provider (a, b), got 'aa';"
            " nearest valid name a"
        ),
        (
            "holdfast.toml:25: modles: expected one of alerts, models, providers, server, storage, webhooks, worker,"
            " got a key that does not exist; nearest valid name models"
        ),
        (
            "HOLDFAST_REDIS_URL: expected embedded, redis://…, rediss://…, unix://…, sentinel://HOSTS/NAME or "
            "redis+cluster://HOSTS, got 'http://***@host'"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nport = 70000", "holdfast.toml:2: server.port: expected a number of at most 65535, got 70000"),
        ("server = 3", "holdfast.toml:1: server: expected a table, got 3"),
        ("[server]\nhost = true", "holdfast.toml:2: server.host: expected a text, got true"),
        ("[worker]\nconcurrency = 1.5", "holdfast.toml:2: worker.concurrency: expected a whole number, got 1.5"),
        ("[worker]\nlease = 0", "holdfast.toml:2: worker.lease: expected a duration above zero, got 0"),
        ("[providers.a]\nbase_url = 'http://h'", "holdfast.toml:1: providers.a.api: expected a value, got nothing"),
        (
            "[providers.a]\napi = 'anthropic'\nbase_url = 'api.example.org'",
            "holdfast.toml:3: providers.a.base_url: expected an http:// or https:// address, got 'api.example.org'",
        ),
        (
            "[providers.a]\napi = 'anthropic'\nproxy = 'proxy.example.org:3128'",
            "holdfast.toml:3: providers.a.proxy: expected an http:// or https:// address, got 'proxy.example.org:3128'",
        ),
        (
            "[providers.a]\napi = 'anthropic'\nlimits = { requests_per_minute = inf }",
            "holdfast.toml:3: providers.a.limits.requests_per_minute: expected a finite number, got inf",
        ),
        (
            "[storage]\ndatabase_url = 'mysql://h/d'",
            "holdfast.toml:2: storage.database_url: expected sqlite:///PATH or postgresql://…, got 'mysql://h/d'",
        ),
        (
            "[models.m]\nroutes = []",
            "holdfast.toml:2: models.m.routes: expected a list that is not empty, got a list of 0",
        ),
        (
            '[models.m]\nroutes = [{ provider = "openai", model = "gpt" }]',
            "holdfast.toml:2: models.m.routes[0].provider: expected a provider; none is configured, got 'openai'",
        ),
        (
            "[providers.'a/b']\napi = 'anthropic'",
            (
                "holdfast.toml:1: providers.a/b: expected a name of letters, digits, dots, dashes and underscores,"
                " got 'a/b'"
            ),
        ),
        ("[server\nport = 1", "holdfast.toml:1: expected TOML, got a syntax error: Expected ']' at the end of a table"),
    ],
)
def test_each_mistake_has_its_sentence(text: str, says: str) -> None:
    assert complaint(text).startswith(says)


ROUTES = '[providers.p]\napi = "anthropic"\n[models.m]\nroutes = [\n  %s,\n  %s,\n]\n'
ROUTE = '{ provider = "p", model = "x" }'


def test_a_route_stands_once_in_a_plan() -> None:
    assert complaint(ROUTES % (ROUTE, ROUTE)) == (
        "holdfast.toml:6: models.m.routes[1]: expected each route once in a plan, got p/x again"
    )


def test_a_route_says_the_same_in_every_plan() -> None:
    text = ROUTES % (ROUTE, '{ provider = "p", model = "y" }')
    text += '[models.n]\nroutes = [{ provider = "p", model = "x", deadline = "1s" }]\n'
    assert complaint(text) == (
        "holdfast.toml:9: models.n.routes[0]: expected the same settings as in models.m, got other ones for p/x"
    )


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: expected a configuration file, got nothing"):
        load(Path("nowhere.toml"), {})


def test_a_directory_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable file"):
        load(tmp_path, {})
    Path("holdfast.toml").write_bytes(b"[server]\nhost = '\xff'")
    with pytest.raises(ConfigError, match="expected UTF-8 text, got another byte at offset 17"):
        load(None, {})


@pytest.mark.parametrize(
    "line",
    [
        'credentials = [{ name = "x", secret = "CANARY" }]',
        'credentials = "CANARY"',
        'credentials = ["CANARY"]',
        'secret = "CANARY"',
        'api_key = "CANARY"',
        'base_url = "https://user:CANARY@host"',
        'base_url = "user:CANARY@host"',
        'base_url = "https://host?api_key=CANARY"',
        'status_page = "ftp://x?token=CANARY&a=b"',
    ],
)
def test_no_error_repeats_what_may_be_a_secret(line: str) -> None:
    assert not any("CANARY" in each for each in complaints(f'[providers.p]\napi = "anthropic"\n{line}\n'))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_mangled_example_loads_or_is_refused_with_lines(data: st.DataObject) -> None:
    lines = EXAMPLE.read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "cut", "change"])):
            case "drop":
                del lines[place]
            case "double":
                lines.insert(place, lines[place])
            case "cut":
                lines[place] = lines[place][: data.draw(st.integers(0, 30))]
            case "change":
                lines[place] = lines[place].replace(data.draw(st.sampled_from('aeiou="[]{}0.')), "7", 1)
    Path("holdfast.toml").write_text("\n".join(lines))
    for problem in problems():
        found = re.match(r"holdfast\.toml:(\d+): .*expected .+, got .+", problem)
        assert found, problem
        assert 1 <= int(found[1]) <= len(lines) + 1


keys = st.sampled_from(["server", "worker", "storage", "providers", "models", "routes", "credentials", "a", "api"])
values = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("anthropic"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def toml(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
        case _:
            return str(value)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
@example({"providers": {"a": {"credentials": [3]}}, "models": {"a": {"routes": ["a"]}}})
def test_whatever_shape_a_file_has_it_loads_or_is_refused(file: dict) -> None:
    text = "\n".join(f"{key} = {toml(value)}" for key, value in file.items())
    tomllib.loads(text)
    Path("holdfast.toml").write_text(text, encoding="utf-8")
    assert all(re.match(r"holdfast\.toml:\d+: ", problem) for problem in problems())


def test_tables_nested_without_end_are_refused() -> None:
    assert "nested too deeply" in complaint("a = " + "[" * 100_000)


def test_a_plan_is_an_alias_or_made_for_provider_and_model() -> None:
    found = load(EXAMPLE, {})
    assert [route.name for route in found.plan("smart").routes] == ["anthropic/claude-opus-4-8", "openai/gpt-5.4"]
    direct = found.plan("local/meta-llama/Llama-3")
    assert (direct.model, direct.routes[0].model) == ("local/meta-llama/Llama-3", "meta-llama/Llama-3")


def test_a_route_named_directly_keeps_what_its_alias_says_of_it() -> None:
    assert load(EXAMPLE, {}).plan("anthropic/claude-opus-4-8").routes[0].price == Price(5.0, 25.0)


def test_an_unknown_model_is_answered_with_the_nearest_alias() -> None:
    with pytest.raises(InvalidRequest, match=r"there is no model 'smrt' in the configuration\. Did you mean smart\?"):
        load(EXAMPLE, {}).plan("smrt")
    with pytest.raises(InvalidRequest, match="Providers are: anthropic, gemini, local, openai"):
        load(EXAMPLE, {}).plan("antropic/claude")
    with pytest.raises(InvalidRequest, match="No aliases are configured"):
        load(None, {}).plan("smart")


def test_the_breaker_s_settings_are_rules_of_the_breaker() -> None:
    names = set(BreakerRules.model_fields)
    assert names <= {each.name for each in fields(Rules)}
    rules = RULES[ScopeKind.ROUTE].overridden(BreakerRules(consecutive=9, cap=5.0).overrides())
    assert (rules.consecutive, rules.cap, rules.base) == (9, 5.0, 1.0)
