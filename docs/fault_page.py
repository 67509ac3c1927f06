"""The page of docs/faults.md: the table of ``policy/fault_rules.py`` as people read it."""

from holdfast.model.fault import FaultKind
from holdfast.policy.fault_rules import FAULT_RULES, FaultAction, FaultRule
from holdfast.policy.signals import Signal

INTRODUCTION = """\
# Faults

<!-- Written by `python docs/generate.py` from policy/fault_rules.py. Change the table there, not this page. -->

Every failure of a call has one of these kinds. It says how far the fault reaches, what becomes of the job, what it
costs the job, and what the three breakers of its route record. `holdfast job show` and the dead letters name the kind.

- *Uses*: an **attempt** (the job's own doing; five bury it), a **call** (the provider may have run and billed it; eight
  bury it on a route that is well), or nothing. Kinds that were **not sent** give the bucket everything back.
- *Breakers*: `fault` counts, `fatal` opens at once, `ok` counts for it, `client_error` opens when many different jobs
  get it, `auth_rejected` opens when several credentials get it, `hedged_late` counts on probation alone.
- *Wait*: a snooze leaves attempts alone; one that leaves the next backoff as wide as it was is called plain.

| kind | reaches | the job | uses | breakers of route, credential, endpoint | wait | what it means |
| --- | --- | --- | --- | --- | --- | --- |
"""
ACTIONS = {
    FaultAction.REROUTE: "another route now, else later here",
    FaultAction.RETRY_HERE: "here again, {} at most, then elsewhere",
    FaultAction.EXCLUDE_ROUTE: "another route, never here again",
    FaultAction.SNOOZE: "later",
    FaultAction.BURY: "ends",
}


def fault_page() -> str:
    return INTRODUCTION + "".join(_row(kind, rule) for kind, rule in FAULT_RULES.items())


def _row(kind: FaultKind, rule: FaultRule) -> str:
    cells = (f"`{kind}`", rule.scope, _action(rule), _uses(rule), _breakers(rule), _wait(rule), f"{rule.advice}.")
    return f"| {' | '.join(cells)} |\n"


def _action(rule: FaultRule) -> str:
    times = {1: "once", 2: "twice"}.get(rule.repeats_here, "")
    return ACTIONS[rule.action].format(times) + ("" if rule.most is None else f"; after {rule.most + 1} ends")


def _uses(rule: FaultRule) -> str:
    used = [name for name, counts in (("attempt", rule.uses_attempt), ("call", rule.may_be_billed)) if counts]
    return " and ".join(used) or ("nothing" if rule.sent else "nothing: not sent")


def _breakers(rule: FaultRule) -> str:
    heard = (rule.route, rule.credential, rule.endpoint)
    return ", ".join("-" if each is Signal.NONE else each for each in heard)


def _wait(rule: FaultRule) -> str:
    if rule.snoozes or rule.action is FaultAction.SNOOZE:
        return "plain snooze" if rule.waits else "snooze"
    return "-" if rule.action is FaultAction.BURY else f"backoff up to {rule.cap:g} s"
