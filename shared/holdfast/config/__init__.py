"""Configuration: TOML and environment to frozen values, every error at once."""

from holdfast.config.load import find, load
from holdfast.config.schema import BreakerRules, Server, Worker
from holdfast.config.secrets import SecretUnavailable, read_secret
from holdfast.config.usable import WhyUnusable, read_here, unusable, unusable_plans, why_unreadable
from holdfast.config.values import CredentialSettings, Issuer, ProviderSettings, Settings, Storage

__all__ = [
    "BreakerRules",
    "CredentialSettings",
    "Issuer",
    "ProviderSettings",
    "SecretUnavailable",
    "Server",
    "Settings",
    "Storage",
    "WhyUnusable",
    "Worker",
    "find",
    "load",
    "read_here",
    "read_secret",
    "unusable",
    "unusable_plans",
    "why_unreadable",
]
