"""Hook calls over HTTP: what an EHR sends, what it gets, and when it is refused."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.application import create_app
from server.assessing.chart_input import evaluate_chart
from server.config import Config
from server.evaluation import PHASES
from tests.server.answers import diagnostics
from tests.server.charts import (
    ANTI_TIF1,
    AS_OF,
    HEALTHY,
    INSTANCE,
    PREFETCH_KEYS,
    Json,
    chart,
    dermatomyositis,
    diagnosis,
    hook_call,
    order_call,
    prefetch_of,
    searchset,
    slugs,
    without_uuids,
)
from tests.server.logged import lines

Call = Callable[[Json], TestResponse]

DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "subject": {"reference": "Patient/p1"},
}


def cards(response: TestResponse) -> list[Json]:
    assert response.status_code == 200
    found: list[Json] = response.get_json()["cards"]
    return found


def by_topic(response: TestResponse) -> dict[str, Json]:
    return {card["source"]["topic"]["code"]: card for card in cards(response)}


def names_of(suggestions: list[Json]) -> str:
    return " ".join(suggestion["label"] for suggestion in suggestions)


# --- the main job


@pytest.mark.parametrize("slug", slugs())
def test_prefetch_gives_the_same_cards_as_the_chart_given_whole(call: Call, slug: str) -> None:
    over_http = cards(call(hook_call(slug, prefetch_of(chart(slug)))))
    whole = evaluate_chart(chart(slug), as_of=AS_OF, patient_id=None).cards
    assert without_uuids(over_http) == without_uuids(list(whole))


def test_even_the_uuids_are_the_same_for_the_same_hook_instance(call: Call) -> None:
    first, again = (cards(call(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))) for _ in range(2))
    assert first == again


@pytest.mark.requirement("P-14", "R-16")
def test_a_whole_chart_under_one_key_of_its_own_is_read_too(call: Call) -> None:
    split = call(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
    whole = call(hook_call(ANTI_TIF1, {"everything": chart(ANTI_TIF1)}))
    assert cards(whole) == cards(split) != []


@pytest.mark.requirement("C-2", "H-1")
def test_a_patient_without_myositis_gets_an_empty_list_of_cards(call: Call) -> None:
    response = call(hook_call(HEALTHY, prefetch_of(chart(HEALTHY))))
    assert response.get_json() == {"cards": []}


def test_an_empty_problem_list_is_an_answer_not_a_gap(call: Call) -> None:
    assert call(hook_call("p1", {"conditions": None})).get_json() == {"cards": []}


@pytest.mark.requirement("H-7", "P-11", "SAF-08")
def test_with_patient_problems_and_prescriptions_alone_it_still_advises_and_says_what_is_missing(call: Call) -> None:
    minimal = prefetch_of(chart(ANTI_TIF1), only=("Patient", "Condition", "MedicationRequest"))
    found = by_topic(call(hook_call(ANTI_TIF1, minimal)))
    assert {"nextLineTherapy", "lungFunction", "tumourScreening"} <= set(found)
    assert "in the data supplied" in found["lungFunction"]["summary"]
    missing = found["lungFunction"]["extension"]["org.myositis-cds.explanation"]["missing"]
    assert any("not supplied" in item["text"] for item in missing)


@pytest.mark.requirement("K-1", "IN-12")
def test_the_patients_id_may_come_with_its_type(call: Call) -> None:
    bare = call(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
    typed = call(hook_call(f"Patient/{ANTI_TIF1}", prefetch_of(chart(ANTI_TIF1))))
    assert cards(typed) == cards(bare) != []


def test_the_answer_tells_how_long_each_phase_took(call: Call) -> None:
    response = call(hook_call("p1", dermatomyositis()))
    phases = [item.split(";")[0] for item in response.headers["Server-Timing"].split(", ")]
    assert phases == ["trust", "request", "fetch", "store", *PHASES, "audit"]


# --- input that failed or was cut


@pytest.mark.requirement("H-7", "R-13", "R-15", "OUT-12", "SAF-08")
@pytest.mark.parametrize(
    "reports",
    [
        pytest.param({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}, id="error"),
        pytest.param(searchset([]) | {"link": [{"relation": "next", "url": "https://ehr.example"}]}, id="cut"),
        pytest.param("text", id="no resource"),
    ],
)
def test_where_reports_failed_lung_function_could_not_be_assessed(call: Call, reports: Any) -> None:
    none = {"observations": None, "procedures": None, "serviceRequests": None}
    complete = by_topic(call(hook_call("p1", dermatomyositis() | none | {"diagnosticReports": None})))
    failed = by_topic(call(hook_call("p1", dermatomyositis() | none | {"diagnosticReports": reports})))
    assert "on record" in complete["lungFunction"]["summary"]
    assert "could not be assessed" in failed["lungFunction"]["summary"]


@pytest.mark.requirement("R-18", "H-2", "H-6", "OUT-13")
@pytest.mark.parametrize(
    "prefetch",
    [
        pytest.param(None, id="no prefetch"),
        pytest.param({}, id="empty prefetch"),
        pytest.param({"patient": {"resourceType": "Patient", "id": "p1"}}, id="only the patient"),
        pytest.param(
            {"conditions": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}},
            id="problems failed",
        ),
        pytest.param({"medicationRequests": None, "observations": None}, id="problems not sent"),
    ],
)
def test_no_cards_is_not_said_where_it_would_mean_could_not_look(call: Call, prefetch: Json | None) -> None:
    response = call(hook_call("p1", prefetch))
    assert response.status_code == 412
    assert "prefetch key conditions was not sent or could not be read" in diagnostics(response.get_json())
    assert "allergyIntolerances" in diagnostics(response.get_json())


def test_a_problem_list_that_was_cut_is_used_as_far_as_it_goes(call: Call) -> None:
    cut = dermatomyositis()
    cut["conditions"]["total"] = 99
    assert cards(call(hook_call("p1", cut)))


@pytest.mark.requirement("R-18", "H-6", "H-7")
@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param(searchset([]) | {"total": 3}, id="none of three"),
        pytest.param(searchset([]) | {"link": [{"relation": "next", "url": "https://ehr.example"}]}, id="page without any"),
        pytest.param(searchset([{"resourceType": "Condition", "id": "1"}]) | {"total": 9}, id="one of nine"),
    ],
)
def test_a_problem_list_without_myositis_that_was_cut_is_no_reason_to_say_nothing(call: Call, conditions: Json) -> None:
    everything = dict.fromkeys(PREFETCH_KEYS.values()) | {"conditions": conditions}
    response = call(hook_call("p1", everything))
    assert response.status_code == 412
    assert "could not be read completely" in diagnostics(response.get_json())
    assert call(hook_call("p1", everything | {"conditions": None})).get_json() == {"cards": []}


@pytest.mark.requirement("R-18", "H-6", "H-7")
@pytest.mark.parametrize(
    ("key", "status"), [("medicationStatements", 412), ("allergyIntolerances", 200), ("serviceRequests", 200)]
)
def test_of_somebody_fully_cared_for_no_cards_are_said_only_where_nothing_is_open(call: Call, key: str, status: int) -> None:
    """Where what failed leaves a question that no card mentions, no cards would mean that it was looked into."""
    slug = "dermatomyositis-fully-cared-for"
    whole = dict.fromkeys(PREFETCH_KEYS.values()) | prefetch_of(chart(slug))
    assert cards(call(hook_call(slug, whole))) == []
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    response = call(hook_call(slug, whole | {key: failed}))
    assert response.status_code == status
    if status == 412:
        assert key in diagnostics(response.get_json())


# --- another patient's data


@pytest.mark.requirement("SAF-01", "LOG-02")
@pytest.mark.parametrize(
    ("key", "foreign"),
    [
        ("conditions", searchset([diagnosis("p1"), diagnosis("other", "foreign")])),
        ("patient", {"resourceType": "Patient", "id": "other"}),
        ("observations", searchset([{"resourceType": "Observation", "id": "1", "subject": {"reference": "Patient/other"}}])),
        ("not-ours", {"resourceType": "Procedure", "id": "1", "subject": {"reference": "https://ehr.example/Patient/other"}}),
    ],
)
def test_data_of_another_patient_stops_the_whole_call(
    call: Call, caplog: pytest.LogCaptureFixture, key: str, foreign: Json
) -> None:
    with caplog.at_level(logging.INFO):
        response = call(hook_call("p1", dermatomyositis() | {key: foreign}))
    assert response.status_code == 412
    assert diagnostics(response.get_json()).startswith("MYO-1201: Data of another patient")
    assert "other" not in response.text.replace("another", "")
    (event,) = lines(caplog, "security")
    assert event == (
        f"event=another_patients_data action=refused client=open service=myositis-patient-view instance={INSTANCE} resources=1"
    )


@pytest.mark.requirement("SAF-06")
def test_a_draft_for_another_patient_stops_the_call_too(call: Call) -> None:
    foreign = {"resourceType": "Bundle", "entry": [{"resource": DRAFT | {"subject": {"reference": "Patient/other"}}}]}
    response = call(order_call("order-sign", "p1", dermatomyositis(), foreign))
    assert response.status_code == 412


# --- orders being written, as real clients send them


@pytest.mark.requirement("X-12", "X-13", "X-14")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(DRAFT, id="no intent, no medication"),
        pytest.param(DRAFT | {"category": {"coding": [{"code": "inpatient"}]}}, id="category as an object"),
        pytest.param(DRAFT | {"id": "T" * 120}, id="a long draft id"),
    ],
)
def test_sloppy_drafts_of_real_clients_are_accepted(call: Call, hook: str, draft: Json) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    response = call(order_call(hook, "p1", dermatomyositis(), bundle, selections=[f"MedicationRequest/{draft['id']}"]))
    assert response.status_code == 200


@pytest.mark.parametrize("bundle", [{}, {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": []}])
def test_an_empty_draft_bundle_is_accepted(call: Call, bundle: Json) -> None:
    assert call(order_call("order-sign", "p1", dermatomyositis(), bundle)).status_code == 200


# --- requests that cannot be answered: one clear refusal each


@pytest.mark.requirement("H-4", "IN-03", "IN-04", "IN-06")
@pytest.mark.parametrize(
    ("body", "content_type", "status", "number"),
    [
        pytest.param(b"<Bundle/>", "application/json", 400, "MYO-1002", id="not JSON"),
        pytest.param(b"", "application/json", 400, "MYO-1001", id="empty body"),
        pytest.param(b"", None, 400, "MYO-1001", id="empty body without a type"),
        pytest.param(b"[" * 70 + b"]" * 70, "application/json", 400, "MYO-1003", id="deep nesting"),
        pytest.param(b"[" * 100_000, "application/json", 400, "MYO-1003", id="very deep nesting"),
        pytest.param(b"[]", "application/json", 400, "MYO-1101", id="no object"),
        pytest.param(b'{"resourceType": "Bundle"}', "application/json", 400, "MYO-1101", id="FHIR, but no hook call"),
        pytest.param(b"{}", "text/plain", 415, "MYO-1006", id="not said to be JSON"),
        pytest.param(b'"' + b"a" * 1024 * 1024 + b'"', "application/json", 413, "MYO-1004", id="too long"),
    ],
)
def test_bad_bodies_are_refused(client: FlaskClient, body: bytes, content_type: str | None, status: int, number: str) -> None:
    response = client.post("/cds-services/myositis-patient-view", data=body, content_type=content_type)
    assert response.status_code == status
    assert diagnostics(response.get_json()).startswith(number)


@pytest.mark.requirement("R-1", "IN-11")
def test_a_call_of_another_hook_is_refused(client: FlaskClient) -> None:
    response = client.post("/cds-services/myositis-order-sign", json=hook_call("p1", dermatomyositis()))
    assert response.status_code == 400
    assert diagnostics(response.get_json()).startswith("MYO-1102: hook: this service answers order-sign.")


@pytest.mark.requirement("H-4", "IN-11")
def test_an_unknown_service_is_not_found_and_not_repeated(client: FlaskClient) -> None:
    response = client.post("/cds-services/Mustermann", json=hook_call("p1", dermatomyositis()))
    assert response.status_code == 404
    assert diagnostics(response.get_json()).startswith("MYO-1103")
    assert "Mustermann" not in response.text


@pytest.mark.requirement("H-6", "ERR-01")
@pytest.mark.parametrize("place", ["patientId", "hook", "hookInstance", "key", "value"])
def test_no_refusal_repeats_a_value_of_the_request(client: FlaskClient, place: str) -> None:
    canary = "Erika Mustermann"
    body = hook_call("p1", {})
    if place == "patientId":
        body["context"]["patientId"] = canary
    elif place == "key":
        body["prefetch"] = {canary: 7}
    elif place == "value":
        body["prefetch"] = {"conditions": canary}
    else:
        body[place] = [canary] if place == "hookInstance" else canary
    response = client.post("/cds-services/myositis-patient-view", json=body)
    assert 400 <= response.status_code < 500
    assert canary not in response.text


@pytest.mark.requirement("X-3")
def test_a_double_slash_from_a_configured_trailing_one_still_reaches_the_service(client: FlaskClient) -> None:
    body = hook_call("p1", dermatomyositis())
    double = client.post("/cds-services//myositis-patient-view", json=body)
    assert double.get_json() == client.post("/cds-services/myositis-patient-view", json=body).get_json()
    assert double.status_code == 200


@pytest.mark.parametrize("onset", ["0001", "0001-01-01", "1900-01-01", "9999-12-31"])
@pytest.mark.parametrize("birth", [None, "1964-02-01", "0001-01-01"])
def test_null_dates_of_other_systems_break_nothing_and_make_no_child(call: Call, onset: str, birth: str | None) -> None:
    who = {"resourceType": "Patient", "id": "p1", "gender": "female"} | ({"birthDate": birth} if birth else {})
    condition = dermatomyositis()["conditions"]["entry"][0]["resource"] | {"onsetDateTime": onset}
    response = call(hook_call("p1", {"patient": who, "conditions": searchset([condition])}))
    assert response.status_code in (200, 412)
    assert "uvenile" not in response.get_data(as_text=True)


def test_ten_megabytes_are_too_much_for_a_service_as_it_is_shipped() -> None:
    body = b'{"padding": "' + b"x" * 10_000_000 + b'"}'
    response = create_app(Config()).test_client().post("/assess", data=body, content_type="application/json")
    assert response.status_code == 413
    assert len(response.get_json(force=True)["issue"]) == 1


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_in_no_patients_life_is_refused(client: FlaskClient, day: str) -> None:
    response = client.post(f"/assess?asOf={day}", json=chart(HEALTHY))
    assert response.status_code == 400


# --- what a draft is answered with ----------------------------------------------------------------------------------


METHOTREXATE = DRAFT | {
    "intent": "order",
    "meta": {"versionId": "7"},
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6851", "display": "Methotrexate"}],
        "text": "methotrexate for Mrs Doe",
    },
}


@pytest.mark.requirement("C-33")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_contraindicated_draft_is_answered_with_its_removal(call: Call, hook: str) -> None:
    """Conformance C-33: `resourceId` of a draft of this call, and no `resource`."""
    daily = [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": METHOTREXATE | {"dosageInstruction": daily}}]}
    sent = order_call(hook, "p1", dermatomyositis(), bundle, selections=["MedicationRequest/request-123"])
    found = by_topic(call(sent))["drugSafety"]
    assert found["indicator"] == "critical"
    (first, *_) = found["suggestions"]
    assert first["isRecommended"] is True
    assert first["actions"] == [
        {"type": "delete", "description": "Remove the draft of methotrexate", "resourceId": "MedicationRequest/request-123"}
    ]


@pytest.mark.requirement("C-32", "C-34", "L-4", "LOG-02")
def test_an_update_gives_the_draft_back_whole_and_nothing_of_it_reaches_the_log(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    """Conformance C-32, C-34: the whole resource, its version with it."""
    caplog.set_level(logging.DEBUG)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": METHOTREXATE}]}
    found = by_topic(call(order_call("order-sign", "p1", dermatomyositis(), bundle)))["drugSafety"]
    (update,) = [a for s in found["suggestions"] for a in s["actions"] if a["type"] == "update"]
    assert METHOTREXATE.items() <= update["resource"].items()
    assert set(update["resource"]) - set(METHOTREXATE) == {"note"}
    assert "Mrs Doe" not in caplog.text
