"""Whose a resource is, so that all of one patient come together: by the same reading of references as at the bedside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.elements import Element
from fhir_profiles.identity import patient_named_by
from fhir_profiles.reader import RESOURCE_TYPES
from fhir_profiles.resources import collect
from server.cohort.bundles import by_patient

SHARED = frozenset({"Medication", "Organization"})
"""Resources of nobody that those of patients name: the drug of an order, the site of a patient."""

UNREADABLE = "unreadable"
"""Member of what stands in the place of a line that cannot be read: of which type the resource is."""

_PATIENT_IN_PIECES = re.compile(rb'"reference"\s*:\s*"(?:[^"\s]{0,200}/)?Patient/([A-Za-z0-9.-]{1,64})["/]')
_TYPE_IN_PIECES = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,40})"')

_READ = {kind.encode() for kind in RESOURCE_TYPES}
_WITHOUT_A_TYPE = "an object without resourceType is not a FHIR resource"
_NOT_AN_OBJECT = "the line is JSON, and not a FHIR resource"
_WITHOUT_A_PATIENT = "{kind} names no patient by a reference that can be told"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owned:
    """A resource, or a Bundle, and the patient that it is about.

    Args:
        patient: FHIR id; None for what patients share.
        kind: resource type.
        resource: as it was sent; None where that is the whole line.
    """

    patient: str | None
    kind: str
    resource: Json | None = None

    @property
    def is_unreadable(self) -> bool:
        """There was something about the patient that cannot be read."""
        return self.resource is not None and UNREADABLE in self.resource


@dataclass(frozen=True, slots=True)
class Sorted:
    """A line, by owners.

    Args:
        owned: what is kept of it.
        passed_over: how many resources are of types that nothing here reads, by type.
        problem: why something in it is not used.
    """

    owned: tuple[Owned, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None


def sort_line(value: Any) -> Sorted:
    """Say whose a line is.

    Args:
        value: parsed JSON: a resource, a Bundle of one patient or of several, or a list of resources.
    """
    if isinstance(value, list):
        return _sort_bundle({"resourceType": "Bundle", "entry": [{"resource": one} for one in value]})
    if not isinstance(value, dict):
        return Sorted(problem=_NOT_AN_OBJECT)
    kind = value.get("resourceType")
    if not isinstance(kind, str) or not kind:
        return Sorted(problem=_WITHOUT_A_TYPE)
    if kind == "Bundle":
        return _sort_bundle(value)
    if kind in SHARED:
        return Sorted((Owned(None, kind),))
    if kind not in RESOURCE_TYPES:
        return Sorted(passed_over={kind: 1})
    patient = patient_named_by(Element(value, kind, "", []))
    if patient is None:
        return Sorted(problem=_WITHOUT_A_PATIENT.format(kind=kind))
    return Sorted((Owned(patient, kind),))


def sort_unreadable(raw: bytes, problem: str) -> Sorted:
    """What a line that is not JSON still shows: whose it is, and what.

    So that nothing is said not to have been done for this patient, where it may be just that which cannot be read (SAF-02).

    Args:
        raw: the line.
        problem: why it cannot be read.
    """
    patients, kinds = {*_PATIENT_IN_PIECES.findall(raw)}, {*_TYPE_IN_PIECES.findall(raw)}
    kinds = _READ if b"Bundle" in kinds else kinds & _READ  # of a Bundle nobody knows what else was in it
    lost = [Owned(one.decode(), kind.decode(), {UNREADABLE: kind.decode()}) for one in sorted(patients) for kind in sorted(kinds)]
    return Sorted(tuple(lost), problem=problem)


def _sort_bundle(bundle: Json) -> Sorted:
    """A Bundle of one patient stays whole; of one with several each gets what is about no other."""
    collection = collect([bundle])
    everything = (*collection, *collection.superseded)
    owners = {id(one.content): patient_named_by(one, collection) for one in everything}
    patients = {name for name in owners.values() if name is not None}
    sent = {name for one in everything if one.type == "Patient" and (name := patient_named_by(one))}
    if len(patients) == 1 or len(sent) == 1:  # a stray resource of another patient is refused with the chart, as at the bedside
        return Sorted((Owned(min(sent or patients), "Bundle", bundle),))
    if patients:
        return Sorted(tuple(Owned(one, "Bundle", part) for one, part in by_patient(bundle, owners).items()))
    about_somebody = any(one.type in RESOURCE_TYPES for one in everything)
    shared = tuple(Owned(None, one.type, one.content) for one in everything if one.type in SHARED)
    return Sorted(shared, problem=_WITHOUT_A_PATIENT.format(kind="Bundle") if about_somebody else None)
