"""Bundles: what is in them, and how one of several patients is parted.

That takes time that grows with the size of the Bundle, and of what may be anybody's in it once more for each patient, who gets
all of that.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.elements import objects
from fhir_profiles.reader import RESOURCE_TYPES
from fhir_profiles.resources import type_and_id

Json = dict[str, Any]

_OF_THE_WHOLE = RESOURCE_TYPES | {"OperationOutcome"}
"""Of these what names no patient concerns all: whose it is cannot be told, or it speaks of the Bundle."""


def unwrapped(resources: Iterable[Json]) -> Iterator[Json]:
    """The resources, and those in Bundles among them."""
    for resource in resources:
        if resource.get("resourceType") == "Bundle":
            yield from (one for entry in entries_of(resource) if isinstance(one := entry.get("resource"), dict))
        else:
            yield resource


def entries_of(bundle: Json) -> Iterator[Json]:
    """The entries of a Bundle, and those of Bundles inside it."""
    waiting = [bundle]
    while waiting:
        for entry in objects(waiting.pop().get("entry")):
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
                waiting.append(resource)
            else:
                yield entry


def by_patient(bundle: Json, owners: Mapping[int, str | None]) -> dict[str, Json]:
    """A Bundle for each patient, of what is about this patient, or about nobody and named by it or of concern to all.

    The order of entries stays, and so does what they are called elsewhere (`fullUrl`).

    Args:
        bundle: of several patients.
        owners: patient, or None, by the identity of each resource.
    """
    entries = list(entries_of(bundle))
    own: dict[str, list[int]] = defaultdict(list)
    for_all: list[int] = []
    by_reference = _ByReference(entries)
    for number, entry in enumerate(entries):
        resource = entry.get("resource")
        patient = owners.get(id(resource))
        if patient is not None:
            own[patient].append(number)
        elif isinstance(resource, dict) and isinstance(kind := resource.get("resourceType"), str) and kind not in _OF_THE_WHOLE:
            by_reference.add(number)
        else:
            for_all.append(number)
    shared = by_reference.reached_from(for_all)
    head = {"resourceType": "Bundle", "type": "collection"}
    links = {"link": bundle["link"]} if "link" in bundle else {}
    return {
        patient: head | {"entry": [entries[one] for one in sorted(by_reference.reached_from(numbers) | shared)]} | links
        for patient, numbers in sorted(own.items())
    }


@dataclass(slots=True)
class _ByReference:
    """Entries about nobody, such as drugs, that count for whoever names them.

    Args:
        entries: of the Bundle.
    """

    entries: list[Json]
    _named: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int) -> None:
        entry = self.entries[number]
        resource = entry["resource"]
        if isinstance(url := entry.get("fullUrl"), str):
            self._named[url].append(number)
        self._named[f"{resource['resourceType']}/{resource.get('id')}"].append(number)

    def reached_from(self, numbers: Iterable[int]) -> set[int]:
        """These entries, what they name, and what that names."""
        waiting = list(numbers)
        reached = set(waiting)
        while waiting and self._named:
            for text in _references(self.entries[waiting.pop()]):
                for name in {text, "/".join(type_and_id(text) or ())}:
                    new = [number for number in self._named.get(name, ()) if number not in reached]
                    reached.update(new)
                    waiting += new
        return reached


def _references(value: Any) -> Iterator[str]:
    """Every `reference` in a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(text := one.get("reference"), str):
                yield text
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
