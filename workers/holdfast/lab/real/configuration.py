"""What a drill in real time is run on: the pool's configuration, with simulated providers in the place of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.scenario import Part, Scenario
from holdfast.lab.providers.settings import Script, ScriptPart, ScriptPhase, SimSettings
from holdfast.model.route import Api, Hedge, Plan, Route

KEY = "HOLDFAST_DRILL_KEY"
LEASE, GRACE = 15.0, 5.0  # real seconds: how long a process may be silent does not depend on how fast time runs
PATHS: Mapping[Api, str] = {Api.ANTHROPIC: "", Api.OPENAI_CHAT: "/v1", Api.OPENAI_RESPONSES: "/v1"}
MODES: Mapping[str, str | None] = {
    "ok": None,
    "slow": None,
    "unreachable": "close",
    "bad": "html",
    "e429": "e429-silent",
}
TAKES: Mapping[str, tuple[float, float] | None] = {"ok": None, "slow": (30.0, 60.0), "hang": None}
QUICKLY = (0.05, 0.5)  # seconds that a failure takes where the scenario does not say


def sims_of(scenario: Scenario, plan: DrillPlan, seed: int) -> list[SimSettings]:
    """One simulated provider for each of the plan's. They tell no limits in headers, as the virtual ones do not."""
    load, limit = scenario.load, plan.limit(scenario)
    first = SimSettings(latency=load.takes, headers=False, retry_after=None, seed=seed)
    if limit is not None:
        first = first.model_copy(update={"rate": limit, "burst": max(1.0, limit)})
    if load.tokens_per_second is not None:
        first = first.model_copy(update={"input_tokens_per_minute": load.tokens_per_second * 60})
    others = len(plan.providers) - 1
    return [first, *(SimSettings(latency=load.takes, headers=False, seed=seed + n + 1) for n in range(others))]


def script_of(scenario: Scenario, place: int) -> Script:
    """How the provider in this place of the plan falls ill. Past the scenario's end all are well."""
    phases = sorted(scenario.second if place else scenario.phases, key=lambda phase: phase.at)
    played = [ScriptPhase(at=phase.at, parts=_parts(phase.mix)) for phase in phases if phase.at < scenario.seconds]
    return Script(phases=(*played, ScriptPhase(at=scenario.seconds)))


def configuration(plan: DrillPlan, urls: Sequence[str], directory: Path, speed: float) -> str:
    """The holdfast.toml of the drill's workers. ``urls`` of the simulated providers, in the plan's order."""
    addresses = dict(zip(plan.providers, urls, strict=True))
    routes = {route.provider: route for each in plan.plans for route in each.routes}
    parts = [
        f"""[storage]
database_url = {_text(f"sqlite:///{directory}/holdfast.db")}
directory = {_text(str(directory))}
[worker]
concurrency = {plan.concurrency}
window = {plan.window}
lease = {LEASE * speed}
grace = {GRACE}""",
        *(_provider(name, route, addresses.get(name, urls[-1]), plan) for name, route in routes.items()),
        *map(_model, plan.plans),
    ]
    return "\n".join(parts) + "\n"


def _parts(mix: Sequence[Part]) -> tuple[ScriptPart, ...]:
    return tuple(
        ScriptPart(
            share=part.share,
            mode=MODES.get(part.mode, part.mode),
            takes=part.takes or TAKES.get(part.mode, QUICKLY),
        )
        for part in mix
        if part.share > 0
    )


def _provider(name: str, route: Route, url: str, plan: DrillPlan) -> str:
    wire = route.api.wire
    keys = ", ".join(f'{{ name = {_text(key)}, secret = "env:{KEY}" }}' for key in route.credentials)
    lines = [
        f"[providers.{name}]",
        f"api = {_text(wire)}",
        f"base_url = {_text(url + PATHS[wire])}",
        f"credentials = [{keys}]",
    ]
    if overrides := plan.overrides.get(name):
        lines.append(f"breaker = {{ {_pairs(overrides)} }}")
    return "\n".join(lines)


def _model(plan: Plan) -> str:
    routes = ",\n".join(f"  {{ {_pairs(_route_fields(route))} }}" for route in plan.routes)
    return f"[models.{plan.model}]\nroutes = [\n{routes}\n]" + _hedge(plan.hedge)


def _hedge(hedge: Hedge | None) -> str:
    return "" if hedge is None else f"\nhedge = {{ after = {hedge.after}, at_most = {hedge.at_most} }}"


def _route_fields(route: Route) -> dict[str, object]:
    limits = {
        "requests_per_minute": route.limits.requests_per_minute,
        "input_tokens_per_minute": route.limits.input_tokens_per_minute,
        "output_tokens_per_minute": route.limits.output_tokens_per_minute,
        "concurrency": route.limits.concurrency,
    }
    return {
        "provider": route.provider,
        "model": route.model,
        "group": route.group,
        "price": {"input": route.price.input, "output": route.price.output} if route.price else None,
        "limits": {name: value for name, value in limits.items() if value is not None},
        "deadline": route.deadline,
        "slow_after": route.slow_after,
    }


def _pairs(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in fields.items() if value is not None)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {_pairs(value)} }}"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """A TOML text: what JSON writes is one."""
    return orjson.dumps(str(value)).decode()
