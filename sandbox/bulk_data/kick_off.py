"""What a kick-off request asks for (Bulk Data Access 2.0, "Bulk Data Kick-off Request")."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request

from sandbox.access import Access
from sandbox.fhir_answers import FHIR_JSON, RefusalError, read_json

NDJSON = "application/fhir+ndjson"

_FORMATS = (NDJSON, "application/ndjson", "ndjson")
_KNOWN = ("_format", "_outputFormat", "_since", "_type")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_FORBIDDEN = 'Bearer realm="Sandbox EHR", error="insufficient_scope"'


@dataclass(frozen=True, slots=True)
class Asked:
    """A kick-off request.

    Args:
        url: the whole of it, as the manifest repeats it.
        types: resource types; none for all.
        since: only what was changed later; None for everything.
        unsupported: names of parameters that are not known here.
        is_lenient: leave out what is not known, instead of refusing (`Prefer: handling=lenient`).
    """

    url: str
    types: tuple[str, ...]
    since: datetime | None
    unsupported: tuple[str, ...]
    is_lenient: bool


def read_kick_off(request: Request) -> Asked:
    """Read the request that is being answered.

    Raises:
        RefusalError: it is not asynchronous, or asks for what there is not.
    """
    preferences = _preferences(request)
    if "respond-async" not in preferences:
        raise RefusalError(400, "required", "An export takes a while: send the header Prefer: respond-async.")
    if request.headers.get("Accept") and not request.accept_mimetypes.best_match((FHIR_JSON, "application/json")):
        raise RefusalError(406, "not-supported", f"The answer to a kick-off is {FHIR_JSON}.")
    given = _parameters_resource(request) if request.method == "POST" else [*request.args.items(multi=True)]
    if any(value.replace(" ", "+") not in _FORMATS for name, value in given if name == "_outputFormat"):
        raise RefusalError(400, "not-supported", f"_outputFormat: there is {NDJSON} only.")
    types = [one.strip() for name, value in given if name == "_type" for one in value.split(",")]
    asked = Asked(
        url=request.url,
        types=tuple(dict.fromkeys(filter(None, types))),
        since=_since([value for name, value in given if name == "_since"]),
        unsupported=tuple(sorted({name for name, _ in given} - set(_KNOWN))),
        is_lenient="handling=lenient" in preferences,
    )
    if asked.unsupported and not asked.is_lenient:
        raise RefusalError(400, "not-supported", "A parameter of the kick-off is not supported. Known are: " + ", ".join(_KNOWN))
    return asked


def types_to_export(asked: Asked, offered: Sequence[str], granted: Access) -> tuple[str, ...]:
    """The types that the files will be of.

    Args:
        asked: what was asked for.
        offered: what there is at this endpoint.
        granted: what the token lets its bearer do.

    Raises:
        RefusalError: no system's token, a type that is not offered here, or one that the token does not cover.
    """
    if not granted.is_of_system:
        raise RefusalError(
            403, "forbidden", "Only a system exports: the token is for a user or a patient.", WWW_Authenticate=_FORBIDDEN
        )
    if not asked.is_lenient and set(asked.types) - set(offered):
        raise RefusalError(400, "not-supported", f"_type: what can be exported here is {', '.join(offered)}.")
    wanted = [one for one in offered if one in asked.types] if asked.types else [*filter(granted.may_export, offered)]
    require_export(granted, wanted)
    if not wanted:
        raise RefusalError(403, "forbidden", "The scopes of the token cover nothing to export.", WWW_Authenticate=_FORBIDDEN)
    return tuple(wanted)


def require_export(granted: Access, types: Iterable[str]) -> None:
    """Whether a token covers all of an export: status and files are kept like the kick-off ("Privacy and Security
    Considerations").

    Raises:
        RefusalError: it does not.
    """
    if not all(map(granted.may_export, types)):
        text = "The scopes of the token do not cover every type of the export: system/TYPE.rs is needed for each."
        raise RefusalError(403, "forbidden", text, WWW_Authenticate=_FORBIDDEN)


def _preferences(request: Request) -> set[str]:
    """RFC 7240, section 2."""
    return {one.strip().lower().replace(" ", "") for one in re.split("[,;]", ",".join(request.headers.getlist("Prefer")))}


def _since(given: Sequence[str]) -> datetime | None:
    if not given:
        return None
    text = given[0].replace(" ", "+")  # an unescaped plus of the time zone
    try:
        if len(given) == 1 and _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # a thirteenth month
    raise RefusalError(400, "value", "_since is one instant, such as 2026-11-22T08:00:00Z.")


def _parameters_resource(request: Request) -> list[tuple[str, str]]:
    """Names and values of a Parameters resource (https://hl7.org/fhir/R4/parameters.html)."""
    body: Any = read_json(request.get_data())
    entries = body.get("parameter", []) if isinstance(body, dict) and body.get("resourceType") == "Parameters" else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in entries):
        raise RefusalError(400, "structure", "Send a Parameters resource, each of its parameters with a name.")
    return [(each["name"], _value(each)) for each in entries]


def _value(parameter: dict[str, Any]) -> str:
    return next((str(value) for name, value in parameter.items() if name.startswith("value")), "")
