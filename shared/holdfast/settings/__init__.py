"""Configuration: TOML and environment to frozen values, every error at once."""

from holdfast.settings import clock
from holdfast.settings.crash import crash_point
from holdfast.settings.load import find, load
from holdfast.settings.secrets import SecretUnavailable, read_secret
from holdfast.settings.values import (
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
