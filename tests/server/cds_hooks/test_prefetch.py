"""Prefetch: what we ask for, and the state of each kind of input (conformance P-1 to P-12, R-10 to R-16)."""

import re
from typing import Any

import pytest

from fhir_profiles.record import InputState
from server.cds_hooks.prefetch import TEMPLATES, prefetch_templates, read_prefetch
from server.cds_hooks.prefetch_state import PrefetchState
from server.intake import MOST_RESOURCES
from tests.server.charts import PREFETCH_KEYS, Json, diagnosis, searchset

FAILED, EMPTY = InputState.FAILED, InputState.CONFIRMED_EMPTY

# Search parameters of type `date` in FHIR R4 4.0.1 (search-parameters.json), for the types that we sort.
DATES_OF_R4 = {
    "Condition": {"abatement-date", "onset-date", "recorded-date"},
    "MedicationRequest": {"authoredon", "date"},
    "MedicationStatement": {"effective"},
    "MedicationAdministration": {"effective-time"},
    "Observation": {"date", "value-date"},
    "DiagnosticReport": {"date", "issued"},
    "Procedure": {"date"},
    "ServiceRequest": {"authored", "occurrence"},
    "AllergyIntolerance": {"date", "last-date", "onset"},
}


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def state(value: Any) -> InputState | None:
    """The state of the conditions after this value came for them; None if they are simply there."""
    return read_prefetch({"conditions": value}).inputs.get("Condition")


# --- what we ask for


def test_the_keys_are_those_that_ehrs_have_configured() -> None:
    assert {template.resource_type: template.key for template in TEMPLATES} == PREFETCH_KEYS


def test_the_patient_is_read_and_the_rest_is_searched() -> None:
    templates = prefetch_templates()
    assert templates.pop("patient") == "Patient/{{context.patientId}}"
    pattern = r"[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}&_sort=-[a-z-]+&_count=\d+"
    assert all(re.fullmatch(pattern, query) for query in templates.values())


@pytest.mark.parametrize("template", [t for t in TEMPLATES if t.sort], ids=lambda template: template.key)
def test_answers_are_sorted_by_a_date_that_r4_defines_for_the_type(template: Any) -> None:
    assert template.sort in DATES_OF_R4[template.resource_type]


def test_all_answers_together_are_within_what_one_request_may_hold() -> None:
    assert sum(template.count for template in TEMPLATES) <= MOST_RESOURCES


# --- one key, every way to answer it


def test_a_key_that_was_not_sent_says_nothing() -> None:
    prefetched = read_prefetch({})
    assert prefetched.inputs == {}
    assert list(prefetched.unanswered) == list(PREFETCH_KEYS.values())


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param(searchset([]), id="empty Bundle"),
        pytest.param({"resourceType": "Bundle"}, id="Bundle without entry"),
        pytest.param(outcome("information"), id="bare information"),
        pytest.param(outcome("warning"), id="bare warning"),
        pytest.param(
            {
                "resourceType": "Bundle",
                "total": 0,
                "entry": [{"resource": outcome("warning"), "search": {"mode": "outcome"}}],
            },
            id="Epic's empty Bundle with a warning",
        ),
    ],
)
def test_an_empty_answer_is_an_answer(value: Any) -> None:
    prefetched = read_prefetch({"conditions": value})
    assert prefetched.inputs == {"Condition": EMPTY}
    assert "conditions" not in prefetched.unanswered
    assert prefetched.issues == ()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(diagnosis(), id="one resource"),
        pytest.param(searchset([diagnosis()]), id="searchset"),
        pytest.param(searchset([diagnosis()]) | {"total": 1}, id="as many as counted"),
        pytest.param({"resourceType": "Bundle", "entry": [{"resource": diagnosis()}]}, id="Bundle without type and total"),
        pytest.param(
            {"resourceType": "Bundle", "entry": [{"resource": diagnosis()}, {"resource": outcome("warning")}]},
            id="with a warning",
        ),
        pytest.param(searchset([diagnosis()]) | {"link": [{"relation": "self", "url": "x"}]}, id="link to itself"),
    ],
)
def test_data_is_present(value: Any) -> None:
    prefetched = read_prefetch({"conditions": value})
    assert prefetched.inputs == {}
    assert prefetched.parts == (value,)
    assert "conditions" not in prefetched.unanswered
    assert prefetched.issues == ()


@pytest.mark.parametrize("severity", ["error", "fatal"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_is_a_failure(severity: str, wrapped: bool) -> None:
    value = searchset([outcome(severity)]) if wrapped else outcome(severity)
    prefetched = read_prefetch({"conditions": value})
    assert prefetched.inputs == {"Condition": FAILED}
    assert "conditions" in prefetched.unanswered
    assert [issue.reference for issue in prefetched.issues] == ["prefetch.conditions"]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(searchset([diagnosis()]) | {"link": [{"relation": "next", "url": "x"}]}, id="another page"),
        pytest.param(searchset([diagnosis()]) | {"total": 2}, id="more were counted"),
        pytest.param(searchset([diagnosis(), outcome("error")]), id="an error among the entries"),
    ],
)
def test_an_incomplete_answer_is_read_and_counts_as_failed(value: Any) -> None:
    prefetched = read_prefetch({"conditions": value})
    assert prefetched.inputs == {"Condition": FAILED}
    assert prefetched.parts == (value,)
    assert "conditions" not in prefetched.unanswered
    assert len(prefetched.issues) == 1


def test_what_was_included_with_the_matches_does_not_make_up_for_missing_ones() -> None:
    bundle = searchset([diagnosis()]) | {"total": 2}
    bundle["entry"].append({"resource": {"resourceType": "Practitioner", "id": "1"}, "search": {"mode": "include"}})
    assert state(bundle) is FAILED


