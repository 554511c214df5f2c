"""Drugs: what the patient takes, took, or never took (phenotypes.md section 5, drug-safety.md section 0)."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.record import DrugEntry, InputState
from tests.fhir_profiles.charts import (
    ME,
    METHOTREXATE,
    OPHTHALMIC_ROUTE,
    ORAL_ROUTE,
    PREDNISOLONE,
    RXNORM,
    SHOE_SIZE,
    SNOMED,
    TACROLIMUS,
    TOPICAL_ROUTE,
    Json,
    administration,
    bundle,
    coded,
    dispense,
    facts,
    patient,
    problems,
    quantity,
    read,
    request,
    statement,
    terminology,
    without,
)


def entry(*resources: Json) -> DrugEntry:
    (found,) = facts(read(patient(), *resources))
    assert isinstance(found, DrugEntry)
    return found


# --- status --------------------------------------------------------------------------------------------------------

TAKEN, WAS_TAKEN, NOT_TAKEN = (True, True), (False, True), (False, False)


@pytest.mark.parametrize(
    ("make", "status", "standing"),
    [
        (request, "active", TAKEN),
        (request, "completed", WAS_TAKEN),
        (request, "stopped", WAS_TAKEN),
        (request, "on-hold", WAS_TAKEN),
        (statement, "active", TAKEN),
        (statement, "completed", WAS_TAKEN),
        (statement, "stopped", WAS_TAKEN),
        (statement, "on-hold", WAS_TAKEN),
        (statement, "intended", NOT_TAKEN),
        (administration, "in-progress", TAKEN),
        (administration, "completed", WAS_TAKEN),
        (administration, "stopped", WAS_TAKEN),
        (dispense, "completed", WAS_TAKEN),
        (dispense, "in-progress", WAS_TAKEN),
    ],
)
def test_the_status_says_whether_it_is_taken(make: Callable[..., Json], status: str, standing: tuple[bool, bool]) -> None:
    found = entry(make(status=status))
    assert (found.is_current, found.was_given) == standing
    assert found.status == status


@pytest.mark.requirement("SAF-07")
@pytest.mark.parametrize(
    ("make", "status"),
    [(request, status) for status in ("cancelled", "entered-in-error", "draft")]
    + [(statement, status) for status in ("entered-in-error", "not-taken")]
    + [(administration, status) for status in ("entered-in-error", "not-done")]
    + [(dispense, status) for status in ("entered-in-error", "cancelled", "declined", "preparation", "stopped", "on-hold")],
)
def test_what_was_never_taken_is_no_fact(make: Callable[..., Json], status: str) -> None:
    record = read(patient(), make(status=status))
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs[make()["resourceType"]] is InputState.PRESENT


@pytest.mark.parametrize("make", [request, statement, administration, dispense])
@pytest.mark.parametrize("status", [None, "unknown", "running", 5])
def test_an_entry_of_unknown_status_is_neither_current_nor_taken_and_leaves_it_open(
    make: Callable[..., Json], status: Any
) -> None:
    record = read(patient(), make(status=status))
    assert [(fact.is_current, fact.was_given) for fact in record.drugs["methotrexate"]] == [NOT_TAKEN]
    assert record.inputs[make()["resourceType"]] is InputState.FAILED
    assert list(problems(record)) == [f"{make()['resourceType']}/mtx.status"]


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({"intent": "order"}, TAKEN),
        ({"intent": "instance-order"}, TAKEN),
        ({"intent": None}, TAKEN),
        ({"intent": "proposal"}, NOT_TAKEN),
        ({"intent": "option"}, NOT_TAKEN),
        ({"intent": "plan"}, NOT_TAKEN),
        ({"intent": "plan", "reportedBoolean": True}, TAKEN),
        ({"intent": "plan", "reportedReference": {"reference": "Practitioner/1"}}, TAKEN),
        ({"intent": "plan", "reportedBoolean": "true"}, NOT_TAKEN),
    ],
)
def test_a_proposal_or_a_plan_that_nobody_reports_as_taken_is_no_exposure(more: Json, standing: tuple[bool, bool]) -> None:
    found = entry(request(**more))
    assert (found.is_current, found.was_given) == standing


@pytest.mark.parametrize("category", [coded("x", "outpatient"), [coded("x", "outpatient")], "outpatient"])
def test_the_category_may_have_any_shape(category: Any) -> None:
    """Conformance X-13: the official sandbox sends an object."""
    assert entry(request(category=category)).is_current


def test_an_order_not_to_give_it_is_no_fact() -> None:
    """SAF-07."""
    record = read(patient(), request(doNotPerform=True))
    assert (facts(record), record.issues) == ([], ())


@pytest.mark.parametrize("value", ["true", "false", 0, "", []])
def test_an_order_that_may_mean_not_to_give_it_is_not_used(value: Any) -> None:
    record = read(patient(), request(doNotPerform=value))
    assert facts(record) == []
    assert record.inputs["MedicationRequest"] is InputState.FAILED


# --- dates ---------------------------------------------------------------------------------------------------------


def until(start: Any = None, end: Any = None) -> Json:
    return {"timing": {"repeat": {"boundsPeriod": {"start": start, "end": end}}}}


@pytest.mark.parametrize(
    ("resource", "start", "end", "standing"),
    [
        (request(), "10 January 2025", "None", TAKEN),
        (request(dosageInstruction=[until("2025-02-01", "2025-12-31")]), "1 February 2025", "31 December 2025", TAKEN),
        (request(dosageInstruction=[until("2025-02-01", "2025-05-31")]), "1 February 2025", "31 May 2025", WAS_TAKEN),
        (request(dosageInstruction=[until(end="2025-06-15")]), "10 January 2025", "15 June 2025", TAKEN),
        (request(dosageInstruction=[until(end="2025")]), "10 January 2025", "2025", TAKEN),
        (request(dosageInstruction=[until(None, "2025-03"), until(None, "2025-05")]), "10 January 2025", "May 2025", WAS_TAKEN),
        (request(dosageInstruction=[until(None, "2025-03"), {}]), "10 January 2025", "None", TAKEN),
        (request(dosageInstruction=[until("2025-07-01")]), "10 January 2025", "None", NOT_TAKEN),
        (request(authoredOn=None), "None", "None", TAKEN),
        (statement(effectivePeriod={"start": "2025-01", "end": "2025-05"}), "January 2025", "May 2025", WAS_TAKEN),
        (without(statement(effectiveDateTime="2025-02-01"), "effectivePeriod"), "1 February 2025", "None", TAKEN),
        (without(statement(dateAsserted="2025-02-01"), "effectivePeriod"), "1 February 2025", "None", TAKEN),
        (statement(effectivePeriod={"start": "2025-07-01"}, dateAsserted="2025-06-01"), "1 June 2025", "None", NOT_TAKEN),
        (administration(), "10 January 2025", "10 January 2025", WAS_TAKEN),
        (administration(status="in-progress"), "10 January 2025", "None", TAKEN),
        (dispense(), "10 January 2025", "None", WAS_TAKEN),
        (without(dispense(whenPrepared="2025-01-09"), "whenHandedOver"), "9 January 2025", "None", WAS_TAKEN),
    ],
)
def test_start_and_end_say_whether_it_is_taken_today(resource: Json, start: str, end: str, standing: tuple[bool, bool]) -> None:
    found = entry(resource)
    assert (str(found.when), str(found.end)) == (start, end)
    assert (found.is_current, found.was_given) == standing


@pytest.mark.parametrize(
    "resource",
    [
        request(authoredOn="2025-06-16"),
        statement(effectivePeriod={"start": "2025-07-01"}),
        administration(effectiveDateTime="2025-06-16"),
        dispense(whenHandedOver="2025-06-16"),
    ],
    ids=lambda resource: resource["resourceType"],
)
def test_an_entry_from_the_future_is_dropped_and_reported(resource: Json) -> None:
    record = read(patient(), resource)
    assert facts(record) == []
    assert list(problems(record)) == [f"{resource['resourceType']}/mtx"]


# --- why it ended --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (coded(SNOMED, "395009001"), "intolerance"),
        (coded(SNOMED, "395007004"), "ineffective"),
        (coded("http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason", "salg"), "intolerance"),
        (coded("http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason", "preg"), "pregnancy"),
        ({"text": "went on holiday"}, "other"),
        ([coded(SNOMED, "395007004"), coded(SNOMED, "395009001")], "intolerance"),
        (None, None),
        ("side effect", None),
    ],
)
@pytest.mark.parametrize("make", [request, statement])
def test_the_reason_for_stopping_is_kept(make: Callable[..., Json], reasons: Any, reason: str | None) -> None:
    assert entry(make(status="stopped", statusReason=reasons)).stop_reason == reason


def test_a_drug_that_is_taken_has_no_reason_for_stopping() -> None:
    assert entry(request(statusReason=coded(SNOMED, "395009001"))).stop_reason is None


# --- which drug ----------------------------------------------------------------------------------------------------

DRUG = {"resourceType": "Medication", "id": "m", "code": METHOTREXATE}
INFUSION = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemCodeableConcept": METHOTREXATE}]}
BY_REFERENCE = without(request(), "medicationCodeableConcept")


def referring(reference: str, **more: Any) -> Json:
    return {**BY_REFERENCE, "medicationReference": {"reference": reference}, **more}


@pytest.mark.parametrize(
    "parts",
    [
        [referring("#m", contained=[DRUG])],
        [referring("#m", contained=[INFUSION])],
        [referring("Medication/m"), DRUG],
        [referring("https://ehr.example/fhir/Medication/m/_history/1"), bundle(DRUG, type="searchset")],
        [
            {
                "resourceType": "Bundle",
                "entry": [{"resource": referring("urn:uuid:9")}, {"fullUrl": "urn:uuid:9", "resource": DRUG}],
            }
        ],
        [{**BY_REFERENCE, "medicationReference": {"reference": "Medication/gone", "display": "Methotrexate 2.5 mg tablets"}}],
        [{**BY_REFERENCE, "medicationReference": {"display": "methotrexate"}}],
        [request(medicationCodeableConcept={"text": "Methotrexate 10 mg tablets"})],
        [request(medicationCodeableConcept=coded(RXNORM, "105585"))],
    ],
    ids=["contained", "ingredient", "sent along", "versioned", "urn", "display", "display alone", "text", "product"],
)
def test_the_drug_is_found_wherever_it_is_named(parts: list[Json]) -> None:
    assert entry(*parts).concepts == ("methotrexate",)


@pytest.mark.parametrize(
    ("parts", "by_text"),
    [
        ([request()], False),
        ([request(medicationCodeableConcept={"text": "methotrexate"})], True),
        ([referring("Medication/m"), DRUG], False),
    ],
)
def test_a_drug_known_by_words_alone_is_marked(parts: list[Json], by_text: bool) -> None:
    assert entry(*parts).matched_by_text is by_text


@pytest.mark.parametrize(
    "parts",
    [
        [BY_REFERENCE],
        [request(medicationCodeableConcept={})],
        [request(medicationCodeableConcept="methotrexate")],
        [referring("Medication/gone")],
        [referring("#gone")],
        [{**BY_REFERENCE, "medicationReference": "Medication/m"}],
        [referring("Medication/m"), {**DRUG, "status": "entered-in-error"}],
        [referring("#m", contained=[{**DRUG, "resourceType": "Substance"}])],
    ],
)
def test_an_entry_that_names_no_drug_is_reported_and_leaves_it_open_what_is_taken(parts: list[Json]) -> None:
    record = read(patient(), *parts)
    assert facts(record) == []
    assert record.inputs["MedicationRequest"] is InputState.FAILED
    assert list(problems(record)) == ["MedicationRequest/mtx"]


def test_a_medication_with_an_unknown_modifier_names_no_drug() -> None:
    """SAF-07."""
    record = read(patient(), referring("Medication/m"), {**DRUG, "modifierExtension": [{"url": "x"}]})
    assert facts(record) == []
    assert record.inputs["MedicationRequest"] is InputState.FAILED


def test_a_drug_that_is_none_of_ours_is_passed_over_whatever_its_state() -> None:
    record = read(patient(), request(medicationCodeableConcept=SHOE_SIZE, status="nonsense", authoredOn=5))
    assert (facts(record), record.issues) == ([], ())


def test_a_stopped_drug_named_nowhere_was_at_least_never_ordered_if_entered_in_error() -> None:
    assert read(patient(), {**BY_REFERENCE, "status": "entered-in-error"}).issues == ()


# --- route ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [TOPICAL_ROUTE, OPHTHALMIC_ROUTE])
@pytest.mark.parametrize(("drug", "name"), [(TACROLIMUS, "tacrolimus"), (PREDNISOLONE, "prednisolone")])
def test_what_is_put_on_the_skin_or_into_the_eye_is_no_systemic_treatment(route: Json, drug: Json, name: str) -> None:
    """drug-safety.md section 0: topical is not systemic."""
    found = entry(request(medicationCodeableConcept=drug, dosageInstruction=[{"route": route}]))
    assert found.concepts == (f"{name}__non_systemic",)
    assert found.route in ("topical", "ophthalmic")


def test_what_is_put_into_the_eye_belongs_to_no_systemic_class() -> None:
    by_atc = coded("http://www.whocc.no/atc", "H02AB06")
    systemic, local = (
        entry(request(medicationCodeableConcept=by_atc, dosageInstruction=[{"route": route}]))
        for route in (ORAL_ROUTE, OPHTHALMIC_ROUTE)
    )
    assert systemic.concepts == ("prednisolone", "systemic_corticosteroid_any")
    assert local.concepts == ("prednisolone__non_systemic",)


def test_a_local_product_stays_what_it_is_by_any_route() -> None:
    product = terminology().codings("tacrolimus__non_systemic")[0]
    ointment = coded(product.system, product.code)
    for dosage in ([], [{"route": TOPICAL_ROUTE}], [{"route": ORAL_ROUTE}]):
        assert entry(request(medicationCodeableConcept=ointment, dosageInstruction=dosage)).concepts == (
            "tacrolimus__non_systemic",
        )


@pytest.mark.parametrize(
    ("routes", "route"),
    [
        ([coded(SNOMED, "47625008")], "intravenous"),
        ([coded(SNOMED, "34206005")], "subcutaneous"),
        ([ORAL_ROUTE], "oral"),
        ([ORAL_ROUTE, ORAL_ROUTE], "oral"),
        ([TOPICAL_ROUTE, ORAL_ROUTE], None),
        ([TOPICAL_ROUTE, None], None),
        ([coded(SNOMED, "78421000")], None),
        (["oral"], None),
        ([], None),
    ],
)
def test_a_route_counts_where_all_dosages_agree(routes: list[Any], route: str | None) -> None:
    found = entry(request(dosageInstruction=[{"route": one} for one in routes]))
    assert (found.route, found.concepts) == (route, ("methotrexate",))


def test_an_infusion_has_its_route_too() -> None:
    assert entry(administration(dosage={"route": coded(SNOMED, "47625008")})).route == "intravenous"


# --- dose ----------------------------------------------------------------------------------------------------------


def dosage(dose: Any = None, repeat: Any = None, **more: Any) -> Json:
    return {
        "timing": {"repeat": repeat or {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": dose or quantity(20, "mg")}],
        **more,
    }


@pytest.mark.parametrize(
    ("sent", "milligrams"),
    [
        (dosage(), 20),
        (dosage(quantity(0.5, "g")), 500),
        (dosage({"value": 20, "unit": "mg"}), 20),
        (dosage(repeat={"frequency": 2, "period": 1, "periodUnit": "d"}), 40),
        (dosage(repeat={"frequency": 1, "period": 2, "periodUnit": "d"}), 10),
        (dosage(repeat={"frequency": 1, "period": 12, "periodUnit": "h"}), 40),
        (dosage(quantity(14, "mg"), {"frequency": 1, "period": 1, "periodUnit": "wk"}), 2),
        (dosage(quantity(14, "mg"), {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["wed"]}), 2),
        (dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"]}), 20),
        (dosage(doseAndRate={"doseQuantity": quantity(20, "mg")}), 20),
    ],
)
def test_a_structured_dose_is_milligrams_a_day(sent: Json, milligrams: float) -> None:
    assert entry(request(dosageInstruction=[sent])).daily_dose_mg == milligrams
    assert entry(statement(dosage=[sent])).daily_dose_mg == milligrams


@pytest.mark.requirement("SAF-14")
@pytest.mark.parametrize(
    "sent",
    [
        {"text": "20 mg daily"},
        dosage(quantity(2, "{tablet}")),
        dosage(quantity(1, "mg/kg")),
        dosage(quantity("20", "mg")),
        dosage(quantity(-20, "mg")),
        dosage(quantity(20, "mg", comparator=">")),
        dosage({"value": 20}),
        dosage({"value": 20, "code": "g", "unit": "mg", "system": "http://unitsofmeasure.org"}),
        dosage(asNeededBoolean=True),
        dosage(asNeededCodeableConcept={"text": "pain"}),
        dosage(doseAndRate=[{"doseQuantity": quantity(20, "mg")}, {"doseQuantity": quantity(40, "mg")}]),
        dosage(doseAndRate=[{"doseRange": {"low": quantity(10, "mg"), "high": quantity(20, "mg")}}]),
        dosage(timing={"code": {"text": "QD"}}),
        dosage(timing=None),
        dosage(repeat={"frequency": 1, "period": 1}),
        dosage(repeat={"frequency": 1, "periodUnit": "d"}),
        dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "mo"}),
        dosage(repeat={"frequency": 1, "period": 0, "periodUnit": "d"}),
        dosage(repeat={"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}),
        dosage(repeat={"frequency": 1, "period": 1, "periodMax": 2, "periodUnit": "d"}),
        dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "d", "count": 1}),
        dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]}),
        dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"]}),
        dosage(repeat={"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon"]}),
    ],
)
def test_a_dose_that_is_not_wholly_structured_is_not_computed(sent: Json) -> None:
    """SAF-14: no dose claim from free text or half a schedule."""
    assert entry(request(dosageInstruction=[sent])).daily_dose_mg is None


def test_several_dosages_are_not_added_up() -> None:
    assert entry(request(dosageInstruction=[dosage(), dosage()])).daily_dose_mg is None


def test_a_dosage_with_an_unknown_modifier_says_nothing() -> None:
    """SAF-07."""
    record = read(patient(), request(dosageInstruction=[dosage(modifierExtension=[{"url": "x"}], **until(end="2025-01"))]))
    (found,) = record.drugs["methotrexate"]
    assert (found.daily_dose_mg, found.end, found.is_current) == (None, None, True)
    assert list(problems(record)) == ["MedicationRequest/mtx.dosageInstruction"]


def test_an_administration_has_no_daily_dose() -> None:
    assert entry(administration(dosage={"dose": quantity(1000, "mg")}, subject=ME)).daily_dose_mg is None
