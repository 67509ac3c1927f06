"""``/docs``: every operation on one page, written from the OpenAPI document. No script, no other host, no key."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from holdfast.api.app_state import of_request
from holdfast.api.auth.middleware import is_known

STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .8rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4rem; }
h2 { margin-top: 2.5rem; } h4 { margin: 1rem 0 .2rem; }
"""
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "frame-ancestors 'none'",
    )
)
FIRST_CALL = """\
curl -H 'Authorization: Bearer KEY' -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\
  -d '{"model": "smart", "prompt": "What is a holdfast?"}' ADDRESS/api/v1/jobs"""
Schema = Mapping[str, Any]

router = APIRouter()


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """Describe the API to machines: to anybody, and with the names of models to those who show a key."""
    document = request.app.state.document
    knows = await is_known(of_request(request), request.scope)
    return JSONResponse(document.for_callers if knows else document.public)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Show what the API can do."""
    page = page_of(str(request.base_url).rstrip("/"), request.app.openapi)
    return HTMLResponse(page, headers={"content-security-policy": POLICY})


@lru_cache(maxsize=8)  # addresses by which the server is called
def page_of(address: str, document_of: Any) -> str:
    """Write the page. The document does not change while the process runs."""
    document = document_of()
    first = escape(FIRST_CALL.replace("ADDRESS", address))
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>Holdfast API</title><style>{STYLE}</style>",
            f"<h1>Holdfast API {escape(document['info']['version'])}</h1>",
            "<p>For machines: <a href='/openapi.json'>openapi.json</a> (OpenAPI 3.1). Where an API key was ever made, ",
            "every call but the probes wants one, as <code>Authorization: Bearer KEY</code> or ",
            "<code>x-api-key: KEY</code>. Errors are <a href='#ProblemDocument'>problem documents</a>.</p>",
            f"<pre>{first}</pre>",
            *operations(document["paths"]),
            "<h2>Schemas</h2>",
            *(schema_section(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
            "</html>",
        )
    )


def operations(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield each operation, below its tag."""
    last = ""
    for path, methods in paths.items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["others"])[0]
            if tag != last:
                yield f"<h2>{escape(tag.capitalize())}</h2>"
                last = tag
            yield operation_section(method, path, operation)


def operation_section(method: str, path: str, operation: Schema) -> str:
    """Write one operation: what it does, takes and answers."""
    name = escape(operation["operationId"])
    words = "</p><p>".join(escape(operation.get("description", "")).split("\n\n"))
    return (
        f"<details id='{name}'><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary><p>{words}</p>"
        + table("Parameters", (parameter_row(each) for each in operation.get("parameters", ())))
        + table("Body", body_rows(operation.get("requestBody", {})))
        + table("Answers", (answer_row(*each) for each in sorted(operation["responses"].items())))
        + "</details>"
    )


def table(title: str, rows: Iterator[tuple[str, str]]) -> str:
    """Write a table; nothing where it has no rows."""
    text = "".join(f"<tr><td>{left}<td>{right}" for left, right in rows)
    return f"<h4>{title}</h4><table>{text}</table>" if text else ""


def parameter_row(parameter: Schema) -> tuple[str, str]:
    name, where = escape(parameter["name"]), escape(parameter["in"])
    said = escape(parameter.get("description") or parameter["schema"].get("description") or "")
    need = ", required" if parameter.get("required") else ""
    return f"<code>{name}</code> <small>{where}{need}</small>", f"{kind(parameter['schema'])} {said}"


def body_rows(body: Schema) -> Iterator[tuple[str, str]]:
    for media_type, content in body.get("content", {}).items():
        yield f"<code>{escape(media_type)}</code>", kind(content["schema"])


def answer_row(status: str, answer: Schema) -> tuple[str, str]:
    kinds = ", ".join(dict.fromkeys(kind(each.get("schema", {})) for each in answer.get("content", {}).values()))
    return f"<code>{escape(status)}</code>", f"{kinds} {escape(answer.get('description', ''))}"


def schema_section(name: str, schema: Schema) -> str:
    """Write what an object consists of, or which words a value may be."""
    required = set(schema.get("required", ()))
    rows = (
        (
            f"<code>{escape(member)}</code>{'' if member in required else ' <small>optional</small>'}",
            f"{kind(inner)} {escape(inner.get('description', ''))}",
        )
        for member, inner in schema.get("properties", {}).items()
    )
    words = escape(schema.get("description", ""))
    listed = "" if "properties" in schema else f"<p>{kind(schema)}</p>"
    about = f"<summary><code>{escape(name)}</code></summary><p>{words}</p>{listed}"
    return f"<details id='{escape(name)}'>{about}{table('', rows)}</details>"


def kind(schema: Schema) -> str:
    """Say in a few words what a value is.

    >>> kind({"anyOf": [{"type": "string"}, {"type": "null"}]}), kind({"type": "array", "items": {"type": "integer"}})
    ('string or null', 'list of integer')
    """
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(kind(each) for each in schema[key]))
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return escape(str(schema.get("const", schema.get("format", schema.get("type", "any value")))))
