"""`assess --strict`: every resource held against the full FHIR models (`fhir.resources`, R4B), beside the tolerant reading.

Costs fifty times the reading itself, so no request does it.
"""

from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from fhir_profiles.elements import objects
from fhir_profiles.record import Issue

Json = dict[str, Any]


def strict_issues(value: Any) -> tuple[Issue, ...]:
    """What the full models find wrong, by resource and field; never a value.

    Args:
        value: parsed JSON: a Bundle, a resource, or a list of them.
    """
    return tuple(issue for resource in _resources(value) for issue in _check(resource))


def _resources(value: Any) -> Iterator[Json]:
    waiting = [value]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting = item + waiting
        elif isinstance(item, dict) and item.get("resourceType") == "Bundle":
            waiting = [entry.get("resource") for entry in objects(item.get("entry"))] + waiting
        elif isinstance(item, dict):
            yield item


def _check(resource: Json) -> Iterator[Issue]:
    kind, identity = resource.get("resourceType"), resource.get("id")
    reference = f"{kind}/{identity}" if isinstance(identity, str) else f"{kind} without id"
    try:
        get_fhir_model_class(str(kind)).model_validate(resource)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
            yield Issue(f"{reference}{field}", f"strict: {problem['msg'].removeprefix('Value error, ')}")
    except (ValueError, KeyError, TypeError, RecursionError):
        # An unknown type (its own or that of something contained), or nested more deeply than the models can follow.
        yield Issue(reference, "strict: is not, or contains what is not, a resource that FHIR R4 knows")
