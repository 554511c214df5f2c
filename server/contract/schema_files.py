"""The JSON Schemas (2020-12) of what comes in and goes out: the files that are served are the files that validate.

No standard set exists for CDS Hooks 2.0.1 (conformance section 14). A schema never describes what is inside of a prefetch value
or of the draft orders: their reading is tolerant, and a check of the envelope must not become dearer with the size of a chart.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from fhir_profiles.systems import CANONICAL

BASE = f"{CANONICAL.removesuffix('/fhir')}/schemas/"
"""Where the `$id`s begin; the path is the one that the service serves them under."""

SUFFIX = ".schema.json"
_FOLDER = Path(__file__).parent / "schemas"


@cache
def schemas() -> Mapping[str, dict[str, Any]]:
    """Every schema by its name, which is the file's without the suffix."""
    return {path.name.removesuffix(SUFFIX): json.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob(f"*{SUFFIX}"))}


@cache
def validator(name: str) -> Draft202012Validator:
    """What checks values against a schema, made once.

    Raises:
        KeyError: there is no schema of that name.
    """
    return Draft202012Validator(schemas()[name], registry=registry(schemas().values()))


def registry(documents: Iterable[dict[str, Any]]) -> "Registry[Any]":
    """The schemas, so that they find each other by `$id`."""
    resources = [Resource.from_contents(document) for document in documents]
    return Registry().with_resources((resource.id() or "", resource) for resource in resources).crawl()
