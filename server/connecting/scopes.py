"""The SMART scopes that the prefetch queries need, in both spellings (conformance T-3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.cds_hooks.prefetch import Template


@dataclass(frozen=True, slots=True)
class Scope:
    """What must be granted for one resource type.

    Args:
        resource_type: FHIR type.
        v1: as SMART 1 spells it, CDS Hooks up to 2.0.1.
        v2: as SMART 2 spells it, CDS Hooks 3.0: `r` reads by id, `s` searches.
    """

    resource_type: str
    v1: str
    v2: str


def scopes_for(templates: Iterable[Template]) -> tuple[Scope, ...]:
    """One scope to each resource type, in the order of the templates.

    Args:
        templates: the queries; one without a sort order reads by id.
    """
    permissions: dict[str, str] = {}
    for template in templates:
        own = "r" if template.sort is None else "rs"  # a search is paged by reading on
        permissions[template.resource_type] = max(own, permissions.get(template.resource_type, own), key=len)
    return tuple(Scope(kind, f"patient/{kind}.read", f"patient/{kind}.{own}") for kind, own in permissions.items())
