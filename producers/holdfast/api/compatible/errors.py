"""What can be wrong with a call of the compatible APIs, on top of the model's and the client's errors."""

from holdfast.api.call_hints import name_calls
from holdfast.api.problems import HttpProblem
from holdfast.client.errors import InvalidJobs
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest, NotFound

# What stands before a key in errors of lines and of Holdfast's own API, and in none of a call's.
BODIES = ("body.", "params.", "query.")


class UnknownModel(NotFound):
    """A call names a model that no configuration knows."""

    code = "model_not_found"

    def __init__(self, model: str, why: str) -> None:
        super().__init__("model", model)
        self.args = (model, why)
        self.why = why

    def __str__(self) -> str:
        return self.why


def demand_model(settings: Settings, model: str) -> None:
    """Refuse a model that nobody knows. Raises UnknownModel."""
    try:
        settings.plan(model)
    except InvalidRequest as error:
        raise UnknownModel(model, f"{error.problem} {error.hint}".strip()) from None


def of_one_call(error: InvalidJobs) -> InvalidRequest:
    """Say what is wrong with the one job of a call, by the keys of its own body."""
    problem = error.problems[0]
    return InvalidRequest(without_body(problem.where), problem.problem, problem.hint)


def without_body(where: str) -> str:
    """Name a key of a body as its sender does.

    >>> without_body("body.messages[0].role"), without_body("request")
    ('messages[0].role', 'request')
    """
    for prefix in BODIES:
        where = where.removeprefix(prefix)
    return where


def detail_of(problem: HttpProblem) -> str:
    """Say what is wrong with a request: keys as its sender names them, and calls where a sentence names commands."""
    errors = problem.members.get("errors", ())
    said = "; ".join(f"{without_body(each['where'])}: {each['problem']}" for each in errors)
    return name_calls(said or problem.detail)
