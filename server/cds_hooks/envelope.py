"""The CDS Hooks request around the FHIR data: checked against the published JSON Schemas, then one plain value.

What we do not rely on is not checked: later versions add members, and EHRs send their own (conformance R-7, R-8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.cds_hooks.services import SERVICES, Service
from server.contract.problems import first_problem, in_words
from server.contract.schema_files import validator
from server.errors import EnvelopeError, WrongHookError


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the EHR lets us fetch, and with what (`fhirAuthorization`).

    Args:
        access_token: bearer token; for this one call only, never stored, never logged.
        patient: FHIR id that the token is confined to, if the EHR says so.
    """

    access_token: str = field(repr=False)
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of a service.

    Args:
        instance: hook instance, for correlation; whatever the client chose.
        patient_id: FHIR id, without `Patient/`.
        prefetch: FHIR data by prefetch key, unchecked.
        draft_orders: Bundle of the orders being written; None where the hook is not about orders.
        selections: references of the orders that were just selected; None where the hook does not say.
        fhir_server: base URL of the EHR's FHIR server, as sent, if it wants to be called back.
        authorization: with what; None for a server that needs no token.
        user: who is working, as `Type/id`; only ever kept as a keyed hash. None if it is no text.
        encounter: FHIR id of the visit; only ever kept as a keyed hash. None if it was not sent, or is no text.
    """

    instance: str
    patient_id: str
    prefetch: Mapping[str, Any]
    draft_orders: Mapping[str, Any] | None = None
    selections: tuple[str, ...] | None = None
    fhir_server: str | None = None
    authorization: Authorization | None = None
    user: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)


_REQUESTS = {service.hook: validator(f"request-{service.hook}") for service in SERVICES.values()}


def read_hook_call(body: Any, service: Service) -> HookCall:
    """Check the request of a hook call.

    Args:
        body: the parsed JSON.
        service: the service that was called.

    Raises:
        EnvelopeError: a member is missing or of the wrong kind; the message names it, never its value.
        WrongHookError: the request is for another hook.
    """
    problem = first_problem(_REQUESTS[service.hook], body)
    if problem and problem.validator == "const":
        raise WrongHookError(f"hook: this service answers {service.hook}. /cds-services lists which service answers which hook.")
    if problem:
        raise EnvelopeError(in_words(problem))
    context = body["context"]
    selections = context.get("selections") if service.is_about_orders else None
    return HookCall(
        instance=body["hookInstance"],
        patient_id=context["patientId"].removeprefix("Patient/"),
        prefetch=body.get("prefetch") or {},
        draft_orders=context["draftOrders"] if service.is_about_orders else None,
        selections=None if selections is None else tuple(selections),
        fhir_server=body.get("fhirServer"),
        authorization=_authorization(body.get("fhirAuthorization")),
        user=_text(context.get("userId")),
        encounter=_text(context.get("encounterId")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _authorization(sent: Mapping[str, Any] | None) -> Authorization | None:
    """None also for what cannot be used: a call that needs no callback needs no token."""
    token, patient = (sent or {}).get("access_token"), (sent or {}).get("patient")
    if not isinstance(token, str):
        return None
    return Authorization(token, patient.removeprefix("Patient/") if isinstance(patient, str) else None)
