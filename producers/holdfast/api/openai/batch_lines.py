"""The lines of an OpenAI batch's input file: what each must be, in the words of OpenAI's API for what it is not."""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.api.compatible.errors import without_body
from holdfast.api.compatible.order_reader import LineRefused
from holdfast.client.installation import Installation
from holdfast.client.usable_keys import UsableKeys
from holdfast.model import exact_json
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import InvalidRequest, NoUsableKey
from holdfast.model.json_bounds import has_too_many_brackets, is_deeper
from holdfast.store.batch_orders import read_custom_ids
from holdfast.wire.endpoints import bare_path

LONGEST_ID = 512  # characters
MOST_LEVELS = 64  # of JSON inside JSON
LIKELY_ID = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,200})"')  # of a line that is no JSON


class InputReader:
    """Reads the lines of one order, in their order. ``seen``: custom ids of lines before them."""

    def __init__(self, order: BatchOrder, seen: set[str], usable_keys: UsableKeys) -> None:
        self._endpoint, self._seen, self._keys = order.endpoint, seen, usable_keys
        self._models: dict[str, str | None] = {}

    def read(self, line: bytes) -> Mapping[str, Any]:
        """Check a line, and return it parsed. Raises LineRefused."""
        members = parsed(line)
        name = self._custom_id(members)
        for refused in (method_problem(members, name), self._url_problem(members, name), body_problem(members, name)):
            if refused is not None:
                raise refused
        self._demand_key(members["body"].get("model"), name)
        self._seen.add(name)
        return members

    def take_name(self, custom_id: str) -> None:
        """Check the name of a line whose like was read before. Raises LineRefused."""
        self._demand_new(custom_id)
        self._seen.add(custom_id)

    def refused(self, line: bytes, error: InvalidRequest) -> LineRefused:
        """Say why a line cannot become a job, by the keys of its body."""
        unknown = error.where == "model" and "there is no model" in error.problem
        message = error.problem + (f" {error.hint}" if error.hint else "")
        where = without_body(error.where)
        said = message if unknown else f"{where}: {message}"
        return LineRefused("model_not_found" if unknown else "invalid_request", said, name_of(line), f"body.{where}")

    def _custom_id(self, members: Mapping[str, Any]) -> str:
        name = members.get("custom_id")
        if not isinstance(name, str) or not name:
            raise LineRefused("missing_required_parameter", "custom_id is missing; expected a text.", None, "custom_id")
        self._demand_new(name)
        return name

    def _demand_new(self, name: str) -> None:
        if len(name) > LONGEST_ID:
            raise LineRefused("invalid_custom_id", f"custom_id is longer than {LONGEST_ID}.", name[:80], "custom_id")
        if name in self._seen:
            problem = f"the custom_id {name[:80]!r} is that of an earlier line. Each must be unique within its file."
            raise LineRefused("duplicate_custom_id", problem, name, "custom_id")

    def _url_problem(self, members: Mapping[str, Any], name: str) -> LineRefused | None:
        url = members.get("url")
        if not isinstance(url, str) or not url:
            return LineRefused("missing_required_parameter", "url is missing; expected a text.", name, "url")
        if bare_path(url.rstrip("/")) != bare_path(self._endpoint):
            problem = f"the url {url[:80]!r} is not the endpoint of the batch, {self._endpoint!r}."
            return LineRefused("mismatched_url", problem, name, "url")
        return None

    def _demand_key(self, model: Any, name: str) -> None:
        """Refuse a model that nobody can be asked for. What is no model at all is told by whoever reads the body."""
        if not isinstance(model, str):
            return
        if model not in self._models:
            self._models[model] = self._why_unusable(model)
        if problem := self._models[model]:
            raise LineRefused("no_usable_key", problem, name, "body.model")

    def _why_unusable(self, model: str) -> str | None:
        try:
            self._keys.demand([model])
        except NoUsableKey as error:
            return str(error)
        return None


def begin_input(installation: Installation, order: BatchOrder) -> InputReader:
    """Make the reader of an order from where it stands: what was read before, by whichever process, counts as seen."""
    seen = installation.ready().read(read_custom_ids, order.batch) if order.next_byte else set()
    return InputReader(order, seen, installation.usable_keys)


def parsed(line: bytes) -> dict[str, Any]:
    """Parse a line. Raises LineRefused: it is no JSON object, or costs too much to parse."""
    if has_too_many_brackets(line):
        raise LineRefused("invalid_json_line", "this line holds too many brackets.", None)
    try:
        value = exact_json.loads(line)
    except ValueError as error:
        raise LineRefused("invalid_json_line", f"this line is no JSON: {error}.", likely_name(line)) from None
    if not isinstance(value, dict):
        raise LineRefused("invalid_json_line", "this line is no JSON object.", None)
    if is_deeper(value, MOST_LEVELS):
        raise LineRefused("invalid_json_line", f"this line nests deeper than {MOST_LEVELS} levels.", likely_name(line))
    return value


def likely_name(line: bytes) -> str | None:
    """Find what looks like the custom id of a line that cannot be parsed, for whoever looks for it in the errors."""
    found = LIKELY_ID.search(line)
    return found[1].decode(errors="replace") if found else None


def name_of(line: bytes) -> str | None:
    name = parsed(line).get("custom_id")
    return name if isinstance(name, str) else None


def method_problem(members: Mapping[str, Any], name: str) -> LineRefused | None:
    if "method" not in members:
        return LineRefused("missing_required_parameter", "method is missing; expected POST.", name, "method")
    if str(members["method"]).upper() != "POST":
        return LineRefused("invalid_method", "the method is not POST.", name, "method")
    return None


def body_problem(members: Mapping[str, Any], name: str) -> LineRefused | None:
    if "body" not in members:
        return LineRefused("missing_required_parameter", "body is missing; expected an object.", name, "body")
    if not isinstance(members["body"], dict):
        return LineRefused("invalid_type", "the body is no object.", name, "body")
    return None
