"""Configuration: TOML and environment to frozen values, every error at once.

Names are imported when they are first asked for: a command that a running pool answers needs no settings.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.config.config_file import find
    from holdfast.config.doubts import find_doubts
    from holdfast.config.loading import load
    from holdfast.config.schema import BreakerRules, Server, Worker
    from holdfast.config.secrets import SecretUnavailable, read_secret
    from holdfast.config.usable import WhyUnusable, read_here, unusable, unusable_plans, why_unreadable
    from holdfast.config.values import CredentialSettings, Issuer, ProviderSettings, Settings, Storage

PLACES = {
    "BreakerRules": "schema",
    "CredentialSettings": "values",
    "Issuer": "values",
    "ProviderSettings": "values",
    "SecretUnavailable": "secrets",
    "Server": "schema",
    "Settings": "values",
    "Storage": "values",
    "WhyUnusable": "usable",
    "Worker": "schema",
    "find": "config_file",
    "find_doubts": "doubts",
    "load": "loading",
    "read_here": "usable",
    "read_secret": "secrets",
    "unusable": "usable",
    "unusable_plans": "usable",
    "why_unreadable": "usable",
}

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
    "find_doubts",
    "load",
    "read_here",
    "read_secret",
    "unusable",
    "unusable_plans",
    "why_unreadable",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is asked for, and nothing else."""
        if name not in PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
