"""Which plans nobody can be asked for: no credential of theirs leads to a secret."""

from collections.abc import Callable, Mapping

from holdfast.config.secrets import SecretUnavailable, read_secret
from holdfast.config.values import Settings
from holdfast.model.route import Plan

WhyUnusable = Callable[[str, str], str | None]  # of a provider and a credential; None: it may be used


def unusable(plan: Plan, why: WhyUnusable) -> Mapping[str, str]:
    """Say by ``provider/credential`` why no credential of ``plan`` can be used; empty where one can."""
    reasons: dict[str, str] = {}
    for provider, credential in ((route.provider, name) for route in plan.routes for name in route.credentials):
        reason = why(provider, credential)
        if reason is None:
            return {}
        reasons[f"{provider}/{credential}"] = reason
    return reasons


def unusable_plans(settings: Settings, why: WhyUnusable) -> dict[str, Mapping[str, str]]:
    """Map the aliases that nobody can be asked for to the reasons.

    Without aliases the providers stand for them.
    """
    plans = settings.models or {
        name: Plan(name, (provider.route(name),)) for name, provider in settings.providers.items()
    }
    found = {alias: unusable(plan, why) for alias, plan in plans.items()}
    return {alias: reasons for alias, reasons in found.items() if reasons}


def read_here(settings: Settings, *, run_commands: bool = False) -> WhyUnusable:
    """Look for the secrets in this process's surroundings.

    A command may take seconds, or ask a person: unless ``run_commands``, it counts as good.
    """

    def why(provider: str, credential: str) -> str | None:
        configured = settings.providers[provider].credential(credential)
        if configured is None or (configured.secret.startswith("command:") and not run_commands):
            return None
        return why_unreadable(configured.secret)

    return why


def why_unreadable(reference: str) -> str | None:
    """Say why a secret cannot be read here; None where it can."""
    try:
        read_secret(reference)
    except SecretUnavailable as error:
        return error.why if reference.startswith("env:") and "not set" in error.why else f"{reference}: {error.why}"
    return None
