"""Observation: what the laboratory said, and never more (phenotypes.md section 1, rules 4 and 5)."""

from typing import Any

import pytest

from fhir_profiles.record import InputState, Quantity, Result
from tests.fhir_profiles.charts import (
    ANTI_JO1,
    CREATINE_KINASE,
    INTERPRETATION,
    LOINC,
    ME,
    PREGNANCY_STATUS,
    SHOE_SIZE,
    SNOMED,
    SOMEBODY_ELSE,
    Json,
    antibody,
    coded,
    facts,
    observation,
    patient,
    problems,
    quantity,
    read,
    report,
    without,
)

POSITIVE, NEGATIVE = coded(SNOMED, "10828004"), coded(SNOMED, "260385009")
PANEL = coded(LOINC, "55284-4")
SYSTOLIC, DIASTOLIC = coded(LOINC, "8480-6"), coded(LOINC, "8462-4")


def result(resource: Json) -> Result:
    (found,) = facts(read(patient(), resource))
    assert isinstance(found, Result)
    return found


def interpretation(*codes: str) -> list[Json]:
    return [coded(INTERPRETATION, code) for code in codes]


# --- status and date -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary", "Final"])
def test_a_reported_result_counts(status: str) -> None:
    assert result(observation(status=status, valueQuantity=quantity(180))).reference == "Observation/ck"


@pytest.mark.requirement("SAF-07")
@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_a_result_that_never_was_does_not_count(status: str) -> None:
    record = read(patient(), observation(status=status, valueQuantity=quantity(180)))
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs["Observation"] is InputState.PRESENT


@pytest.mark.parametrize("status", ["unknown", "done", "", None, 5])
def test_a_result_of_unknown_status_leaves_the_results_incomplete(status: Any) -> None:
    """SAF-07, SAF-08."""
    record = read(patient(), observation(status=status, valueQuantity=quantity(180)))
    assert facts(record) == []
    assert record.inputs["Observation"] is InputState.FAILED
    assert list(problems(record)) == ["Observation/ck.status"]


@pytest.mark.parametrize(
    ("more", "when"),
    [
        ({"effectiveDateTime": "2025-05-02"}, "2 May 2025"),
        ({"effectiveInstant": "2025-05-02T08:00:00Z"}, "2 May 2025"),
        ({"effectivePeriod": {"start": "2025-05-02", "end": "2025-05-04"}}, "between 2 May 2025 and 4 May 2025"),
        ({"issued": "2025-05-03T08:00:00Z"}, "3 May 2025"),
        ({"effectiveDateTime": "2025-05-02", "issued": "2025-05-03T08:00:00Z"}, "2 May 2025"),
        ({}, "None"),
    ],
)
def test_a_result_is_dated_by_when_it_was_taken_else_when_it_was_issued(more: Json, when: str) -> None:
    assert str(result({**without(observation(), "effectiveDateTime"), **more}).when) == when


def test_a_result_from_the_future_is_dropped_and_reported() -> None:
    """SAF-09."""
    record = read(patient(), observation(effectiveDateTime="2025-06-16T00:00:00Z"))
    assert facts(record) == []
    assert "after the day" in problems(record)["Observation/ck"]


# --- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({"interpretation": interpretation("POS")}, "positive"),
        ({"interpretation": interpretation("DET")}, "positive"),
        ({"interpretation": interpretation("H")}, "positive"),
        ({"interpretation": interpretation("A")}, "positive"),
        ({"interpretation": interpretation("NEG")}, "negative"),
        ({"interpretation": interpretation("N")}, "negative"),
        ({"interpretation": interpretation("IND")}, "borderline"),
        ({"interpretation": interpretation("WR")}, "borderline"),
        ({"interpretation": coded(INTERPRETATION, "POS")}, "positive"),
        ({"interpretation": [{"coding": [{"code": "POS"}]}]}, "positive"),
        ({"valueCodeableConcept": POSITIVE}, "positive"),
        ({"valueCodeableConcept": NEGATIVE}, "negative"),
        ({"valueCodeableConcept": {"text": "Weak positive"}}, "borderline"),
        ({"valueCodeableConcept": {"coding": [{"display": "Not detected"}]}}, "negative"),
        ({"valueString": "POSITIVE"}, "positive"),
        ({"valueString": "not detected"}, "negative"),
        ({"valueString": "weakly positive"}, "borderline"),
        ({"valueBoolean": True}, "positive"),
        ({"valueBoolean": False}, "negative"),
        ({"valueString": "see comment"}, None),
        ({"valueString": "1:640"}, None),
        ({"valueString": 5}, None),
        ({"valueBoolean": "true"}, None),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 640}}}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_an_antibody_is_what_the_laboratory_called_it(more: Json, answer: str | None) -> None:
    assert result(antibody(**more)).answer == answer


