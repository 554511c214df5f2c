"""What an EHR says about itself before a token is needed: where tokens are given, and which types it has (A-3, A-24)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_profiles.elements import objects
from server.cds_hooks.prefetch import TEMPLATES
from server.cohort.fetching.errors import FetchError
from server.cohort.fetching.saying import json_of, why
from server.cohort.fetching.wire import Wire
from server.outbound.http import OutboundError
from server.smart.configuration import WELL_KNOWN, endpoint, texts
from server.smart.stops import StopError

WANTED = tuple(dict.fromkeys((*(template.resource_type for template in TEMPLATES), "Medication", "Organization")))
"""What a cohort run reads: all that the advice rests on, the drugs that orders refer to, and the sites of patients."""

_OK = 200
_JSON = {"Accept": "application/json"}
_FHIR_JSON = {"Accept": "application/fhir+json"}


@dataclass(frozen=True, slots=True)
class Discovered:
    """What of a SMART configuration is used.

    Args:
        token_url: the token endpoint.
        algorithms: of client assertions, as far as it says.
        is_v1: whether scopes have to be spelled as SMART 1 does.
    """

    token_url: str
    algorithms: tuple[str, ...] = ()
    is_v1: bool = False


def discover(base: str, wire: Wire) -> Discovered:
    """Read the SMART configuration of a FHIR server.

    Args:
        base: its base URL.
        wire: how it is reached.

    Raises:
        FetchError: there is none, or none that names a safe token endpoint.
    """
    instead = "Name the token endpoint with --token-url if the EHR publishes none."
    try:
        answer = wire.get(base + WELL_KNOWN, _JSON)
    except OutboundError as error:
        raise FetchError(f"{base}{WELL_KNOWN} (the SMART configuration) cannot be read: {why(error)}. {instead}") from error
    document = json_of(answer) if answer.status == _OK else None
    if not isinstance(document, dict):
        raise FetchError(f"{base}{WELL_KNOWN}: HTTP {answer.status} and no SMART configuration in JSON. {instead}")
    try:
        token_url = endpoint(base, document, "token_endpoint")
    except StopError:
        token_url = ""
    if not token_url:
        raise FetchError(f"{base}{WELL_KNOWN} names no token endpoint over https. {instead}")
    capabilities = set(texts(document.get("capabilities")))
    return Discovered(
        token_url,
        texts(document.get("token_endpoint_auth_signing_alg_values_supported")),
        is_v1="permission-v1" in capabilities and "permission-v2" not in capabilities,
    )


def types_that_it_has(base: str, wire: Wire) -> tuple[str, ...]:
    """Those of the wanted types that the CapabilityStatement names; all of them where it cannot be read, or names none.

    Args:
        base: base URL of the FHIR server.
        wire: how it is reached.
    """
    try:
        statement = json_of(wire.get(f"{base}/metadata", _FHIR_JSON))
    except OutboundError:
        return WANTED
    named = set(_types(statement)) if isinstance(statement, dict) else set()
    return tuple(kind for kind in WANTED if kind in named) or WANTED


def _types(statement: dict[str, Any]) -> Iterable[Any]:
    return (resource.get("type") for rest in objects(statement.get("rest")) for resource in objects(rest.get("resource")))
