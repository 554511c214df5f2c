"""Whose resource is it? Design section 4, rule 2; SAF-01, 02, 04 and 06.

Every resource that names a subject must name this patient. One that names somebody else means that something is badly
wrong (a shared tab, a cache, a bug), and then nothing of the input is used. One whose subject cannot be told is left out.
"""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from fhir_profiles.addresses import base_of, server_of, servers_of
from fhir_profiles.elements import Element, objects
from fhir_profiles.record import Issue
from fhir_profiles.resources import Collection, type_and_id
from fhir_profiles.sentences import say

ANOTHER_PATIENT = say("belongs to another patient; data of another patient is among the input, so nothing was evaluated")
"""The problem of every issue that reports a mismatch; never says who the other patient is."""

_SUBJECTS = ("subject", "patient", "beneficiary", "individual", "candidate")
"""Members of a resource that name whom it is about; the last three are those of Coverage, ResearchSubject, EnrollmentRequest."""

_NOT_PEOPLE = {"Device", "Location"}


class Whose(Enum):
    """Whom a reference to a subject means."""

    OURS = auto()
    ANOTHERS = auto()
    SET_ASIDE = auto()  # another Patient of a Bundle that was sent on purpose with several
    NOT_A_PERSON = auto()
    UNCLEAR = auto()


def is_mismatch(issue: Issue) -> bool:
    """Whether an issue says that data of another patient is among the input."""
    return issue.problem == ANOTHER_PATIENT


@dataclass(slots=True)
class Identity:
    """The patient that the input is about.

    Args:
        patient_id: FHIR id of the patient; None where nothing in the input names one.
        collection: the input.
        patient: the Patient resource, if it was sent.
        set_aside: ids of other Patients whose resources are to be left out.
        servers: base URLs under which the patient has this id; empty where that is not known.
    """

    patient_id: str | None
    collection: Collection
    patient: Element | None = None
    set_aside: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    _judged: dict[str, Whose] = field(default_factory=dict)

    def whose(self, reference: object, container: Element) -> Whose:
        """Whom a Reference means.

        Only a literal reference counts: an identifier or a display alone could be anybody's (SAF-02).

        Args:
            reference: a FHIR Reference.
            container: the resource that holds it, for `#id`.
        """
        text = reference.get("reference") if isinstance(reference, dict) else None
        if type(text) is not str:
            return Whose.UNCLEAR
        verdict = self._judged.get(text)
        if verdict is None:
            if text.startswith("#"):
                return self._whose_contained(text, container)
            verdict = self._judged[text] = self._judge(text)
        return verdict

    def owner(self, resource: Element) -> Whose | None:
        """Whose resource it is; None where it names no subject at all (a Medication, an Organization)."""
        content = resource.content
        owner = None
        for name in _SUBJECTS:
            if name not in content or (subject := content[name]) is None:
                continue
            for reference in subject if isinstance(subject, list) else (subject,):
                verdict = self.whose(reference, resource)
                if verdict is Whose.ANOTHERS:
                    return verdict
                owner = verdict if owner is None or owner is verdict else Whose.UNCLEAR
        if "contained" in content and self._contains_anothers(resource):
            return Whose.ANOTHERS
        return owner

    def _judge(self, text: str) -> Whose:
        """By what the reference resolves to and by what is written in it; where these differ, it is not ours."""
        named, written = named_resource(text, self.collection), type_and_id(text)
        if named is None:
            return Whose.UNCLEAR
        people = {identity for kind, identity in (named, written or named) if kind == "Patient"}
        if not people:
            return Whose.NOT_A_PERSON if named[0] in _NOT_PEOPLE else Whose.UNCLEAR
        if people != {self.patient_id}:
            return Whose.SET_ASIDE if people <= self.set_aside else Whose.ANOTHERS
        return Whose.OURS if named[0] == "Patient" and not self.is_elsewhere(text) else Whose.UNCLEAR

    def is_elsewhere(self, url: str) -> bool:
        """Whether a URL is an address on a server that is not one of the patient's."""
        base = server_of(url)
        return bool(self.servers) and base is not None and base not in self.servers

    def came_from_elsewhere(self) -> frozenset[str]:
        """References of the resources whose address is on another server, if some are on the patient's.

        If none is, the server writes an inner address of its own, as servers behind a proxy do.
        """
        servers = servers_of(self.collection.links)
        addressed = set(servers.values()) - {None}
        if addressed <= self.servers or addressed.isdisjoint(self.servers):
            return frozenset()
        strange = addressed - self.servers
        return frozenset(reference for url, reference in self.collection.links.items() if servers[url] in strange)

    def _whose_contained(self, text: str, container: Element) -> Whose:
        """A contained Patient has no identity of its own: its business identifiers decide, else its id."""
        contained = self.collection.find(text, container)
        if contained is None or contained.type != "Patient":
            return Whose.NOT_A_PERSON if contained and contained.type in _NOT_PEOPLE else Whose.UNCLEAR
        ours = _identifiers(self.patient) if self.patient else set()
        theirs = _identifiers(contained)
        if ours & theirs:
            return Whose.OURS
        if {system for system, _ in ours} & {system for system, _ in theirs}:
            return Whose.ANOTHERS
        if ours and theirs:
            return Whose.UNCLEAR
        return Whose.OURS if contained.content.get("id") == self.patient_id else Whose.UNCLEAR

    def _contains_anothers(self, resource: Element) -> bool:
        """Whether a contained resource is somebody else's; only a specimen may be, a donor's (SAF-04)."""
        return any(
            self.whose(reference, resource) is Whose.ANOTHERS
            for content in objects(resource.content.get("contained"))
            if content.get("resourceType") != "Specimen"
            for name in _SUBJECTS
            for reference in objects(content.get(name))
        )


