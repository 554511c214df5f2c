"""What is wrong with a request, in words for people: the place, and what should be there; never what was."""

from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


def first_problem(schema: Draft202012Validator, value: Any) -> ValidationError | None:
    """The problem to talk about: the envelope's before the hook's, the hook's before anything else; then by place."""
    return min(schema.iter_errors(value), key=_importance, default=None)


def in_words(error: ValidationError) -> str:
    """The place, and what our schema says should be there (the `description` beside the broken rule)."""
    path = error.json_path.removeprefix("$").lstrip(".")
    schema, value = cast(Any, error.schema), cast(Any, error.instance)
    if error.validator == "required":
        missing = next(name for name in schema["required"] if name not in value)
        return f"{path}.{missing} is missing.".lstrip(".")
    return f"{path or 'The request'} must be {schema['description']}."


def _importance(error: ValidationError) -> tuple[bool, str]:
    return error.json_path not in ("$", "$.hook"), error.json_path
