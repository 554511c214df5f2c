"""Tests and referrals: done, ordered, not on record, or not to be told (design section 4, rules 1 and 3)."""

from datetime import date

import pytest

from fhir_profiles.findings import Standing
from fhir_profiles.investigations import Investigation
from tests.patient import Patient

PATIENT = Patient().has("dermatomyositis", since="2026-05")


def look_for(patient: Patient, code: str, since: date | None = None) -> Investigation:
    return patient.assess().investigation(code, since)


@pytest.mark.parametrize(
    "patient", [PATIENT.had("colonoscopy", on="2026-07-12"), PATIENT.reported("colonoscopy", on="2026-07-12")]
)
def test_a_procedure_or_a_report_shows_that_it_was_done(patient: Patient) -> None:
    found = look_for(patient, "colonoscopy")
    assert (found.standing, found.last_done, found.is_ordered) == (Standing.PRESENT, date(2026, 7, 12), False)
    assert [item.text for item in found.evidence] == ["colonoscopy done on 12 July 2026"]


def test_an_order_shows_that_it_is_ordered_and_not_that_it_was_done() -> None:
    found = look_for(PATIENT.ordered("colonoscopy", on="2026-11-01"), "colonoscopy")
    assert (found.standing, found.last_done, found.is_ordered) == (Standing.PRESENT, None, True)
    assert [item.text for item in found.evidence] == ["colonoscopy ordered on 1 November 2026"]


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_a_procedure_that_did_not_take_place_was_not_done(status: str) -> None:
    resource = PATIENT.had("colonoscopy").resources[-1] | {"status": status}
    assert look_for(Patient(resources=(*PATIENT.resources, resource)), "colonoscopy").standing is Standing.NOT_RECORDED


@pytest.mark.parametrize("status", ["revoked", "entered-in-error"])
def test_an_order_that_was_taken_back_is_none(status: str) -> None:
    resource = PATIENT.ordered("colonoscopy").resources[-1] | {"status": status}
    assert look_for(Patient(resources=(*PATIENT.resources, resource)), "colonoscopy").standing is Standing.NOT_RECORDED


def test_a_test_of_next_year_was_not_done() -> None:
    assert look_for(PATIENT.had("colonoscopy", on="2027-01-01"), "colonoscopy").standing is Standing.NOT_RECORDED


def test_a_test_before_the_first_day_that_counts_does_not_count() -> None:
    patient = PATIENT.had("colonoscopy", on="2020-01-01")
    assert look_for(patient, "colonoscopy", since=date(2025, 5, 1)).standing is Standing.NOT_RECORDED
    assert look_for(patient, "colonoscopy").standing is Standing.PRESENT


def test_a_test_without_a_date_counts() -> None:
    found = look_for(PATIENT.had("colonoscopy", on=None), "colonoscopy", since=date(2025, 5, 1))
    assert found.standing is Standing.PRESENT
    assert [item.text for item in found.evidence] == ["colonoscopy done, undated"]


def test_a_test_dated_to_the_year_in_which_counting_begins_counts() -> None:
    assert look_for(PATIENT.had("colonoscopy", on="2025"), "colonoscopy", since=date(2025, 5, 1)).standing is Standing.PRESENT


def test_the_newest_of_several_is_told() -> None:
    patient = PATIENT.had("colonoscopy", on="2026-06-01").had("colonoscopy", on="2026-09-01")
    assert look_for(patient, "colonoscopy").last_done == date(2026, 9, 1)


# --- combinations -------------------------------------------------------------------------------------------------------


def test_chest_and_abdomen_together_are_the_screening_scan() -> None:
    assert look_for(PATIENT.had("ct_chest").had("ct_abdomen"), "fdg-pet-ct").standing is Standing.PRESENT
    assert look_for(PATIENT.had("ct_chest"), "fdg-pet-ct").standing is Standing.NOT_RECORDED
    assert look_for(PATIENT.had("ct_abdomen"), "fdg-pet-ct").standing is Standing.NOT_RECORDED


