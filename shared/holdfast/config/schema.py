"""What a configuration file may hold: one class per table. Documentation, checks and errors are derived from them."""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from holdfast.config.presets import NAMES
from holdfast.config.secrets import FORMS
from holdfast.config.toml_types import (
    NAME,
    AllowedReceiver,
    BaseAddress,
    Count,
    DatabaseUrl,
    EndpointPath,
    IssuerAddress,
    Origin,
    PositiveSeconds,
    ProxyAddress,
    Rate,
    RedisUrl,
    Reference,
    Seconds,
    TomlTable,
    Usd,
    WebAddress,
    Word,
)
from holdfast.model.route import Api, Dialect


class Server(TomlTable):
    """Where the HTTP API and the dashboard listen."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on. Without an API key only loopback."
    )
    port: int = Field(default=8700, ge=0, le=65_535, description="Port to listen on. 0: any free one.")
    allowed_origins: list[Origin] = Field(
        default_factory=list,
        description="Origins of web pages whose programs may use the API, such as `https://app.example.com`. "
        "Default: none.",
    )
    has_keys: bool = Field(
        default=True,
        description="Whether the API's own process is given the providers' keys. Where workers alone are, `false` lets "
        "it accept jobs that no key is seen for while no worker runs.",
    )


class StorageTable(TomlTable):
    """Where jobs are kept (SQL, the truth) and where they wait their turn (Redis, a cache)."""

    database_url: DatabaseUrl | None = Field(
        default=None,
        description="`sqlite:///PATH` or `postgresql://…`. Default: `holdfast.db` in `directory`. "
        "`HOLDFAST_DATABASE_URL` overrides it.",
    )
    redis_url: RedisUrl = Field(
        default="embedded",
        description="`embedded` (a private server in `directory`, on a Unix socket), `redis://…`, `rediss://…`, "
        "`sentinel://HOST:PORT,HOST:PORT/NAME`, `redis+cluster://HOST:PORT,HOST:PORT`. "
        "`HOLDFAST_REDIS_URL` overrides it.",
    )
    directory: str = Field(
        default=".holdfast",
        min_length=1,
        description="Home of the embedded storage, relative to the working directory.",
    )
    namespace: str = Field(default="hf", pattern=f"^{NAME.pattern}$", description="Prefix of every Redis key.")
    keep_results: PositiveSeconds | None = Field(
        default=None,
        description='How long a job is kept after it ended, such as `"30d"`; then it is deleted with its request, '
        "attempts, result and idempotency key, dead ones too. Default: for ever.",
    )
    keep_events: PositiveSeconds = Field(
        default=3 * 86_400.0,
        description='How long events are kept after they happened, such as `"7d"`: who reads them may be away for as '
        "long.",
    )


class Worker(TomlTable):
    """The pool that makes the calls."""

    concurrency: int = Field(default=500, ge=1, le=100_000, description="Calls in flight per process.")
    processes: int = Field(default=1, ge=1, le=256, description="Worker processes.")
    lease: PositiveSeconds = Field(
        default=15.0, description="A process silent for so long is dead; its jobs are taken over."
    )
    grace: Seconds = Field(default=30.0, description="After SIGTERM, time for running calls to finish.")
    window: int = Field(
        default=2_000, ge=1, le=100_000, description="Ready jobs per lane that wait in Redis; the rest in SQL."
    )


class OAuth2Table(TomlTable):
    """Tokens by OAuth 2.0's client credentials grant (RFC 6749, section 4.4)."""

    token_url: IssuerAddress = Field(description="The issuer's token endpoint: `https://…`.")
    client_id: str = Field(min_length=1, description="Who we are to the issuer.")
    client_secret: Reference = Field(description=f"Where our secret is: {FORMS}.")
    scope: str | None = Field(default=None, min_length=1, description="What the token is to be good for.")
    sent_in: Literal["header", "body"] = Field(
        default="header", description="How the issuer wants the secret: in a Basic `header` or in the form's `body`."
    )


class TokenTable(TomlTable):
    """Tokens from any endpoint that answers with JSON."""

    url: IssuerAddress = Field(description="The endpoint; it is sent a POST.")
    secret: Reference = Field(
        description=f"Where our secret is: {FORMS}. Sent as `Authorization: Bearer`, unless `body` says where it goes."
    )
    body: dict[str, str] = Field(
        default_factory=dict, description="The body's fields. `{secret}` in a value stands for the secret."
    )
    encoding: Literal["json", "form"] = Field(default="json", description="How the body is written.")
    token: str = Field(default="access_token", min_length=1, description="The answer's field that holds the token.")
    expires_in: str = Field(
        default="expires_in", min_length=1, description="The answer's field that holds its life in seconds."
    )


