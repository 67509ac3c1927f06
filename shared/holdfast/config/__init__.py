"""Configuration: TOML and environment to frozen values, every error at once."""

from holdfast.config import clock
from holdfast.config.crash import crash_point
from holdfast.config.load import find, load
from holdfast.config.secrets import SecretUnavailable, read_secret
from holdfast.config.values import (
    BreakerRules,
    CredentialSettings,
    Issuer,
    ProviderSettings,
    Server,
    Settings,
    Storage,
    Worker,
)

__all__ = [
    "BreakerRules",
    "CredentialSettings",
    "Issuer",
    "ProviderSettings",
    "SecretUnavailable",
    "Server",
    "Settings",
    "Storage",
    "Worker",
    "clock",
    "crash_point",
    "find",
    "load",
    "read_secret",
]
