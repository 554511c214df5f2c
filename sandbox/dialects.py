"""How this EHR can speak CDS Hooks: like the specification, an older version of it, or the EHR of a vendor.

Each dialect is a client of its own for a service: it has its own `iss`, so that the service can answer it in its own way. What is
known of each stands in `docs/connecting.md` of this project, and in the versions of CDS Hooks themselves; what is not known of an
EHR is as in the standard.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sandbox.clinic import CLINICIAN

HOOKS = ("patient-view", "order-select", "order-sign")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to speak.

    Args:
        title: for people.
        issuer: what follows the address of this EHR in `iss`: nothing, or `/` and the name of the dialect.
        algorithm: of the signature (JOSE).
        token_seconds: from `iat` to `exp`.
        names_subject: add `sub`, and `nbf` five minutes before `iat`.
        user: `context.userId`.
        hooks: that this EHR fires.
        encounter: send `context.encounterId`.
        empty_search: how a search that found nothing is sent: an empty `bundle`, `null`, or a bundle with an `outcome` in it.
        user_tokens: fill in `{{userPractitionerId}}` and its like.
        feedback: name of the member with the reason of an override; empty where this EHR sends no feedback.
        reason_display: send the display of the reason.
        token_names_patient: send `fhirAuthorization.patient`.
        app_context: give the `appContext` of a SMART link to the app.
        double_slash: the address of a service has two slashes before its id.
        version: what this EHR says of its version of CDS Hooks, in an extension; empty for nothing.
        language: in which the service answers this client (BCP 47).
    """

    title: str
    issuer: str = ""
    algorithm: str = "ES384"
    token_seconds: int = 300
    names_subject: bool = False
    user: str = CLINICIAN
    hooks: tuple[str, ...] = HOOKS
    encounter: bool = True
    empty_search: Literal["bundle", "null", "outcome"] = "bundle"
    user_tokens: bool = True
    feedback: str = "overrideReason"
    reason_display: bool = True
    token_names_patient: bool = True
    app_context: bool = True
    double_slash: bool = False
    version: str = ""
    language: str = "en"


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "standard": Dialect("CDS Hooks 2.0.1"),
        "de": Dialect("CDS Hooks 2.0.1, with cards in German", issuer="/de", language="de"),
        "epic": Dialect(
            "like Epic",
            issuer="/epic",
            algorithm="RS384",
            token_seconds=900,
            names_subject=True,
            user="PractitionerRole/sandbox-clinician-rheumatology",
            empty_search="outcome",
            feedback="overrideReasons",
            version="1.1",
        ),
        "oracle": Dialect("like Oracle Health", issuer="/oracle", hooks=("patient-view",), app_context=False),
        "sandbox": Dialect(
            "like the public CDS Hooks sandbox",
            issuer="/sandbox",
            encounter=False,
            reason_display=False,
            token_names_patient=False,
            double_slash=True,
        ),
        "1.1": Dialect(
            "CDS Hooks 1.1 (ballot)", issuer="/1.1", empty_search="null", user_tokens=False, token_names_patient=False
        ),
        "1.0": Dialect(
            "CDS Hooks 1.0", issuer="/1.0", empty_search="null", user_tokens=False, feedback="", token_names_patient=False
        ),
    }
)
"""Conformance sections 11 and 12 (X-3, X-6, X-25), T-2, R-12, R-14, F-1, F-8, J-12, J-17, K-9, C-41, E-5."""
