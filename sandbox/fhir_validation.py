"""Whether what somebody wants to write is FHIR R4: held against the models of `fhir.resources` (R4B)."""

from pydantic import ValidationError

from sandbox.bundles import Json


def problems(resource: Json) -> list[Json]:
    """The issues of an OperationOutcome, empty for a sound resource; they name elements, and never a value.

    Args:
        resource: of one of the types that can be written.
    """
    from fhir.resources.R4B import get_fhir_model_class  # takes a third of a second, which not every start need wait for

    resource_type = resource["resourceType"]
    try:
        get_fhir_model_class(resource_type).model_validate(resource)
    except ValidationError as error:
        return [
            _issue(resource_type, ".".join(str(part) for part in each["loc"]), each["type"])
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    return []


def _issue(resource_type: str, place: str, kind: str) -> Json:
    expression = f"{resource_type}.{place}" if place else resource_type
    return {
        "severity": "error",
        "code": "structure",
        "diagnostics": f"{expression} is not as FHIR R4 has it ({kind.replace('_', ' ')}).",
        "expression": [expression],
    }
