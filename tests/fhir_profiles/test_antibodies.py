"""Autoantibodies: the newest answer of each, never more certain than the laboratory was (phenotypes.md section 1)."""

import pytest

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.clinical_definitions import definitions
from tests.patient import Patient


def tif1(patient: Patient) -> AntibodyResult:
    return patient.assess().antibodies["anti-tif1-gamma"]


@pytest.mark.parametrize("answer", ["positive", "negative", "borderline"])
def test_the_laboratorys_answer_is_kept_as_it_is(answer: str) -> None:
    found = tif1(Patient().antibody("anti_tif1_gamma", answer, on="2026-03-03"))
    assert found.result == answer
    assert str(found) == f"anti-TIF1-γ {answer} on 3 March 2026"
    assert found.source.reference == "Observation/observation-1"


def test_an_antibody_that_was_never_tested_is_absent_and_not_negative() -> None:
    assert Patient().assess().antibodies == {}


def test_a_number_above_the_laboratorys_range_is_positive() -> None:
    assert tif1(Patient().result("anti_tif1_gamma", 96, high=20)).result == "positive"
    assert tif1(Patient().result("anti_tif1_gamma", 4, high=20)).result == "negative"


def test_a_number_without_a_range_is_no_answer() -> None:
    assert Patient().result("anti_tif1_gamma", 96).assess().antibodies == {}


def test_weakly_positive_is_borderline() -> None:
    weak = Patient().add(
        "Observation",
        status="final",
        code={"text": "Anti-TIF1-gamma"},
        effectiveDateTime="2026-10-01",
        valueString="weakly positive",
    )
    assert tif1(weak).result == "borderline"


def test_the_newest_answer_counts_in_whatever_order_they_came() -> None:
    patient = (
        Patient()
        .antibody("anti_tif1_gamma", "positive", on="2026-01-01")
        .antibody("anti_tif1_gamma", "negative", on="2026-10-01")
    )
    assert tif1(patient).result == tif1(patient.shuffled([1, 0])).result == "negative"


def test_an_earlier_positive_is_kept_when_the_negative_came_under_treatment() -> None:
    patient = (
        Patient()
        .antibody("anti_tif1_gamma", "positive", on="2026-01-01")
        .takes("prednisone", since="2026-02-01")
        .antibody("anti_tif1_gamma", "negative", on="2026-10-01")
    )
    assert tif1(patient).result == "positive"
    assert tif1(patient).has_fallen
    assert str(tif1(patient)) == "anti-TIF1-γ positive on 1 January 2026 (a later result, under treatment, was not)"


def test_an_earlier_positive_is_kept_when_a_borderline_result_came_under_treatment() -> None:
    """Section 1, rule 5: antibodies can fall under treatment; falling to borderline is falling too."""
    patient = (
        Patient()
        .antibody("anti_tif1_gamma", "positive", on="2026-01-01")
        .takes("prednisone", since="2026-02-01")
        .antibody("anti_tif1_gamma", "borderline", on="2026-10-01")
    )
    assert tif1(patient).result == "positive"


def test_treatment_that_began_after_the_negative_result_saves_no_positive() -> None:
    patient = (
        Patient()
        .antibody("anti_tif1_gamma", "positive", on="2026-01-01")
        .antibody("anti_tif1_gamma", "negative", on="2026-03-01")
        .takes("prednisone", since="2026-05-01")
    )
    assert tif1(patient).result == "negative"


def test_hydroxychloroquine_is_not_such_a_treatment() -> None:
    patient = (
        Patient()
        .antibody("anti_tif1_gamma", "positive", on="2026-01-01")
        .takes("hydroxychloroquine", since="2026-02-01")
        .antibody("anti_tif1_gamma", "negative", on="2026-10-01")
    )
    assert tif1(patient).result == "negative"


def test_of_several_results_of_one_day_a_positive_one_counts() -> None:
    patient = Patient().antibody("anti_mi2_alpha", "negative").antibody("anti_mi2_beta", "positive")
    assert patient.assess().antibodies["anti-mi2"].result == "positive"


def test_a_result_that_was_cancelled_or_entered_in_error_is_none() -> None:
    for status in ("cancelled", "entered-in-error", "registered"):
        resource = Patient().antibody("anti_tif1_gamma", "positive").resources[0] | {"status": status}
        assert Patient(resources=(resource,)).assess().antibodies == {}


def test_an_antibody_known_by_its_name_alone_says_so() -> None:
    patient = Patient().antibody("text:Anti-TIF1-gamma", "positive")
    assert str(tif1(patient)).endswith("(matched by text, not by code)")


def test_the_eight_antisynthetase_antibodies_are_marked_as_such() -> None:
    ars = {code for code, antibody in definitions().antibodies.items() if antibody.ars}
    assert ars == {"anti-jo1", "anti-pl7", "anti-pl12", "anti-ej", "anti-oj", "anti-ks", "anti-zo", "anti-ha"}


def test_associated_antibodies_are_not_called_specific() -> None:
    specific = {code for code, antibody in definitions().antibodies.items() if antibody.specific}
    assert specific.isdisjoint({"anti-ro52", "anti-ku", "anti-pm-scl", "anti-u1-rnp", "anti-cn1a"})