@dataclass(slots=True)
class Sorted:
    """The input, sorted by patient.

    Args:
        identity: the patient.
        own: resources of the patient, and those without a subject.
        unclear: resources that should name their patient and do not, or not so that it can be told.
        mismatches: one issue for each resource of another patient; if there is one, nothing may be used.
    """

    identity: Identity
    own: list[Element] = field(default_factory=list)
    unclear: list[Element] = field(default_factory=list)
    mismatches: list[Issue] = field(default_factory=list)


def sort_by_patient(
    collection: Collection,
    patient_id: str | None,
    several_patients: bool,
    needs_subject: Container[str],
    servers: Iterable[str] = (),
) -> Sorted:
    """Find out who the patient is and which resources are the patient's.

    Args:
        collection: the input.
        patient_id: the FHIR id that the caller expects; None to take it from the Patient, else from the subjects.
        several_patients: the input holds other Patients on purpose; their resources are left out instead of refused.
        needs_subject: resource types that cannot be used without a subject.
        servers: base URLs under which the patient has the id `patient_id`; none where that is not known.
    """
    patients = [element for element in collection if element.type == "Patient"]
    others = [element for element in collection if element.type != "Patient"]
    superseded = collection.superseded
    ids = {name for one in (*patients, *superseded) if one.type == "Patient" and (name := id_of_patient(one))}
    expected = patient_id
    if expected is None:
        expected = min(ids) if len(ids) == 1 else None if ids else _commonest_subject([*collection, *superseded], collection)
    set_aside = frozenset(ids - {expected}) if several_patients else frozenset()
    known = frozenset(base for server in servers if (base := base_of(server)))
    identity = Identity(expected, collection, None, set_aside, known)
    result, elsewhere = Sorted(identity), identity.came_from_elsewhere() if known else frozenset()
    for patient in patients:
        is_alone = patient_id is None and len(patients) == 1
        _place_patient(patient, result, is_alone, is_elsewhere=patient.reference in elsewhere)
    if any(identity.whose({"reference": url}, patient) is Whose.ANOTHERS for patient, url in _addresses(result)):
        result.mismatches.append(Issue("Patient", ANOTHER_PATIENT))
    for element in others:
        owner = identity.owner(element)
        if owner is Whose.OURS and element.reference not in elsewhere:
            result.own.append(element)
        else:
            _place(element, owner, result, needs_subject)
    for element in superseded:
        if element.type == "Patient":
            _refuse_other_patient(element, result)
        elif result.identity.owner(element) is Whose.ANOTHERS:
            result.mismatches.append(Issue(element.reference, ANOTHER_PATIENT))
    return result