def test_one_part_done_and_the_other_ordered_is_ordered() -> None:
    found = look_for(PATIENT.had("ct_chest").ordered("ct_abdomen"), "fdg-pet-ct")
    assert (found.standing, found.is_ordered) == (Standing.PRESENT, True)


@pytest.mark.parametrize("scan", ["pet_ct_fdg", "pet_whole_body", "ct_chest_abdomen", "ct_chest_abdomen_pelvis"])
@pytest.mark.parametrize("asked", ["ct-thorax", "ct-abdomen", "fdg-pet-ct"])
def test_a_scan_of_both_and_a_pet_ct_stand_for_either(scan: str, asked: str) -> None:
    assert look_for(PATIENT.had(scan), asked).standing is Standing.PRESENT


@pytest.mark.parametrize("test", ["pulmonary_function_test", "spirometry"])
def test_a_lung_function_test_may_be_a_procedure(test: str) -> None:
    assert look_for(PATIENT.had(test), "pulmonary-function-test").standing is Standing.PRESENT


@pytest.mark.parametrize("result", ["fvc", "fvc_percent_predicted", "dlco", "dlco_percent_predicted"])
def test_a_lung_function_result_shows_that_the_test_was_done(result: str) -> None:
    assert look_for(PATIENT.result(result, 4.0), "pulmonary-function-test").standing is Standing.PRESENT


def test_days_of_a_combination_are_those_on_which_it_became_complete() -> None:
    patient = (
        PATIENT.had("ct_chest", on="2026-01-05")
        .had("ct_abdomen", on="2026-01-20")
        .had("pet_ct_fdg", on="2026-06-01")
        .had("ct_chest", on="2026-10-01")
    )
    assert patient.assess().days_done("fdg-pet-ct") == (date(2026, 1, 20), date(2026, 6, 1))
    assert patient.assess().days_done("fdg-pet-ct", since=date(2026, 3, 1)) == (date(2026, 6, 1),)


# --- what the absence of a test means -----------------------------------------------------------------------------------


def test_nothing_in_what_was_supplied_is_not_on_record_and_needs_no_caveat() -> None:
    found = look_for(PATIENT, "colonoscopy")
    assert (found.standing, found.missing) == (Standing.NOT_RECORDED, ())


def test_what_was_not_supplied_is_named() -> None:
    found = look_for(PATIENT.without("Procedure", "DiagnosticReport"), "colonoscopy")
    assert found.standing is Standing.NOT_SUPPLIED
    assert [m.text for m in found.missing] == [
        "no colonoscopy in the data supplied; procedures and diagnostic reports were not supplied"
    ]


def test_all_kinds_that_could_hold_it_must_have_been_supplied() -> None:
    found = look_for(PATIENT.without("DiagnosticReport"), "pulmonary-function-test")
    assert found.standing is Standing.NOT_SUPPLIED
    assert [m.text for m in found.missing] == [
        "no pulmonary function test in the data supplied; diagnostic reports were not supplied"
    ]


def test_one_kind_that_failed_means_that_it_cannot_be_told() -> None:
    found = look_for(PATIENT.failed("Procedure").without("DiagnosticReport"), "colonoscopy")
    assert found.standing is Standing.FAILED
    assert [m.text for m in found.missing] == ["colonoscopy could not be assessed: procedures could not be read completely"]


def test_what_is_shown_as_done_stands_whatever_else_failed() -> None:
    patient = PATIENT.reported("colonoscopy").failed("Procedure")
    assert look_for(patient, "colonoscopy").standing is Standing.PRESENT


def test_a_test_that_nobody_defined_is_an_error_in_the_question() -> None:
    with pytest.raises(KeyError, match="gastroscopy"):
        look_for(PATIENT, "gastroscopy")
