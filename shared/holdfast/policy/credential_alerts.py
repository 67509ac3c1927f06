"""What parked credentials mean for a person: one key that is wrong, or a provider whose logins are out.

Two valid keys do not die in the same minute: when two credentials of one provider are refused together, it is the
provider's outage, not ours.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from holdfast.model.fault import FaultKind
from holdfast.policy.auth_outage import TOGETHER
from holdfast.policy.fault_rules import FAULT_RULES, Scope

ALERT_AFTER = 60.0  # seconds; a shorter trouble mends itself and is nobody's business


@dataclass(frozen=True, slots=True)
class Parked:
    """A credential that no call takes now. ``down_for``: seconds since its outage began. ``why``: its last fault."""

    name: str
    down_for: float
    why: str

    @property
    def provider(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should know. ``about`` is a provider or ``provider/credential``.

    ``ours``: nobody else can end it. A key that a provider refuses without a fault of the key is the provider's.
    """

    kind: str
    about: str
    down_for: float
    text: str
    ours: bool = True


def auth_outages(parked: Iterable[Parked]) -> dict[str, list[Parked]]:
    """Map the providers whose logins are out to their credentials that were refused together."""
    refused = sorted((each for each in parked if each.why == FaultKind.AUTH), key=lambda each: each.name)
    groups = {provider: list(group) for provider, group in groupby(refused, key=lambda each: each.provider)}
    return {provider: group for provider, group in groups.items() if len(group) >= TOGETHER}


def alerts(parked: Sequence[Parked], refusing: Collection[str] = ()) -> list[Alert]:
    """Say what has been down for so long that a person should know, the oldest first.

    ``refusing``: providers of which a diagnosis found that they refuse keys that are not at fault.
    """
    out = auth_outages(parked)
    found = [_outage(provider, group) for provider, group in out.items()]
    alone = [each for each in parked if each.provider not in out or each.why != FaultKind.AUTH]
    found += [_down(each) if _is_at_fault(each, refusing) else _refused(each) for each in alone]
    return sorted((each for each in found if each.down_for >= ALERT_AFTER), key=lambda each: -each.down_for)


def _is_at_fault(parked: Parked, refusing: Collection[str]) -> bool:
    return parked.why != FaultKind.AUTH or parked.provider not in refusing


def _outage(provider: str, group: list[Parked]) -> Alert:
    down_for = max(each.down_for for each in group)
    names = ", ".join(each.name.partition("/")[2] for each in group)
    text = f"{provider} refuses {len(group)} credentials at once ({names}): its logins are out. Jobs wait or reroute."
    return Alert("auth_outage", provider, down_for, text, ours=False)


def _down(parked: Parked) -> Alert:
    rule = FAULT_RULES[FaultKind(parked.why)] if parked.why in set(FaultKind) else None
    advice = rule.advice if rule and rule.scope is Scope.CREDENTIAL else "it is parked"
    return Alert("credential_down", parked.name, parked.down_for, f"credential {parked.name}: {advice}.")


def _refused(parked: Parked) -> Alert:
    text = (
        f"{parked.provider} refuses credential {parked.name}, which a diagnosis found not to be at fault. Jobs wait or "
        "reroute; nothing to do."
    )
    return Alert("credential_down", parked.name, parked.down_for, text, ours=False)
