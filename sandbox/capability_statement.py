"""What the FHIR API says about itself (https://hl7.org/fhir/R4/capabilitystatement.html): what it can, and nothing else."""

from datetime import date

from sandbox.fhir_parts import HL7, Json
from sandbox.resource_types import PATIENT_OF, WRITABLE
from sandbox.search_parameters import INCLUDES, PARAMETERS

_READING = ("read", "search-type")
_WRITING = ("create", "update", "delete")
_BULK_DATA = "http://hl7.org/fhir/uv/bulkdata"


def capability_statement(base: str, today: date, *, needs_token: bool) -> Json:
    """The CapabilityStatement.

    Args:
        base: URL of the API.
        today: its date.
        needs_token: whether SMART access tokens are asked for.
    """
    smart = {"coding": [{"system": f"{HL7}/restful-security-service", "code": "SMART-on-FHIR"}], "text": "SMART on FHIR"}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "kind": "instance",
        "implementation": {"description": "The sandbox of myositis-cds: synthetic patients", "url": base},
        "fhirVersion": "4.0.1",
        "instantiates": [f"{_BULK_DATA}/CapabilityStatement/bulk-data"],
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": True} | ({"service": [smart]} if needs_token else {}),
                "resource": [*(_resource(resource_type) for resource_type in PARAMETERS), _GROUP],
                "operation": [_operation("export")],
            }
        ],
    }


def _resource(resource_type: str) -> Json:
    interactions = _READING + (_WRITING if resource_type in WRITABLE else ())
    described: Json = {
        "type": resource_type,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned" if resource_type in PATIENT_OF else "no-version",
        "updateCreate": resource_type in WRITABLE,
        "searchParam": [{"name": name, "type": known.kind} for name, known in PARAMETERS[resource_type].items()],
    }
    includes = INCLUDES.get(resource_type)
    exported = {"operation": [_operation("patient-export")]} if resource_type == "Patient" else {}
    return described | ({"searchInclude": list(includes)} if includes else {}) | exported


def _operation(name: str) -> Json:
    """`$export`, as Bulk Data Access defines it for everything, for patients, and for groups."""
    return {"name": "export", "definition": f"{_BULK_DATA}/OperationDefinition/{name}"}


_GROUP: Json = {
    "type": "Group",
    "interaction": [{"code": code} for code in _READING],
    "versioning": "no-version",
    "updateCreate": False,
    "searchParam": [{"name": "_id", "type": "token"}],
    "operation": [_operation("group-export")],
}