def id_of_patient(patient: Element) -> str | None:
    """A Patient's id; in a transaction Bundle, where it has none yet, what its `fullUrl` ends with."""
    identity = patient.content.get("id")
    if isinstance(identity, str) and identity:
        return identity
    named = named_resource(patient.reference)
    return named[1] if named else None


def patient_named_by(resource: Element, collection: Collection | None = None) -> str | None:
    """The FHIR id of the patient that a resource is about, or None where it names none that can be told.

    Args:
        resource: a Patient, or a resource with a subject; of several subjects the first that names a Patient counts here, and
            `sort_by_patient` refuses the resource for that patient if another one differs.
        collection: the input, for references by `fullUrl`.
    """
    if resource.type == "Patient":
        return id_of_patient(resource)
    for subject in _SUBJECTS:
        for reference in objects(resource.content.get(subject)):
            text = reference.get("reference")
            named = named_resource(text, collection) if type(text) is str else None
            if named and named[0] == "Patient" and named[1]:
                return named[1]
    return None


def named_resource(reference: str, collection: Collection | None = None) -> tuple[str, str] | None:
    """Type and id of what a subject reference names, or None where it names nothing that can be told.

    A `urn:` that no `fullUrl` resolves is read as the id of a Patient: it names somebody, and that is not nobody.
    """
    text = reference.strip()
    if collection is not None:
        text = collection.links.get(text, text)
        if found := collection.named.get(text):
            return found.type, (id_of_patient(found) or "") if found.type == "Patient" else ""
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return "Patient", text.rpartition(":")[2]
    return type_and_id(text)


def _addresses(result: Sorted) -> list[tuple[Element, str]]:
    """The addresses at which our Patient was sent; an address may name somebody else."""
    patient, links = result.identity.patient, result.identity.collection.links
    return [(patient, url) for url, reference in links.items() if reference == patient.reference] if patient else []


def _place_patient(patient: Element, result: Sorted, is_alone: bool, is_elsewhere: bool) -> None:
    """A Patient without any id is taken for ours only if nobody was asked for by id and there is no other."""
    name = id_of_patient(patient)
    if (name is None and not is_alone) or (is_elsewhere and name == result.identity.patient_id):
        result.unclear.append(patient)
    elif name is None or name == result.identity.patient_id:
        result.identity.patient = patient
    else:
        _refuse_other_patient(patient, result)


def _refuse_other_patient(patient: Element, result: Sorted) -> None:
    name, identity = id_of_patient(patient), result.identity
    if name not in (None, identity.patient_id) and name not in identity.set_aside:
        result.mismatches.append(Issue("Patient", ANOTHER_PATIENT))


def _place(element: Element, owner: Whose | None, result: Sorted, needs_subject: Container[str]) -> None:
    """Where to put what is not plainly our patient's; what says so and came from another server is not."""
    if owner is Whose.ANOTHERS:
        result.mismatches.append(Issue(element.reference, ANOTHER_PATIENT))
    elif owner is None and element.type not in needs_subject:
        result.own.append(element)
    elif owner is Whose.SET_ASIDE or element.type not in needs_subject:
        return
    elif owner is Whose.NOT_A_PERSON:
        element.report("subject", say("is not a person; the resource was set aside"))
    else:
        result.unclear.append(element)


def _commonest_subject(elements: list[Element], collection: Collection) -> str | None:
    """The id that most subjects name (of equals the first by name): the others are then reported as mismatches."""
    names: Counter[str] = Counter()
    for element in elements:
        for subject in _SUBJECTS:
            for reference in objects(element.content.get(subject)):
                text = reference.get("reference")
                named = named_resource(text, collection) if isinstance(text, str) else None
                if named and named[0] == "Patient":
                    names[named[1]] += 1
    return min(names, key=lambda name: (-names[name], name), default=None)


def _identifiers(patient: Element) -> set[tuple[str, str]]:
    """Business identifiers as (system, value)."""
    return {
        (system, value)
        for identifier in objects(patient.content.get("identifier"))
        if isinstance(system := identifier.get("system"), str) and isinstance(value := identifier.get("value"), str)
    }