@pytest.mark.parametrize(
    ("value", "high", "answer"),
    [
        (quantity(25, "RU/mL"), 20, "positive"),
        (quantity(20, "RU/mL"), 20, "negative"),
        (quantity(3, "RU/mL"), 20, "negative"),
        (quantity(3, "RU/mL", comparator="<"), 20, "negative"),
        (quantity(200, "RU/mL", comparator=">"), 20, "positive"),
        (quantity(10, "RU/mL", comparator=">"), 20, None),
        (quantity(25, "RU/mL"), None, None),
    ],
)
def test_without_words_the_laboratorys_own_range_decides_and_no_cutoff_of_ours(
    value: Json, high: float | None, answer: str | None
) -> None:
    limits = [{"high": quantity(high, "RU/mL")}] if high is not None else []
    assert result(antibody(valueQuantity=value, referenceRange=limits)).answer == answer


def test_the_interpretation_comes_before_the_range() -> None:
    found = result(
        antibody(
            valueQuantity=quantity(25, "RU/mL"), referenceRange=[{"high": {"value": 20}}], interpretation=interpretation("NEG")
        )
    )
    assert found.answer == "negative"


def test_words_come_before_a_flag_that_only_says_abnormal() -> None:
    """A negative test for immunity is flagged abnormal; that does not make it positive."""
    found = result(antibody(valueCodeableConcept=NEGATIVE, interpretation=interpretation("A")))
    assert (found.answer, found.interpretation) == ("negative", "abnormal")


@pytest.mark.parametrize("more", [{"valueString": "weak positive"}, {"valueCodeableConcept": {"text": "equivocal"}}])
def test_doubt_in_the_value_is_doubt_whatever_the_interpretation(more: Json) -> None:
    """phenotypes.md section 1, rule 5: weak positive needs confirmation."""
    assert result(antibody(interpretation=interpretation("POS"), **more)).answer == "borderline"


def test_an_interpretation_that_contradicts_the_value_is_taken_and_reported() -> None:
    record = read(patient(), antibody(interpretation=interpretation("NEG"), valueString="positive"))
    assert [fact.answer for fact in record.results["anti_jo1"]] == ["negative"]
    assert list(problems(record)) == ["Observation/jo1.interpretation"]


@pytest.mark.parametrize("codes", [("POS", "NEG"), ("H", "L"), ("N", "H")])
def test_an_interpretation_that_contradicts_itself_is_not_evaluated(codes: tuple[str, str]) -> None:
    record = read(patient(), antibody(interpretation=interpretation(*codes)))
    (found,) = record.results["anti_jo1"]
    assert (found.answer, found.interpretation) == (None, None)
    assert list(problems(record)) == ["Observation/jo1.interpretation"]


@pytest.mark.parametrize(
    ("codes", "level", "above", "below"),
    [
        (["H"], "high", True, False),
        (["HH", "H"], "high", True, False),
        (["L"], "low", False, True),
        (["N"], "normal", False, False),
        (["A"], "abnormal", None, None),
        (["H", "A"], "high", True, False),
        (["QCF"], None, None, None),
    ],
)
def test_a_measured_value_is_high_or_low_and_not_positive(
    codes: list[str], level: str | None, above: bool | None, below: bool | None
) -> None:
    found = result(observation(interpretation=interpretation(*codes), valueQuantity=quantity(180)))
    assert (found.interpretation, found.answer) == (level, None)
    assert (found.is_above_range, found.is_below_range) == (above, below)