@pytest.mark.parametrize("value", ["text", 7, True, [], [diagnosis()], {}, {"resourceType": 7}, {"id": "1"}])
def test_what_is_no_resource_is_reported_and_counts_as_failed(value: Any) -> None:
    prefetched = read_prefetch({"conditions": value})
    assert prefetched.inputs == {"Condition": FAILED}
    assert [issue.problem for issue in prefetched.issues] == ["is not a FHIR resource; counted as failed"]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: searchset([one])])
def test_an_answer_of_the_wrong_type_leaves_the_question_open(wrap: Any) -> None:
    prefetched = read_prefetch({"conditions": wrap({"resourceType": "Procedure", "id": "1"})})
    assert prefetched.inputs["Condition"] is FAILED
    assert "conditions" in prefetched.unanswered
    assert prefetched.issues[0].problem.startswith("holds no Condition")


# --- several keys


def test_a_key_that_an_ehr_has_named_itself_is_judged_by_what_it_holds() -> None:
    prefetched = read_prefetch({"-problem-list": searchset([diagnosis()])})
    assert len(prefetched.parts) == 1
    assert "conditions" not in prefetched.unanswered


def test_a_key_of_somebody_else_that_failed_is_reported_without_its_name() -> None:
    prefetched = read_prefetch({"Erika Mustermann": outcome("error")})
    assert prefetched.inputs == {}
    assert [issue.reference for issue in prefetched.issues] == ["prefetch"]


_OBSERVATION = {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/p1"}}
_REPORT = {"resourceType": "DiagnosticReport", "id": "d1", "subject": {"reference": "Patient/p1"}}


@pytest.mark.requirement("R-11", "SAF-08")
@pytest.mark.parametrize("key", ["diagnosticReports", "-reports"])
def test_what_was_included_with_the_matches_is_not_all_there_is_of_its_type(key: str) -> None:
    bundle = searchset([_REPORT])
    bundle["entry"].append({"resource": _OBSERVATION, "search": {"mode": "include"}})
    prefetched = read_prefetch({key: bundle})
    assert prefetched.states["diagnosticReports"] is PrefetchState.PRESENT
    assert prefetched.states["observations"] is PrefetchState.TRUNCATED
    assert prefetched.states["observations"].is_worth_fetching
    assert prefetched.inputs == {"Observation": FAILED}
    assert [issue.reference for issue in prefetched.issues] == ["prefetch.observations"]
    assert prefetched.parts == (bundle,)


@pytest.mark.requirement("R-12", "SAF-08")
@pytest.mark.parametrize("observations", [None, searchset([])])
def test_that_there_is_none_is_not_believed_where_one_was_included(observations: Any) -> None:
    bundle = searchset([_REPORT])
    bundle["entry"].append({"resource": _OBSERVATION, "search": {"mode": "include"}})
    assert read_prefetch({"diagnosticReports": bundle, "observations": observations}).inputs == {"Observation": FAILED}


def test_what_was_included_takes_nothing_away_from_a_whole_answer() -> None:
    bundle = searchset([_REPORT])
    bundle["entry"].append({"resource": _OBSERVATION, "search": {"mode": "include"}})
    assert read_prefetch({"diagnosticReports": bundle, "observations": searchset([_OBSERVATION])}).inputs == {}


def test_an_included_patient_is_all_there_is_of_a_patient() -> None:
    bundle = searchset([_REPORT])
    bundle["entry"].append({"resource": {"resourceType": "Patient", "id": "p1"}, "search": {"mode": "include"}})
    assert read_prefetch({"diagnosticReports": bundle}).states["patient"] is PrefetchState.PRESENT


@pytest.mark.requirement("R-11", "SAF-08")
def test_a_key_of_ours_speaks_for_its_own_type_only() -> None:
    both = read_prefetch({"diagnosticReports": searchset([_REPORT, _OBSERVATION])})
    assert both.states["observations"] is PrefetchState.TRUNCATED
    failed = read_prefetch({"observations": searchset([_OBSERVATION]), "diagnosticReports": searchset([_OBSERVATION])})
    assert failed.inputs == {"DiagnosticReport": FAILED}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (searchset([diagnosis()]), searchset([]), None),
        (searchset([diagnosis()]), searchset([diagnosis()]) | {"total": 5}, FAILED),
    ],
)
def test_of_two_answers_for_one_kind_the_worse_counts_but_something_beats_nothing(
    one: Json, other: Json, together: InputState | None, order: int
) -> None:
    keys = ["conditions", "problems"][::order]
    values = {keys[0]: one, keys[1]: other} if order == 1 else {keys[0]: other, keys[1]: one}
    assert read_prefetch(values).inputs.get("Condition") is together


@pytest.mark.parametrize(
    "entry", [7, None, "text", {"resource": 7}, {"resource": {}}, {"fullUrl": "x"}, {"resource": {"resourceType": [1]}}]
)
def test_an_entry_that_cannot_be_read_may_have_been_the_one(entry: Any) -> None:
    assert state({"resourceType": "Bundle", "entry": [entry]}) is FAILED
    assert state({"resourceType": "Bundle", "entry": [{"resource": diagnosis()}, entry]}) is FAILED


def test_entries_that_are_no_list_are_not_taken_for_none() -> None:
    assert state({"resourceType": "Bundle", "entry": "text"}) is FAILED
    assert state({"resourceType": "Bundle", "entry": {"resource": diagnosis()}}) is None


def test_an_odd_link_is_passed_over() -> None:
    assert state(searchset([diagnosis()]) | {"link": "x"}) is None
