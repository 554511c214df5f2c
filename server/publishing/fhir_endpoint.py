"""`/fhir/…`: the knowledge as FHIR R4, read-only, so that `instantiatesCanonical` of a suggested order resolves."""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, request
from werkzeug.datastructures import MIMEAccept

from cards.as_fhir import Library, as_fhir
from server.basis import Basis, load_basis
from server.config import Config
from server.error_answers import FHIR_JSON
from server.errors import NotAcceptableError, UnknownResourceError
from server.made_once import made_once
from server.publishing.capabilities import capability_statement
from server.publishing.fhir_search import read_query, search
from server.publishing.published import Published, publish, published

_SPOKEN = (FHIR_JSON, "application/json")
_FORMATS = ("json", *_SPOKEN)


def fhir_blueprint(config: Config) -> Blueprint:
    """The read-only FHIR API, of the knowledge that cards are made from."""
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")

    def basis() -> Basis:
        return load_basis(config.site, config.terminology)

    @blueprint.before_request
    def check_format() -> None:
        _check_format()

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return publish(_capabilities(basis()))

    @blueprint.get("/<kind>")
    def find(kind: str) -> Response:
        resources = _resources_of(kind, basis())
        query = read_query(request.args.items(multi=True), is_strict="handling=strict" in request.headers.get("Prefer", ""))
        return publish(_written(search(resources.values(), query, request.script_root + request.path)))

    @blueprint.get("/<kind>/<name>")
    def read(kind: str, name: str) -> Response:
        if name not in _resources_of(kind, basis()):
            raise UnknownResourceError(f"There is no such resource here. GET /fhir/{kind} lists what there is.")
        return publish(_resource(kind, name, basis()))

    return blueprint


@made_once
def library(basis: Basis) -> Library:
    """Everything that is published of a basis, made once for each, when somebody asks for it: most never do."""
    return as_fhir(basis.knowledge, basis.terminology)


@cache
def _capabilities(basis: Basis) -> Published:
    return _written(capability_statement(library(basis)))


@cache
def _resource(kind: str, name: str, basis: Basis) -> Published:
    """Kept for every resource that there is; names that do not exist never come here."""
    return _written(library(basis)[kind][name])


def _resources_of(kind: str, basis: Basis) -> Any:
    resources = library(basis)
    if kind not in resources:
        raise UnknownResourceError(f"This server has {', '.join(resources)} and no other resources.")
    return resources[kind]


def _written(resource: dict[str, Any]) -> Published:
    """Indented, since people read it too."""
    return published(orjson.dumps(resource, option=orjson.OPT_INDENT_2), FHIR_JSON)


def _check_format() -> None:
    """JSON is all there is; `_format` wins over the Accept header."""
    asked = request.args.get("_format", "").replace(" ", "+").partition(";")[0]
    if not (asked in _FORMATS if asked else _is_json_accepted()):
        raise NotAcceptableError("This server answers in JSON only (application/fhir+json).")


def _is_json_accepted() -> bool:
    """By the names of the media types alone: `fhirVersion` and other parameters decide nothing here."""
    accepted = MIMEAccept([(name.partition(";")[0].strip(), quality) for name, quality in request.accept_mimetypes])
    return not accepted or bool(accepted.best_match(_SPOKEN))