@pytest.mark.parametrize(("code", "concept"), [("60001007", "not_pregnant"), ("77386006", "pregnancy")])
def test_a_coded_answer_keeps_its_concepts(code: str, concept: str) -> None:
    found = result(observation(code=PREGNANCY_STATUS, valueCodeableConcept=coded(SNOMED, code)))
    assert concept in found.answer_concepts


# --- quantities ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (quantity(180), Quantity(180, "U/L")),
        (quantity(3, "ukat/L"), Quantity(180, "U/L")),
        (quantity(10000, comparator=">"), Quantity(10000, "U/L", ">")),
        (quantity(0.5, comparator="<"), Quantity(0.5, "U/L", "<")),
        ({"value": 180, "unit": "IU/L"}, Quantity(180, "U/L")),
    ],
)
def test_a_measured_value_is_converted_to_one_unit(sent: Json, read_as: Quantity) -> None:
    assert result(observation(valueQuantity=sent)).quantity == read_as


@pytest.mark.parametrize(
    "more",
    [
        {"valueQuantity": {"value": 180}},
        {"valueQuantity": quantity(180, "mg/dL")},
        {"valueQuantity": {"value": 180, "system": "http://unitsofmeasure.org", "code": "ukat/L", "unit": "U/L"}},
        {"valueInteger": 180},
        {"valueString": "180"},
        {"valueString": "<180"},
    ],
)
def test_a_measured_value_in_a_unit_that_is_not_listed_is_not_evaluated(more: Json) -> None:
    """SAF-11."""
    record = read(patient(), observation(**more))
    (found,) = record.results["creatine_kinase"]
    assert (found.quantity, found.is_above_range) == (None, None)
    assert list(problems(record).values()) == ["unit not recognised, not evaluated"]


@pytest.mark.parametrize(
    "more",
    [
        {"valueQuantity": quantity("13.6")},
        {"valueQuantity": quantity(True)},
        {"valueQuantity": quantity([180])},
        {"valueQuantity": quantity(float("nan"))},
        {"valueQuantity": quantity(10**400)},
        {"valueQuantity": quantity(180, comparator="about")},
        {"valueQuantity": quantity(180, comparator=["<"])},
        {"valueQuantity": "180 U/L"},
        {"valueQuantity": quantity(180), "valueString": "180"},
        {"valueInteger": "180"},
    ],
    ids=repr,
)
def test_a_value_that_is_no_proper_value_is_reported_and_the_result_kept_without_it(more: Json) -> None:
    record = read(patient(), observation(**more))
    assert [fact.quantity for fact in record.results["creatine_kinase"]] == [None]
    assert len(record.issues) == 1
    assert record.inputs["Observation"] is InputState.PRESENT


def test_what_has_no_listed_unit_keeps_value_and_unit_as_sent() -> None:
    assert result(antibody(valueQuantity={"value": 25, "unit": "RU/mL"})).quantity == Quantity(25, "RU/mL")
    assert result(antibody(valueString="<0,5")).quantity == Quantity(0.5, "", "<")
    assert result(antibody(valueInteger=3)).quantity == Quantity(3, "")


# --- reference range -----------------------------------------------------------------------------------------------


def limits(low: Any, high: Any, unit: str = "U/L", **more: Any) -> Json:
    return {"low": quantity(low, unit), "high": quantity(high, unit), **more}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([limits(30, 200)], (30, 200)),
        (limits(30, 200), (30, 200)),
        ([{"low": {"value": 30}, "high": {"value": 200}}], (30, 200)),
        ([limits(0.5, 3, "ukat/L")], (30, 180)),
        ([limits(30, 200, "mg/L")], (None, None)),
        ([{"high": quantity(200)}], (None, 200)),
        ([limits(1, 2, age={"high": {"value": 18}}), limits(30, 200)], (30, 200)),
        ([limits(1, 2, appliesTo=[{"text": "male"}]), limits(30, 200)], (30, 200)),
        (
            [limits(1, 2, type={"coding": [{"code": "therapeutic"}]}), limits(30, 200, type={"coding": [{"code": "normal"}]})],
            (30, 200),
        ),
        ([limits(1, 2, age={"high": {"value": 18}}), limits(30, 200, age={"low": {"value": 18}})], (None, None)),
        ([limits(30, 200, appliesTo=[{"text": "female"}])], (30, 200)),
        ([limits("30", 200)], (None, 200)),
        ("30 to 200", (None, None)),
        ([{"text": "30 to 200"}], (None, None)),
        ([5, None], (None, None)),
    ],
    ids=repr,
)
def test_the_range_is_the_one_for_everybody_or_the_only_one(ranges: Any, expected: tuple[float | None, float | None]) -> None:
    found = result(observation(valueQuantity=quantity(180), referenceRange=ranges))
    assert (found.low, found.high) == expected


