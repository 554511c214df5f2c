"""Which HTTP status, when, and what the body of a refusal says."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.server.answers import diagnostics
from tests.server.charts import HEALTHY, Json, chart, dermatomyositis, hook_call, order_call, prefetch_of, searchset

VIEW = "/cds-services/myositis-patient-view"
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
CANARY = "Erika-Mustermann-1964"


@pytest.mark.requirement("H-1", "C-1", "C-2", "X-29")
def test_a_patient_about_whom_there_is_nothing_to_say_is_200_with_an_empty_list(client: FlaskClient) -> None:
    response = client.post(VIEW, json=hook_call(HEALTHY, prefetch_of(chart(HEALTHY))))
    assert (response.status_code, response.get_data()) == (200, b'{"cards":[]}')


@pytest.mark.requirement("H-1", "R-12", "R-18")
@pytest.mark.parametrize("nothing", [None, searchset([])])
def test_a_patient_who_has_no_such_data_is_never_412(client: FlaskClient, nothing: Json | None) -> None:
    assert client.post(VIEW, json=hook_call("p1", {"conditions": nothing})).status_code == 200


@pytest.mark.requirement("H-2", "R-18", "R-13", "H-6", "H-5")
@pytest.mark.parametrize(
    "prefetch",
    [
        pytest.param({}, id="absent"),
        pytest.param({"conditions": ERROR}, id="an error as the value"),
        pytest.param({"conditions": searchset([ERROR])}, id="an error among the entries"),
        pytest.param({"conditions": {"resourceType": "Patient", "id": "p1"}}, id="of the wrong type"),
    ],
)
def test_what_cannot_be_looked_at_is_412_and_the_key_is_named(client: FlaskClient, prefetch: Json) -> None:
    response = client.post(VIEW, json=hook_call("p1", prefetch))
    assert response.status_code == 412
    assert response.get_json()["issue"][0]["code"] == "required"
    assert "conditions" in diagnostics(response.get_json())


@pytest.mark.requirement("H-7", "R-13", "T-9")
@pytest.mark.parametrize("reports", [ERROR, searchset([ERROR])])
def test_what_can_be_looked_at_in_part_is_200_and_says_what_could_not_be_assessed(client: FlaskClient, reports: Any) -> None:
    none = {"observations": None, "procedures": None, "serviceRequests": None}
    response = client.post(VIEW, json=hook_call("p1", dermatomyositis() | none | {"diagnosticReports": reports}))
    assert response.status_code == 200
    assert "could not be assessed" in response.text


@pytest.mark.requirement("H-4", "H-5", "IN-05", "IN-06", "IN-11")
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        pytest.param("POST", VIEW, b"{", {}, 400, id="not JSON"),
        pytest.param("POST", VIEW, b"{}", {}, 400, id="no hook"),
        pytest.param("POST", "/cds-services/unknown", b"{}", {}, 404, id="unknown service"),
        pytest.param("GET", VIEW, b"", {}, 405, id="wrong method"),
        pytest.param("POST", VIEW, b'"' + b"a" * 1024 * 1024 + b'"', {}, 413, id="too long"),
        pytest.param("POST", VIEW, b"{}", {"Content-Type": "text/plain"}, 415, id="not said to be JSON"),
        pytest.param("POST", VIEW, b"{}", {"Content-Encoding": "gzip"}, 415, id="compressed"),
    ],
)
def test_other_statuses_mean_what_http_means_by_them(
    client: FlaskClient, method: str, path: str, body: bytes, headers: Json, status: int
) -> None:
    response = client.open(path, method=method, data=body, headers={"Content-Type": "application/json"} | headers)
    assert response.status_code == status
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("H-6", "ERR-01")
@pytest.mark.parametrize(
    "body",
    [
        hook_call(CANARY, {}),
        hook_call("p1", {CANARY: ERROR}),
        hook_call("p1", {"conditions": CANARY}),
        hook_call("p1", {}, hook=CANARY),
        hook_call("p1", {}, hookInstance={CANARY: CANARY}),
        hook_call("p1", dermatomyositis(CANARY)),
        order_call("order-sign", "p1", {}, [CANARY]),
    ],
)
def test_no_refusal_says_a_value(client: FlaskClient, body: Json) -> None:
    response = client.post(VIEW, json=body)
    assert response.status_code in (400, 412)
    assert CANARY not in response.text


@pytest.mark.requirement("L-5", "HDR-01")
@pytest.mark.parametrize("body", [hook_call("p1", dermatomyositis()), hook_call("p1", {}), {}])
def test_no_cache_keeps_an_answer_or_a_refusal(client: FlaskClient, body: Json) -> None:
    assert client.post(VIEW, json=body).headers["Cache-Control"] == "no-store"


# --- drafts, as K-3, K-6 and K-7 describe them

METHOTREXATE = {
    "resourceType": "MedicationRequest",
    "id": "d1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6851"}]},
}
MEDICATION = {
    "resourceType": "Medication",
    "id": "m1",
    "code": METHOTREXATE["medicationCodeableConcept"],
}
REFERRING = {name: value for name, value in METHOTREXATE.items() if name != "medicationCodeableConcept"} | {
    "medicationReference": {"reference": "Medication/m1"}
}


def signing(*drafts: Json, **bundle: Any) -> Json:
    resources = {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]} | bundle
    return order_call("order-sign", "p1", dermatomyositis(), resources)


def topics(client: FlaskClient, body: Json) -> set[str]:
    response = client.post(f"/cds-services/myositis-{body['hook']}", json=body)
    assert response.status_code == 200
    return {card["source"]["topic"]["code"] for card in response.get_json()["cards"]}


@pytest.mark.requirement("K-3")
def test_an_order_that_is_revised_is_advised_on_like_a_draft(client: FlaskClient) -> None:
    assert "drugSafety" in topics(client, signing(METHOTREXATE | {"status": "active"}))


@pytest.mark.requirement("K-5")
@pytest.mark.parametrize("bundle", [{}, {"type": "collection"}, {"type": "batch"}])
def test_the_type_of_the_bundle_decides_nothing(client: FlaskClient, bundle: Json) -> None:
    assert "drugSafety" in topics(client, signing(METHOTREXATE, **bundle))


@pytest.mark.requirement("K-6")
@pytest.mark.parametrize("kind", ["NutritionOrder", "DeviceRequest", "VisionPrescription", "CommunicationRequest", "Task"])
def test_orders_of_other_kinds_are_passed_over(client: FlaskClient, kind: str) -> None:
    subject = {"subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p1"}}
    other = {"resourceType": kind, "id": "o1", "status": "draft", "intent": "order", **subject}
    assert topics(client, signing(METHOTREXATE, other)) == topics(client, signing(METHOTREXATE)) != set()


@pytest.mark.requirement("K-7")
def test_a_medication_beside_the_draft_names_its_drug_and_is_no_order(client: FlaskClient) -> None:
    assert "drugSafety" in topics(client, signing(REFERRING, MEDICATION))
    assert topics(client, signing(MEDICATION)) == set()


@pytest.mark.requirement("K-4")
def test_the_advice_is_about_the_orders_that_are_selected(client: FlaskClient) -> None:
    other = METHOTREXATE | {"id": "d2", "medicationCodeableConcept": {"text": "paracetamol"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": METHOTREXATE}, {"resource": other}]}
    body = order_call("order-select", "p1", dermatomyositis(), bundle, selections=["MedicationRequest/d2"])
    assert "drugSafety" not in topics(client, body)
    body["context"]["selections"] = ["MedicationRequest/d1"]
    assert "drugSafety" in topics(client, body)
