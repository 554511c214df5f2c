"""`/schemas/{name}.schema.json` and `/openapi.json`: the contract for machines, open to everybody, the same for everybody."""

from functools import cache

import orjson
from flask import Blueprint, Response

from server.contract.openapi import JSON_SCHEMA, openapi
from server.contract.schema_files import SUFFIX, schemas
from server.errors import UnknownSchemaError
from server.publishing.published import Published, publish, published
from server.runtime import Runtime


def contract_blueprint(runtime: Runtime) -> Blueprint:
    """The endpoints."""
    blueprint = Blueprint("contract", __name__)
    document = _written(openapi(runtime.config.public_url), "application/json")

    @blueprint.get("/openapi.json")
    def description() -> Response:
        return publish(document)

    @blueprint.get("/schemas/<name>")
    def schema(name: str) -> Response:
        if name.removesuffix(SUFFIX) not in schemas() or not name.endswith(SUFFIX):
            raise UnknownSchemaError("There is no schema of that name. /openapi.json lists them.")
        return publish(_schema(name.removesuffix(SUFFIX)))

    return blueprint


@cache
def _schema(name: str) -> Published:
    """Kept for every schema that there is; names that do not exist never come here."""
    return _written(schemas()[name], JSON_SCHEMA)


def _written(document: object, content_type: str) -> Published:
    """Indented, since people read it too."""
    return published(orjson.dumps(document, option=orjson.OPT_INDENT_2), content_type)
