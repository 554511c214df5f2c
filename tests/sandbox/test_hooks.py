"""The sandbox as a CDS Hooks client: what it sends, and what it says when the service fails."""

from uuid import UUID

import pytest

from sandbox.charts import Chart
from sandbox.hooks import MINIMAL_INPUTS, ServiceError, resolve_prefetch, view_patient
from tests.sandbox.conftest import StubService

ID = "anti-tif1-gamma-dermatomyositis"


def test_opening_a_chart_fires_patient_view_with_the_prefetch_that_was_asked_for(
    service: StubService, tif1_gamma_chart: Chart
) -> None:
    view_patient(service.url, tif1_gamma_chart)
    (sent,) = service.asked
    assert sent["hook"] == "patient-view"
    assert UUID(sent["hookInstance"]).version == 4
    assert sent["context"] == {"userId": "Practitioner/sandbox-clinician", "patientId": ID}
    assert list(sent["prefetch"]) == ["patient", "conditions", "medications", "results", "immunizations"]
    assert sent["prefetch"]["patient"]["id"] == ID
    assert sent["prefetch"]["conditions"]["total"] == 6
    assert sent["prefetch"]["immunizations"]["total"] == 0


def test_each_call_is_an_instance_of_its_own(service: StubService, tif1_gamma_chart: Chart) -> None:
    for _ in range(2):
        view_patient(service.url, tif1_gamma_chart)
    assert len({sent["hookInstance"] for sent in service.asked}) == 2


def test_minimal_inputs_are_patient_conditions_and_medication_requests(service: StubService, tif1_gamma_chart: Chart) -> None:
    call = view_patient(service.url, tif1_gamma_chart, MINIMAL_INPUTS)
    assert list(service.asked[0]["prefetch"]) == ["patient", "conditions", "medications"]
    assert call.left_out == {"results": "Observation is switched off", "immunizations": "Immunization is switched off"}


def test_a_template_that_this_ehr_does_not_know_is_left_out_with_the_reason(tif1_gamma_chart: Chart) -> None:
    prefetch, left_out = resolve_prefetch(
        {
            "dated": "Observation?patient={{context.patientId}}&date=ge{{today()}}",
            "encounter": "Encounter/1",
            "coded": "Observation?patient={{context.patientId}}&value-quantity=1",
        },
        tif1_gamma_chart,
    )
    assert prefetch == {}
    assert left_out == {
        "dated": "prefetch token today() is not known",
        "encounter": "no such resource",
        "coded": "search parameter value-quantity is not supported",
    }


def test_the_cards_come_back_with_the_time_they_took(service: StubService, tif1_gamma_chart: Chart) -> None:
    call = view_patient(service.url, tif1_gamma_chart)
    assert [card["summary"] for card in call.cards] == ["No lung function test on record"]
    assert call.milliseconds > 0


def test_a_service_that_is_down_is_named(tif1_gamma_chart: Chart) -> None:
    with pytest.raises(ServiceError, match=r"cannot be reached at http://127\.0\.0\.1:9/cds-services"):
        view_patient("http://127.0.0.1:9", tif1_gamma_chart)


def test_a_slow_service_is_not_waited_for_forever(
    service: StubService, tif1_gamma_chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.seconds_to_think = 0.3
    monkeypatch.setattr("sandbox.hooks.TIMEOUT_SECONDS", 0.1)
    with pytest.raises(ServiceError, match="did not answer in time"):
        view_patient(service.url, tif1_gamma_chart)


def test_a_refusal_is_shown_in_the_words_of_its_outcome(service: StubService, tif1_gamma_chart: Chart) -> None:
    service.status = 412
    service.answer = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "required", "diagnostics": "prefetch key patient is missing"}],
    }
    with pytest.raises(ServiceError, match=r"refused the call \(412\)\. prefetch key patient is missing"):
        view_patient(service.url, tif1_gamma_chart)


def test_a_refusal_without_an_outcome_is_shown_by_its_status(service: StubService, tif1_gamma_chart: Chart) -> None:
    service.status, service.answer = 503, {"message": "busy"}
    with pytest.raises(ServiceError, match=r"refused the call \(503\)\.$"):
        view_patient(service.url, tif1_gamma_chart)


@pytest.mark.parametrize("answer", [{}, [], {"cards": "none"}, {"cards": ["text"]}])
def test_an_answer_that_is_not_cds_hooks_is_said_to_be_none(
    service: StubService, tif1_gamma_chart: Chart, answer: object
) -> None:
    service.answer = answer
    with pytest.raises(ServiceError, match="no list of cards"):
        view_patient(service.url, tif1_gamma_chart)


def test_an_answer_that_is_not_json_is_said_to_be_none(service: StubService, tif1_gamma_chart: Chart) -> None:
    service.answer = b"<html>"
    with pytest.raises(ServiceError, match="answered 200 without JSON"):
        view_patient(service.url, tif1_gamma_chart)


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        ({"services": []}, "does not list the service myositis-patient-view"),
        ({"services": "none"}, "no list of services"),
        ({"services": [{"id": "myositis-patient-view", "prefetch": ["Patient"]}]}, "prefetch templates are not texts"),
    ],
)
def test_a_discovery_that_cannot_be_used_is_explained(
    service: StubService, tif1_gamma_chart: Chart, discovery: object, said: str
) -> None:
    service.discovery = discovery
    with pytest.raises(ServiceError, match=said):
        view_patient(service.url, tif1_gamma_chart)