def test_a_range_is_converted_with_the_value() -> None:
    found = result(observation(valueQuantity=quantity(5, "ukat/L"), referenceRange=[{"high": {"value": 3, "unit": "µkat/L"}}]))
    assert (found.quantity, found.high, found.is_above_range) == (Quantity(300, "U/L"), 180, True)


def test_a_range_in_another_unit_than_the_value_is_no_range() -> None:
    for sent in (quantity(25, "RU/mL"), {"value": 25}, {"value": 25, "unit": 5, "code": []}):
        found = result(antibody(valueQuantity=sent, referenceRange=[{"high": {"value": 1, "unit": "ratio"}}]))
        assert (found.high, found.answer) == (None, None)


def test_a_range_in_the_words_of_the_value_is_its_range() -> None:
    limit = {"value": 20, "unit": "ru/ml"}
    assert result(antibody(valueQuantity=quantity(25, "RU/mL"), referenceRange=[{"high": limit}])).answer == "positive"


# --- panels --------------------------------------------------------------------------------------------------------

BLOOD_PRESSURE = observation(
    id="bp",
    code=PANEL,
    component=[
        {"code": SYSTOLIC, "valueQuantity": quantity(150, "mm[Hg]")},
        {"code": DIASTOLIC, "valueQuantity": quantity(95, "mm[Hg]")},
    ],
)


def test_each_component_is_a_result_of_its_own_with_the_date_of_the_whole() -> None:
    record = read(patient(), BLOOD_PRESSURE)
    found = {concept: results[0] for concept, results in record.results.items()}
    assert {concept: fact.quantity for concept, fact in found.items()} == {
        "bp_systolic": Quantity(150, "mm[Hg]"),
        "bp_diastolic": Quantity(95, "mm[Hg]"),
    }
    assert {(fact.reference, str(fact.when)) for fact in found.values()} == {("Observation/bp", "1 June 2025")}


def test_the_status_of_the_whole_is_that_of_its_components() -> None:
    assert facts(read(patient(), {**BLOOD_PRESSURE, "status": "entered-in-error"})) == []


def test_a_panel_without_a_value_of_its_own_is_no_result() -> None:
    component = {"code": SYSTOLIC, "valueQuantity": quantity(150, "mm[Hg]")}
    record = read(patient(), antibody(component=[component]), antibody(id="panel", hasMember=[{"reference": "Observation/x"}]))
    assert list(record.results) == ["bp_systolic"]


def test_a_panel_with_a_value_of_its_own_is_a_result_too() -> None:
    record = read(
        patient(), antibody(valueString="positive", component=[{"code": SYSTOLIC, "valueQuantity": quantity(150, "mm[Hg]")}])
    )
    assert set(record.results) == {"anti_jo1", "bp_systolic"}


def test_a_component_with_an_unknown_modifier_is_not_used_and_its_neighbours_are() -> None:
    """SAF-07."""
    bad = {"code": SYSTOLIC, "valueQuantity": quantity(150, "mm[Hg]"), "modifierExtension": [{"url": "x"}]}
    record = read(
        patient(), observation(code=PANEL, component=[bad, {"code": DIASTOLIC, "valueQuantity": quantity(95, "mm[Hg]")}])
    )
    assert list(record.results) == ["bp_diastolic"]
    assert list(problems(record)) == ["Observation/ck.component[0].modifierExtension"]
    assert record.inputs["Observation"] is InputState.FAILED


def test_a_malformed_component_costs_no_other() -> None:
    record = read(
        patient(),
        observation(code=PANEL, component=[5, {"code": 7}, {"code": DIASTOLIC, "valueQuantity": quantity(95, "mm[Hg]")}]),
    )
    assert list(record.results) == ["bp_diastolic"]
    assert list(problems(record)) == ["Observation/ck.component[0]", "Observation/ck.component[1]"]


