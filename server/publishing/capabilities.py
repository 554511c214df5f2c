"""The CapabilityStatement at `/fhir/metadata`: what this server publishes as FHIR R4."""

from collections.abc import Iterable
from typing import Any

from cards.knowledge import KNOWLEDGE_RELEASE
from fhir_profiles.systems import CANONICAL
from server.build_information import software_version
from server.publishing.fhir_search import PARAMETERS

Json = dict[str, Any]

_ABOUT = "The clinical knowledge of myositis-cds, read-only: what its CDS Hooks cards are made from. No patient data."


def capability_statement(types: Iterable[str]) -> Json:
    """The CapabilityStatement.

    Args:
        types: resource types that are published.
    """
    return {
        "resourceType": "CapabilityStatement",
        "id": "knowledge",
        "url": f"{CANONICAL}/CapabilityStatement/knowledge",
        "version": software_version(),
        "name": "MyositisCdsKnowledge",
        "title": "The knowledge of myositis-cds",
        "status": "active",
        "experimental": True,
        "date": KNOWLEDGE_RELEASE.replace(".", "-"),
        "publisher": "myositis-cds",
        "description": _ABOUT,
        "kind": "instance",
        "software": {"name": "myositis-cds", "version": software_version()},
        "implementation": {"description": _ABOUT},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [{"mode": "server", "resource": [_resource(kind) for kind in types]}],
    }


def _resource(kind: str) -> Json:
    return {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": type_, "documentation": meaning} for name, (type_, meaning) in PARAMETERS.items()],
    }
