"""Hook calls as they are sent: each with a hook instance of its own, and the orders being written where the hook is about
them."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import orjson

from benchmarks.bodies import PATIENT_ID, hook_call

PATIENT_VIEW = "/cds-services/myositis-patient-view"
ORDER_SELECT = "/cds-services/myositis-order-select"

SMALL, TYPICAL, LARGE = 15, 250, 3_000
"""Resources of a body."""

_SYSTEM, _METHOTREXATE = "http://www.nlm.nih.gov/research/umls/rxnorm", "6851"


@dataclass(frozen=True, slots=True)
class Sent:
    """The body of a hook call, and where in it the instance stands.

    Args:
        path: of the service.
        body: JSON.
        slot: place of the first byte of the hook instance.
    """

    path: str
    body: bytes
    slot: int

    def fresh(self, number: int) -> bytes:
        """The same call with another instance.

        Args:
            number: from 0.
        """
        instance = str(UUID(int=number)).encode()
        return self.body[: self.slot] + instance + self.body[self.slot + len(instance) :]


@cache
def patient_view(resources: int) -> Sent:
    """A chart that is opened.

    Args:
        resources: how many, the patient included.
    """
    return _sent(PATIENT_VIEW, hook_call(resources))


@cache
def order_select(resources: int) -> Sent:
    """The same chart while methotrexate is being written, and was just selected."""
    call = orjson.loads(hook_call(resources))
    draft = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "medicationCodeableConcept": {"coding": [{"system": _SYSTEM, "code": _METHOTREXATE}]},
    }
    call["hook"] = "order-select"
    call["context"] |= {
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]},
        "selections": ["MedicationRequest/draft"],
    }
    return _sent(ORDER_SELECT, orjson.dumps(call))


@cache
def without_prefetch(resources: int, fhir_server: str) -> Sent:
    """The same chart, of which nothing is sent: all of it has to be fetched.

    Args:
        resources: as for `patient_view`.
        fhir_server: base URL of where it is.
    """
    call = orjson.loads(hook_call(resources))
    del call["prefetch"]
    return _sent(PATIENT_VIEW, orjson.dumps(call | {"fhirServer": fhir_server}))


@cache
def with_server(resources: int, fhir_server: str) -> Sent:
    """The same chart, sent whole, with every key that would otherwise be fetched."""
    call = orjson.loads(hook_call(resources))
    call["prefetch"] |= {key: empty() for key in ("medicationStatements", "medicationAdministrations", "allergyIntolerances")}
    return _sent(PATIENT_VIEW, orjson.dumps(call | {"fhirServer": fhir_server}))


def empty() -> dict[str, object]:
    """A searchset without matches."""
    return {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}


def _sent(path: str, body: bytes) -> Sent:
    begin = b'"hookInstance":"'
    return Sent(path, body, body.index(begin) + len(begin))
