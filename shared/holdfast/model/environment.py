"""The environment variables that Holdfast reads, each with what it says: one list for code and documentation."""

from collections.abc import Mapping

CONFIG = "HOLDFAST_CONFIG"
DATABASE_URL = "HOLDFAST_DATABASE_URL"
REDIS_URL = "HOLDFAST_REDIS_URL"
MESSAGE_KEY = "HOLDFAST_MESSAGE_KEY"
TOKEN_KEY = "HOLDFAST_TOKEN_KEY"  # noqa: S105 - a variable's name
URL = "HOLDFAST_URL"
API_KEY = "HOLDFAST_API_KEY"
API_KEY_FILE = "HOLDFAST_API_KEY_FILE"
TRACE_CONVENTIONS = "HOLDFAST_TRACE_CONVENTIONS"
CLOCK = "HOLDFAST_CLOCK"
CRASH_AT = "HOLDFAST_CRASH_AT"
FREEZE_AT = "HOLDFAST_FREEZE_AT"

VARIABLES: Mapping[str, str] = {
    CONFIG: "Configuration file, where `--config` names none.",
    DATABASE_URL: "SQL database, before the file's.",
    REDIS_URL: "Redis, before the file's.",
    MESSAGE_KEY: "What signs messages in Redis. Default: a random key that the database keeps.",
    TOKEN_KEY: "What encrypts cached tokens in Redis. Default: the issuer's client secret.",
    URL: "Server that the command line and programs use, where nothing else is named.",
    API_KEY: "API key that they show to it.",
    API_KEY_FILE: "File that holds it instead.",
    TRACE_CONVENTIONS: "`latest` or `1.36`: the generation of OpenTelemetry's names for generative AI that spans use. "
    "Default: latest.",
    CLOCK: "For drills: how much faster time passes, `SPEED@SINCE`.",
    CRASH_AT: "For tests: the point, and the time there, at which a process kills itself, `POINT:3`.",
    FREEZE_AT: "For tests: the same, and it stops until it is sent SIGCONT.",
}


def read_variable(name: str, env: Mapping[str, str]) -> str | None:
    r"""Return what a variable says, without the blanks and line ends around it; None where that is nothing.

    >>> read_variable("A", {"A": " x\n"}), read_variable("A", {"A": " "}), read_variable("A", {})
    ('x', None, None)
    """
    return env.get(name, "").strip() or None
