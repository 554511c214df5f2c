"""What an access token lets its bearer do: SMART scopes, v1 and v2, held against one interaction with one resource.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. A scope for `patient/` covers what is about the patient of
the token; one for `user/` or `system/` every patient of this EHR. A query of a v2 scope, as in
`patient/Observation.rs?category=laboratory`, narrows it to what the query finds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from sandbox.bundles import Json
from sandbox.resource_types import PATIENT_OF, patient_of
from sandbox.search import UnsupportedQueryError, matching

INTERACTIONS = {"create": "c", "read": "r", "update": "u", "delete": "d", "search-type": "s"}
"""The letter that a v2 scope has for an interaction of the CapabilityStatement."""

_SCOPE = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>[A-Za-z]+|\*)\.(?P<may>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>.+))?",
    re.ASCII,
)
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope for resources.

    Args:
        level: `patient`, `user` or `system`.
        resource_type: a FHIR type, or `*`.
        letters: of the interactions, out of `cruds`.
        query: narrows it; empty for no narrowing.
    """

    level: str
    resource_type: str
    letters: str
    query: str = ""

    def allows(self, resource_type: str, letter: str) -> bool:
        """Whether it is about that type and that interaction at all."""
        return self.resource_type in (resource_type, "*") and letter in self.letters

    def covers(self, other: "Scope") -> bool:
        """Whether everything that another scope allows is allowed by this one too."""
        return (
            self.level == other.level
            and self.resource_type in (other.resource_type, "*")
            and set(other.letters) <= set(self.letters)
            and self.query in ("", other.query)
        )


def read_scope(text: str) -> Scope | None:
    """A scope for resources; None for any other, such as `openid`, and for one that is spelled wrongly."""
    read = _SCOPE.fullmatch(text)
    if read is None:
        return None
    return Scope(read["level"], read["type"], _V1.get(read["may"], read["may"]), read["query"] or "")


@dataclass(frozen=True, slots=True)
class Access:
    """What a token grants.

    Args:
        scopes: as granted.
        patient: the patient of the token; None for a token without.
        user: reference of the Practitioner, `Practitioner/…`; empty for a system.
        client_id: who holds it.
        expires: seconds since 1970.
    """

    scopes: tuple[str, ...]
    patient: str | None = None
    user: str = ""
    client_id: str = ""
    expires: float = field(default=float("inf"))

    def allows(self, interaction: str, resource: Json) -> bool:
        """Whether this interaction with this very resource is covered.

        Args:
            interaction: a key of `INTERACTIONS`.
            resource: the resource, as it is or as it is to be.
        """
        resource_type = resource["resourceType"]
        if interaction == "read" and f"{resource_type}/{resource.get('id')}" == self.user and "fhirUser" in self.scopes:
            return True
        return any(self._within(scope, resource) for scope in self._for(interaction, resource_type))

    def allows_type(self, interaction: str, resource_type: str) -> bool:
        """Whether any resource of the type may be covered."""
        return any(True for _ in self._for(interaction, resource_type))

    @property
    def is_of_system(self) -> bool:
        """Whether a system holds it for itself: no user is logged in, and no patient was chosen."""
        return not self.user and self.patient is None

    def may_export(self, resource_type: str) -> bool:
        """Whether a system may read and search resources of the type (Bulk Data Access 2.0, "Privacy and Security
        Considerations": scopes that cover all that is exported); a user's token exports nothing."""
        return any(True for _ in self._exporting(resource_type))

    def exports(self, resource: Json) -> bool:
        """Whether this very resource is covered: a scope with a query covers what the query finds."""
        return any(not scope.query or _finds(scope.query, resource) for scope in self._exporting(resource["resourceType"]))

    def is_about_another(self, patient_ids: Iterable[str]) -> bool:
        """Whether somebody else than the patient of the token is named, with no scope that reaches further."""
        further = any(scope.level != "patient" for scope in self._read())
        return not further and any(patient_id != self.patient for patient_id in patient_ids)

    def _read(self) -> Iterator[Scope]:
        yield from filter(None, map(read_scope, self.scopes))

    def _exporting(self, resource_type: str) -> Iterator[Scope]:
        found = self._read() if self.is_of_system else ()
        return (one for one in found if one.level == "system" and all(one.allows(resource_type, letter) for letter in "rs"))

    def _for(self, interaction: str, resource_type: str) -> Iterator[Scope]:
        return (scope for scope in self._read() if scope.allows(resource_type, INTERACTIONS[interaction]))

    def _within(self, scope: Scope, resource: Json) -> bool:
        about_patients = resource["resourceType"] in PATIENT_OF or "subject" in resource
        is_patients = self.patient is not None and patient_of(resource) == self.patient
        if scope.level == "patient" and about_patients and not is_patients:
            return False
        return not scope.query or _finds(scope.query, resource)


def _finds(query: str, resource: Json) -> bool:
    """Whether a search with this query would find the resource; a query that this EHR does not know finds nothing."""
    try:
        return bool(matching(resource["resourceType"], parse_qsl(query), [resource]))
    except UnsupportedQueryError:
        return False


EVERYTHING = Access(scopes=("system/*.cruds",))
"""Whoever uses an open API."""
