"""Names that stand in a path, as the OpenAPI document describes them. What is called otherwise is not found."""

from typing import Annotated

from pydantic import WithJsonSchema

PathName = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:@/-]*$", "maxLength": 400})
]