class CredentialTable(TomlTable):
    """One key of a provider, or a source of short-lived tokens. Exactly one of `secret`, `oauth2` and `token`."""

    name: str = Field(pattern=f"^{NAME.pattern}$", description="Its name in metrics, logs and attempts.")
    secret: Reference | None = Field(default=None, description=f"Where the key is: {FORMS}. Never the key itself.")
    oauth2: OAuth2Table | None = Field(default=None, description="Tokens by OAuth 2.0 client credentials.")
    token: TokenTable | None = Field(default=None, description="Tokens from another endpoint.")


class LimitsTable(TomlTable):
    """The rate allowance of one credential and model group. What is not given is learned from answers."""

    requests_per_minute: Rate | None = Field(default=None, description="Requests a minute.")
    input_tokens_per_minute: Rate | None = Field(default=None, description="Input tokens a minute.")
    output_tokens_per_minute: Rate | None = Field(default=None, description="Output tokens a minute.")
    concurrency: Count | None = Field(default=None, description="Calls in flight on a route, over all processes.")


class BreakerRules(TomlTable):
    """The circuit breaker of this provider's routes. The defaults fit most; without an alternative it opens later."""

    consecutive: Count | None = Field(default=None, description="Faults in a row that open it. Default 5.")
    ratio: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Share of failed calls that opens it. Default 0.5.",
    )
    window_seconds: PositiveSeconds | None = Field(
        default=None, description="Age of the oldest call that counts. Default 2m."
    )
    slow: Count | None = Field(
        default=None, description="Slow calls that open it; a success makes up for a part of one. Default 3."
    )
    base: PositiveSeconds | None = Field(default=None, description="Shortest cool-off. Default 1s.")
    cap: PositiveSeconds | None = Field(
        default=None, description="Longest cool-off; a minute more where no plan has another way. Default 240s."
    )
    share: float | None = Field(
        default=None, gt=0, le=1, description="Cool-off as a share of the outage's age. Default 0.12."
    )
    probe_lease: PositiveSeconds | None = Field(
        default=None, description="Time for a probe before the next one. Default 25s."
    )

    def overrides(self) -> dict[str, float]:
        """Return only what was set, for ``Rules.but``."""
        return self.model_dump(exclude_none=True)


class ProviderTable(TomlTable):
    """An API that is called. The table's name is the provider's name in routes."""

    api: Annotated[Api, Field(strict=False), WithJsonSchema({"type": "string", "enum": [*NAMES]})] = Field(
        description="Wire format and, in other clouds, the way to log in; or a provider by its name, which stands for "
        "format, address, dialect and the variable of its key ([howto/routes.md](howto/routes.md))."
    )
    base_url: BaseAddress | None = Field(
        default=None, description="Default: the API's official address. OpenAI's and compatible ones end in `/v1`."
    )
    region: Word | None = Field(
        default=None,
        description="Where the cloud runs the model. Needed by `anthropic-bedrock`, `anthropic-bedrock-mantle`, "
        "`anthropic-aws`, `anthropic-vertex`, `openai-bedrock` and `openai-bedrock-responses`; "
        "`anthropic-google-cloud` takes `global` without it.",
    )
    project: Word | None = Field(
        default=None, description="Google's project. Needed by `anthropic-vertex` and `anthropic-google-cloud`."
    )
    workspace_id: Word | None = Field(
        default=None, description="Anthropic's workspace. Needed by `anthropic-aws` and `anthropic-google-cloud`."
    )
    resource: Word | None = Field(
        default=None,
        description="Name of the Azure resource, from which the address follows. `anthropic-foundry`, "
        "`azure-openai` and `azure-openai-responses` need it or `base_url`.",
    )
    api_version: Word | None = Field(
        default=None,
        description="Azure's version of the API, such as `2024-10-21`. Needed by `azure-openai` and "
        "`azure-openai-responses`.",
    )
    dialect: Annotated[Dialect, Field(strict=False)] | None = Field(
        default=None,
        description="How a server differs that speaks `openai-chat`. Default: recognised by its address, else "
        "`compatible`.",
    )
    credentials: list[CredentialTable] | None = Field(
        default=None,
        min_length=1,
        description="Keys, each with its own health and limits. Default: the official API's usual environment variable "
        "(`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `ANTHROPIC_FOUNDRY_API_KEY`, `AZURE_OPENAI_API_KEY`); on AWS and "
        "Google the machine's own login; for any other address no key.",
    )
    deadline: PositiveSeconds = Field(default=120.0, description="Total time for one call.")
    slow_after: PositiveSeconds = Field(
        default=20.0,
        description="A call still in flight after this long counts against the route, if it also takes five times as "
        "long as calls there typically do.",
    )
    proxy: ProxyAddress | None = Field(
        default=None,
        description="HTTP proxy through which its calls go, `http://HOST:PORT`; `none`: they go straight. Default: "
        "what `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the worker's environment say.",
    )
    status_page: WebAddress | None = Field(
        default=None, description="Where the provider tells of outages; `holdfast diagnose` reads it."
    )
    limits: LimitsTable = Field(default_factory=LimitsTable)
    endpoints: list[EndpointPath] = Field(
        default_factory=list,
        description="Paths that its server has beyond those that every server of its `api` has, such as "
        "`/fim/completions`. Lines whose `url` names one pass through to it.",
    )
    breaker: BreakerRules = Field(default_factory=BreakerRules)


