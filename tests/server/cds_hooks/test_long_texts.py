"""Texts as long as a body may be: time grows no faster than they do (IN-13)."""

from time import process_time

import pytest
from flask.testing import FlaskClient

from tests.server.charts import dermatomyositis, hook_call, searchset

LENGTH = 60_000
SECONDS = 5
"""Reading such texts takes some hundredths; steps that grow with the square of the length would take minutes."""

PIECES = [
    *("a", " ", "\n", "-", "(", "_", "**", "[](", "<b>", "//", "1.", "1,", "2026-", "https://x "),
    *("no ", "not anti-Jo-1 ", "no history of ", "suspected, ", "dermatomyositis ", "negative for "),
]

ME = {"reference": "Patient/p1"}


@pytest.mark.requirement("IN-13")
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_anywhere_is_read_in_a_moment(client: FlaskClient, piece: str) -> None:
    text = (piece * LENGTH)[:LENGTH]
    prefetch = dermatomyositis()
    about = {"subject": ME, "code": {"text": text}}
    prefetch["conditions"]["entry"].append({"resource": {"resourceType": "Condition", "id": "c", "recordedDate": text} | about})
    creatine_kinase = {"coding": [{"system": "http://loinc.org", "code": "2157-6"}]}
    result = {"valueString": text, "effectiveDateTime": text, "code": creatine_kinase}
    prefetch["observations"] = searchset([{"resourceType": "Observation", "id": "o", "status": "final"} | about | result])
    drug = {"medicationCodeableConcept": {"text": text}, "dosageInstruction": [{"text": text}]}
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": ME}
    prefetch["medicationRequests"] = searchset([order | drug])
    before = process_time()
    response = client.post("/cds-services/myositis-patient-view", json=hook_call("p1", prefetch))
    assert process_time() - before < SECONDS
    assert response.status_code == 200
