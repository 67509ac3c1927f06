"""What a request may have meant: the nearest of the names, or of the values, that an operation knows."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Scope

OUTERMOST = 2  # parts of the place of a member: query or body, and its name


def explain(scope: Scope, error: Mapping[str, Any]) -> str:
    """Say what is wrong at one place of a request, and what may have been meant."""
    match error["type"]:
        case "extra_forbidden":
            known = sorted(names(scope)) if len(error["loc"]) == OUTERMOST else []
            return f"is not known here{_nearest(str(error['loc'][-1]), known) or _listed(known)}"
        case "enum" | "literal_error":
            allowed = re.findall(r"'([^']+)'", str(error["ctx"]["expected"]))
            return f"{error['msg']}{_nearest(str(error['input']), allowed)}"
        case "model_attributes_type" if isinstance(error["input"], bytes):
            return "is no JSON by its Content-Type; send application/json"
        case _:
            return str(error["msg"])


def names(scope: Scope) -> Iterator[str]:
    """Yield what the operation that a request is for takes as members of its query or body."""
    route = scope.get("route")
    if isinstance(route, APIRoute):
        for parameter in (*route.dependant.query_params, *route.dependant.body_params):
            model = parameter.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                yield from model.model_fields


def _nearest(given: str, known: list[str]) -> str:
    near = get_close_matches(given.lower(), known, n=1, cutoff=0.5)
    return f". Did you mean {near[0]}?" if near else ""


def _listed(known: list[str]) -> str:
    return f". Known are {', '.join(known)}" if known else ""