class PriceTable(TomlTable):
    """USD per million tokens."""

    input: Usd = Field(default=0.0, description="Input tokens.")
    output: Usd = Field(default=0.0, description="Output tokens.")


class RouteTable(TomlTable):
    """One way to serve the model: a provider and the name that it has for the model."""

    provider: str = Field(description="Name of a table under `providers`.")
    model: str = Field(min_length=1, description="The provider's name for the model.")
    price: PriceTable | None = Field(
        default=None,
        description="Default: what `genai-prices` knows of the model at its provider's own address. Of another server "
        "it is unknown, and so is what its jobs cost.",
    )
    group: str | None = Field(
        default=None, min_length=1, description="Routes of one group share their limits. Default: model."
    )
    limits: LimitsTable | None = Field(default=None, description="Instead of the provider's.")
    deadline: PositiveSeconds | None = Field(default=None, description="Instead of the provider's.")
    slow_after: PositiveSeconds | None = Field(default=None, description="Instead of the provider's.")


class HedgeTable(TomlTable):
    """A second call for a job whose first one takes long. The first good answer wins; both calls may be billed."""

    after: PositiveSeconds = Field(description="Age of a call from which on its job gets a second one.")
    at_most: float = Field(default=0.05, gt=0, le=1, description="Share of all calls that may be hedged.")


class ModelTable(TomlTable):
    """A model alias: what jobs ask for. The table's name is the alias."""

    routes: list[RouteTable] = Field(min_length=1, description="The plan: the first route that admits a job takes it.")
    hedge: HedgeTable | None = Field(
        default=None,
        description="Second calls, on another route of the plan ([howto/slow.md](howto/slow.md)). Default: never.",
    )
    interchangeable: bool = Field(
        default=False,
        description="Embeddings may be made by any model of the plan. By default only by the first route's, for "
        "vectors of different models cannot be compared.",
    )


class WebhooksTable(TomlTable):
    """Where webhooks may go, and for how long they are tried ([howto/webhooks.md](howto/webhooks.md))."""

    allow: list[AllowedReceiver] = Field(
        default_factory=list,
        description="Networks, addresses and host names inside your own network that webhooks may go to, such as "
        '`"10.1.0.0/16"` or `"hooks.internal"`; `http://` goes to these alone. Default: public addresses only.',
    )
    give_up_after: PositiveSeconds = Field(
        default=259_200.0, description="How long a delivery is tried; then it is a dead letter of its own."
    )


class AlertsTable(TomlTable):
    """Who is told of outages and other troubles, once when they begin and once when they end
    ([howto/alerts.md](howto/alerts.md)).
    """

    webhooks: list[str] = Field(default_factory=list, description="URLs that alerts are sent to as webhooks.")
    command: list[str] = Field(
        default_factory=list,
        description="A command and its arguments, which gets each alert as JSON on its standard input. No shell; it "
        "has 15 s.",
    )
    after: Seconds = Field(default=10.0, description="Age of a trouble from which on people are told.")
    quiet: PositiveSeconds = Field(default=20.0, description="How long a trouble must be gone until it counts as over.")
    monthly_budget_usd: Usd | None = Field(
        default=None, description="An alert at 80 % of this in a calendar month (UTC). Default: none."
    )


class ConfigFile(TomlTable):
    """The whole file. Every table may be left out."""

    server: Server = Field(default_factory=Server)
    storage: StorageTable = Field(default_factory=StorageTable)
    worker: Worker = Field(default_factory=Worker)
    webhooks: WebhooksTable = Field(default_factory=WebhooksTable)
    alerts: AlertsTable = Field(default_factory=AlertsTable)
    providers: dict[Word, ProviderTable] = Field(default_factory=dict)
    models: dict[Word, ModelTable] = Field(default_factory=dict)