MEMBER = without(antibody(id="m", valueString="positive"), "subject", "effectiveDateTime")


@pytest.mark.parametrize(
    ("outer", "when"),
    [
        (observation(code=PANEL, hasMember=[{"reference": "#m"}]), "1 June 2025"),
        (report(result=[{"reference": "#m"}]), "1 March 2025"),
        (report(code=SHOE_SIZE, result=[{"reference": "#m"}]), "1 March 2025"),
    ],
)
def test_a_contained_member_is_a_result_with_date_and_subject_of_what_contains_it(outer: Json, when: str) -> None:
    record = read(patient(), {**outer, "contained": [MEMBER]})
    (found,) = record.results["anti_jo1"]
    assert (found.answer, str(found.when)) == ("positive", when)
    assert found.reference == f"{outer['resourceType']}/{outer['id']}"


def test_a_contained_member_that_is_not_listed_is_not_read() -> None:
    assert facts(read(patient(), observation(code=PANEL, contained=[MEMBER]))) == []


def test_members_contained_in_contained_members_are_not_followed() -> None:
    """FHIR knows one level; a sender who nests thousands must not exhaust the stack."""
    nested = MEMBER
    for _ in range(5_000):
        nested = {**observation(id="m", code=PANEL, hasMember=[{"reference": "#m"}]), "contained": [nested]}
    assert facts(read(patient(), nested)) == []


def test_a_contained_member_entered_in_error_does_not_count() -> None:
    outer = observation(code=PANEL, hasMember=[{"reference": "#m"}], contained=[{**MEMBER, "status": "entered-in-error"}])
    assert facts(read(patient(), outer)) == []


def test_a_contained_member_whose_subject_cannot_be_told_is_not_read() -> None:
    outer = observation(code=PANEL, hasMember=[{"reference": "#m"}], contained=[{**MEMBER, "subject": {"display": "donor"}}])
    record = read(patient(), outer)
    assert facts(record) == []
    assert record.inputs["Observation"] is InputState.FAILED


def test_a_contained_member_of_another_patient_is_a_mismatch() -> None:
    outer = observation(code=PANEL, hasMember=[{"reference": "#m"}], contained=[{**MEMBER, "subject": SOMEBODY_ELSE}])
    assert read(patient(), outer).is_mismatched


def test_members_that_were_sent_along_stand_for_themselves() -> None:
    panel = observation(id="p", code=PANEL, hasMember=[{"reference": "Observation/jo1"}])
    assert [fact.reference for fact in facts(read(patient(), panel, antibody(valueString="positive")))] == ["Observation/jo1"]


# --- no result -----------------------------------------------------------------------------------------------------


def test_a_test_that_gave_no_result_is_no_result() -> None:
    absent = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")
    assert facts(read(patient(), observation(dataAbsentReason=absent))) == []


def test_a_result_of_which_only_the_value_is_missing_still_shows_that_the_test_was_done() -> None:
    found = result(observation())
    assert (found.quantity, found.answer) == (None, None)


def test_an_observation_that_is_none_of_ours_is_passed_over_whatever_its_state() -> None:
    record = read(patient(), observation(code=SHOE_SIZE, status="nonsense", valueQuantity="x", effectiveDateTime=5))
    assert (facts(record), record.issues) == ([], ())


def test_the_newest_result_comes_first_and_the_undated_last() -> None:
    dates = {"a": "2025-01-01", "b": "2025-06-01", "c": None, "d": "2025"}
    record = read(
        patient(), *(observation(id=name, effectiveDateTime=day, valueQuantity=quantity(1)) for name, day in dates.items())
    )
    assert [fact.reference[-1] for fact in record.results["creatine_kinase"]] == ["d", "b", "a", "c"]


def test_a_code_of_several_concepts_is_filed_under_each() -> None:
    both = {"coding": CREATINE_KINASE["coding"] + ANTI_JO1["coding"]}
    assert set(read(patient(), observation(code=both, subject=ME)).results) == {"creatine_kinase", "anti_jo1"}
