"""One patient opened in the app: what the page is made from, however it was opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_profiles.record import InputState
from server.basis import Basis
from server.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Banner:
    """Who it is, for the banner that keeps two patients apart (SMART, `need_patient_banner`).

    Args:
        name: as the chart has it.
        birth_date: as the chart has it.
        identifier: one of the patient's identifiers, or the FHIR id.
        sex: as the chart has it.
    """

    name: str
    birth_date: str
    identifier: str
    sex: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One patient, read and evaluated; never with data of another among it: who opens a patient refuses that (SM-09).

    Args:
        launch: names the launch in every path and form of the page; opaque.
        evaluation: with every card there is.
        parts: what was read: parsed FHIR JSON. Only for reading it again with a supposition.
        inputs: what is known about kinds of input, by resource type.
        servers: base URLs of the FHIR servers on which the patient has this id.
        as_of: the day.
        basis: terminology and knowledge.
        banner: None where the EHR shows one itself.
        focus: recommendation ids of the card that the user came from; empty without `appContext`.
        scopes_missing: resource types that the EHR did not let us read.
        form_token: goes into every form (SM-08).
        about: references of what the EHR opened the app for, besides the patient (`fhirContext`).
    """

    launch: str
    evaluation: Evaluation
    parts: tuple[Any, ...]
    inputs: Mapping[str, InputState]
    servers: tuple[str, ...]
    as_of: date
    basis: Basis
    banner: Banner | None
    focus: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    form_token: str = ""
    about: tuple[str, ...] = ()
