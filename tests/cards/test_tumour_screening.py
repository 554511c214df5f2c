"""Tumour screening: Titulaer 2011 by sex and age, Sunderkötter 2016 for anti-TIF1-γ, and what is already done (C5, C15)."""

import pytest

from fhir_profiles.findings import Answer
from tests.cards.reading import card_about, explanation, held, orders, undecided
from tests.patient import Json, Patient

BORN = {49: "1977-06-01", 50: "1976-06-01", 51: "1975-06-01"}
CT = {"ct-thorax", "ct-abdomen"}
WOMEN = {"pelvic-ultrasound", "mammography"}

MAN_OF_60 = Patient(sex="male", born="1966-01-01").has("dermatomyositis", since="2025-12")
WOMAN_OF_62 = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-05")
BASIC_PANEL = {"chest-x-ray", "blood-count", "liver-tests", "inflammation-markers"}
TIF1_GAMMA = "sunderkotter-2016-tif1g-tumour-screen"
WHOLE_SCREEN = CT | WOMEN | {"colonoscopy"}


def screen(patient: Patient) -> set[str]:
    """What the card offers, apart from the pregnancy test that goes before imaging."""
    return orders(patient.cards(), "tumourScreening") - {"pregnancy-test"}


def card(patient: Patient) -> Json | None:
    return card_about("tumourScreening", patient.cards())


def words(patient: Patient) -> str:
    found = card(patient)
    assert found is not None
    return f"{found['summary']}\n{found['detail']}"


# --- who is offered what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sex", "age", "expected"),
    [
        ("female", 49, CT | WOMEN),
        ("female", 50, CT | WOMEN),
        ("female", 51, CT | WOMEN | {"colonoscopy"}),
        ("male", 49, CT | {"testicular-ultrasound"}),
        ("male", 50, CT),
        ("male", 51, CT | {"colonoscopy"}),
    ],
)
def test_dermatomyositis_is_screened_by_sex_and_age(sex: str, age: int, expected: set[str]) -> None:
    patient = Patient(sex=sex, born=BORN[age]).has("dermatomyositis", since="2026-05")
    assert screen(patient) == expected
    assert screen(patient.antibody("anti_tif1_gamma", "negative")) == expected
    assert screen(patient.antibody("anti_tif1_gamma", "borderline")) == expected | {"anti-tif1-gamma"}  # which is repeated
    for antibody in ("anti_mda5", "anti_mi2"):
        assert screen(patient.antibody(antibody, "positive")) == expected | {"anti-tif1-gamma"}  # untested, and it decides (C5)


@pytest.mark.parametrize(
    ("sex", "age", "expected"),
    [
        ("female", 49, CT | WOMEN | {"fdg-pet-ct", "gynaecological-examination"}),
        ("female", 50, CT | WOMEN | {"fdg-pet-ct", "gynaecological-examination"}),
        ("female", 51, CT | WOMEN | {"fdg-pet-ct", "gynaecological-examination", "colonoscopy"}),
        ("male", 49, CT | {"fdg-pet-ct", "urological-examination", "testicular-ultrasound"}),
        ("male", 50, CT | {"fdg-pet-ct", "urological-examination"}),
        ("male", 51, CT | {"fdg-pet-ct", "urological-examination", "colonoscopy"}),
    ],
)
def test_anti_tif1_gamma_adds_the_pet_ct_as_alternative_and_the_examination(sex: str, age: int, expected: set[str]) -> None:
    patient = Patient(sex=sex, born=BORN[age]).has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive")
    assert screen(patient) == expected
    found = card(patient)
    assert found is not None
    assert found["indicator"] == "warning"
    assert "alternative to CT" in str(found)


def test_clinically_amyopathic_dermatomyositis_is_dermatomyositis() -> None:
    assert screen(Patient().has("dermatomyositis_clinically_amyopathic", since="2026-05")) == WHOLE_SCREEN


@pytest.mark.parametrize(
    "patient",
    [
        Patient().has("polymyositis", since="2026-05"),
        Patient().has("polymyositis", since="2026-05").antibody("anti_tif1_gamma", "positive"),
        Patient().has("inclusion_body_myositis", since="2020"),
        Patient().has("antisynthetase_syndrome", since="2026-05"),
        Patient().has("http://hl7.org/fhir/sid/icd-10-cm|M33.90", since="2026-05"),
        Patient().has("dermatomyositis", since="2026-05", verification="provisional"),
        Patient().has("dermatomyositis", since="2016-05", status="resolved"),
        Patient(born="2016-01-01").has("dermatomyositis", since="2026-05"),
        Patient(born="2016-01-01").has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive"),
        Patient(born="2000-04-01").has("dermatomyositis", since="2012-09"),
        Patient().antibody("anti_tif1_gamma", "positive"),
    ],
    ids=[
        *("polymyositis", "polymyositis with anti-TIF1-gamma", "inclusion body myositis", "antisynthetase syndrome"),
        *("not specified", "suspected", "resolved", "child", "child with anti-TIF1-gamma", "adult with juvenile onset"),
        "antibody alone",
    ],
)
def test_the_sources_give_no_rule_for_anybody_else(patient: Patient) -> None:
    assert not [name for name in held(patient) if name.startswith(("titulaer", "meyer-2019-dm")) or name == TIF1_GAMMA]


@pytest.mark.parametrize("diagnosis", ["polymyositis", "antisynthetase_syndrome", "immune_mediated_necrotising_myopathy"])
def test_for_another_adult_myositis_imacs_2023_starts_with_its_basic_panel(diagnosis: str) -> None:
    """beyond-sources.md section 3, M; labelled with its own name."""
    patient = Patient().has(diagnosis, since="2026-05")
    assert screen(patient) == BASIC_PANEL
    assert "IMACS 2023" in words(patient)
    assert "that does not mean screening is not needed" in words(patient)
    assert screen(Patient().has(diagnosis, since="2023-05")) == set()


@pytest.mark.parametrize(
    "patient",
    [
        Patient().has("inclusion_body_myositis", since="2026-05"),
        Patient().has("dermatomyositis", since="2026-05", verification="provisional"),
        Patient().has("polymyositis", since="2026-05", status="resolved"),
        Patient(born="2016-01-01").has("dermatomyositis", since="2026-05"),
        Patient(born="2007-04-01").has("dermatomyositis", since="2025-01"),
        Patient().antibody("anti_tif1_gamma", "positive"),
    ],
    ids=["inclusion body myositis", "suspected", "resolved", "child", "adult with juvenile onset", "antibody alone"],
)
def test_nobody_else_gets_a_tumour_card(patient: Patient) -> None:
    assert card(patient) is None


def test_exactly_50_is_in_neither_band_and_the_card_says_so() -> None:
    patient = Patient(sex="male", born=BORN[50]).has("dermatomyositis", since="2026-05")
    assert "Age 50 is in neither age band of Titulaer 2011" in words(patient)
    assert "C15" in words(patient)
    assert "C15" not in words(Patient(sex="male", born=BORN[51]).has("dermatomyositis", since="2026-05"))


def test_both_guidelines_are_shown_where_they_disagree() -> None:
    found = card(WOMAN_OF_62)
    assert found is not None
    assert explanation(found)["conflicts"] == ["C5"]
    assert "Sunderkötter 2016 (eminence-based): anti-TIF1-γ dermatomyositis" in found["detail"]


def test_where_the_sex_is_not_given_it_is_asked_for_and_nothing_of_either_is_ordered() -> None:
    patient = Patient(sex=None).has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive")
    assert screen(patient) == CT | {"colonoscopy", "fdg-pet-ct"}
    assert undecided(patient)["titulaer-2011-dm-mammography-women"].missing[0].concept == "Patient.gender"


def test_where_the_date_of_birth_leaves_it_open_nothing_of_an_age_band_is_ordered() -> None:
    patient = Patient(sex="male", born="1976").has("dermatomyositis", since="2026-05")
    assert screen(patient) == CT
    assert undecided(patient)["titulaer-2011-dm-testes-ultrasound-men-under-50"].missing[0].text == "the exact date of birth"


def test_without_a_date_of_birth_the_screen_waits_for_it() -> None:
    patient = Patient(sex="male", born=None).has("dermatomyositis", since="2026-05")
    assert screen(patient) == set()
    assert words(patient).startswith("Tumour screening: could not be assessed; date of birth")


# --- what is already done -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "settled"),
    [
        ("colonoscopy", {"colonoscopy"}),
        ("mammography", {"mammography"}),
        ("pelvic_ultrasound", {"pelvic-ultrasound"}),
        ("pelvic_ultrasound_transvaginal", {"pelvic-ultrasound"}),
        ("ct_chest", {"ct-thorax"}),
        ("ct_abdomen", {"ct-abdomen"}),
        ("ct_abdomen_pelvis", {"ct-abdomen"}),
        ("ct_chest_abdomen", CT),
        ("ct_chest_abdomen_pelvis", CT),
        ("pet_ct_fdg", CT),
        ("chest_xray", set()),
        ("abdominal_ultrasound", set()),
        ("hrct_chest", set()),
    ],
)
def test_what_was_done_or_ordered_is_not_suggested_again(test: str, settled: set[str]) -> None:
    assert screen(WOMAN_OF_62.had(test)) == WHOLE_SCREEN - settled
    assert screen(WOMAN_OF_62.reported(test)) == WHOLE_SCREEN - settled
    assert screen(WOMAN_OF_62.ordered(test)) == WHOLE_SCREEN - settled


def test_a_testicular_ultrasound_is_not_suggested_again_either() -> None:
    man = Patient(sex="male", born=BORN[49]).has("dermatomyositis", since="2026-05")
    assert screen(man.had("testicular_ultrasound")) == CT


@pytest.mark.parametrize("imaging", [("pet_ct_fdg",), ("ct_chest_abdomen",), ("ct_chest", "ct_abdomen")])
def test_either_imaging_settles_both_guidelines(imaging: tuple[str, ...]) -> None:
    patient = WOMAN_OF_62.antibody("anti_tif1_gamma", "positive")
    for test in imaging:
        patient = patient.had(test)
    assert screen(patient) == WOMEN | {"colonoscopy", "gynaecological-examination"}


@pytest.mark.parametrize("examination", ["gynaecological_exam", "referral_gynaecology"])
def test_the_gynaecological_examination_is_settled_by_itself_or_by_a_referral(examination: str) -> None:
    patient = WOMAN_OF_62.antibody("anti_tif1_gamma", "positive")
    assert "gynaecological-examination" not in screen(patient.ordered(examination))


def test_what_is_done_is_shown_beside_what_is_left() -> None:
    assert "CT of the thorax done on 15 October 2026" in words(WOMAN_OF_62.had("ct_chest"))


@pytest.mark.parametrize(("on", "counts"), [("2025-05-01", True), ("2025-04-30", False), ("2019", False)])
def test_a_test_counts_from_a_year_before_the_disease_began(on: str, counts: bool) -> None:
    assert ("colonoscopy" not in screen(WOMAN_OF_62.had("colonoscopy", on=on))) is counts


def test_where_the_disease_has_no_date_every_test_counts() -> None:
    assert "colonoscopy" not in screen(Patient().has("dermatomyositis").had("colonoscopy", on="2012-01-01"))


def test_a_complete_screen_of_last_month_leaves_nothing_to_say() -> None:
    done = MAN_OF_60.had("ct_chest_abdomen", on="2026-10-20").had("colonoscopy", on="2026-10-20")
    assert card(done) is None


# --- the repeats --------------------------------------------------------------------------------------------------------


def screened(*days: str, since: str = "2025-12") -> Patient:
    """A man of 60 with a whole primary screen on the first of the days, and imaging on each of the others."""
    patient = Patient(sex="male", born="1966-01-01").has("dermatomyositis", since=since).had("colonoscopy", on=days[0])
    for day in days:
        patient = patient.had("ct_chest_abdomen", on=day)
    return patient


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (("2026-09-22",), False),
        (("2026-08-23",), False),
        (("2026-08-22",), True),
        (("2026-07-22",), True),
        (("2026-04-22",), True),
        (("2026-01-10", "2026-07-22"), False),
        (("2026-01-10", "2026-05-22"), True),
        (("2026-01-10", "2026-05-23"), False),
        (("2026-01-10", "2026-02-10", "2026-08-10"), False),
    ],
    ids=[
        *("2 months ago", "a day short of 3 months", "3 months ago", "4 months ago", "7 months ago"),
        *("second round 4 months ago", "second round 6 months ago", "second round a day short of 6 months"),
        "two scans of one round and a second round 3 months ago",
    ],
)
def test_the_screen_is_repeated_after_3_months_and_then_every_6(days: tuple[str, ...], due: bool) -> None:
    patient = screened(*days)
    assert (card(patient) is not None) is due
    if due:
        state = "overdue" if days == ("2026-04-22",) else "due again"
        assert words(patient).startswith(f"Tumour screening in dermatomyositis is {state}: last done ")
        assert screen(patient) == set()


@pytest.mark.parametrize(("since", "due"), [("2022-12", True), ("2022-10", False), ("2019-01", False)])
def test_repeats_end_four_years_after_the_disease_began(since: str, due: bool) -> None:
    patient = screened("2022-12-15", "2023-06-15", "2025-12-01", since=since)
    assert (card(patient) is not None) is due


def test_a_first_screen_missed_for_six_years_is_still_missing_and_the_card_says_so() -> None:
    patient = Patient(sex="male", born="1966-01-01").has("dermatomyositis", since="2020-03")
    assert screen(patient) == CT | {"colonoscopy"}
    assert "began more than 4 years ago" in words(patient)


@pytest.mark.parametrize(
    ("patient", "left"),
    [
        (Patient(sex="female", born="1980-02-01"), WOMEN),
        (Patient(sex="male", born="1980-02-01"), {"testicular-ultrasound"}),
        (Patient(sex="male", born="1966-01-01"), {"colonoscopy"}),
    ],
)
def test_whatever_is_left_of_the_first_screen_the_card_says_that_four_years_are_over_and_that_a_tumour_is_known(
    patient: Patient, left: set[str]
) -> None:
    scanned = patient.has("dermatomyositis", since="2020-03").had("ct_chest_abdomen", on="2020-07-22")
    assert screen(scanned) == left
    assert "began more than 4 years ago" in words(scanned)
    assert "A malignancy is on the problem list" in words(scanned.has("malignancy", since="2026-06"))


def test_no_repeat_is_due_while_the_first_screen_is_incomplete() -> None:
    patient = MAN_OF_60.had("ct_chest_abdomen", on="2026-07-22")
    assert screen(patient) == {"colonoscopy"}
    assert "titulaer-2011-dm-repeat-3-6-months" not in held(patient)


def test_at_50_the_colonoscopy_that_is_not_due_does_not_hold_the_repeat_back() -> None:
    patient = Patient(sex="male", born=BORN[50]).has("dermatomyositis", since="2026-05").had("ct_chest_abdomen", on="2026-07-10")
    assert "titulaer-2011-dm-repeat-3-6-months" in held(patient)


# --- cancer, pregnancy, and what was not to be had ----------------------------------------------------------------------


def test_a_malignancy_on_record_ends_the_repeats() -> None:
    assert card(screened("2026-07-22").has("malignancy", since="2026-09")) is None


def test_a_malignancy_on_record_is_pointed_out_beside_a_first_screen() -> None:
    assert "A malignancy is on the problem list" in words(WOMAN_OF_62.has("malignancy", since="2026-09"))


def test_a_cancer_of_the_past_does_not_end_the_repeats() -> None:
    assert card(screened("2026-07-22").has("malignancy", since="2009", status="resolved")) is not None


def test_in_pregnancy_no_imaging_with_radiation_and_no_colonoscopy_is_offered() -> None:
    pregnant = Patient(born="1992-01-01").has("dermatomyositis", since="2026-05").has("pregnancy", since="2026-07")
    assert screen(pregnant) == {"pelvic-ultrasound"}
    assert "CT of the thorax, CT of the abdomen and mammography: pregnancy" in words(pregnant)
    assert "house default, unverified" in words(pregnant)


@pytest.mark.parametrize(("sex", "is_asked"), [("female", True), ("male", False)])
def test_where_she_could_be_pregnant_a_test_is_offered_before_imaging(sex: str, is_asked: bool) -> None:
    patient = Patient(sex=sex, born=BORN[49]).has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive")
    assert ("pregnancy-test" in orders(patient.cards(), "tumourScreening")) is is_asked


def test_where_procedures_and_reports_were_not_supplied_the_card_does_not_say_not_on_record() -> None:
    patient = WOMAN_OF_62.without("Procedure", "DiagnosticReport")
    assert screen(patient) == WHOLE_SCREEN
    assert "not in the data supplied" in words(patient)
    assert "not on record" not in words(patient)


@pytest.mark.parametrize("kind", ["Procedure", "DiagnosticReport"])
def test_where_one_of_them_failed_nothing_is_called_missing_and_nothing_is_ordered(kind: str) -> None:
    """SAF-08: only confirmed absence satisfies "not done"."""
    patient = WOMAN_OF_62.antibody("anti_tif1_gamma", "positive").failed(kind)
    assert words(patient).startswith("Tumour screening: could not be assessed; ")
    assert screen(patient) == set()
    computed = [r for r in patient.recommendations() if r.topic == "tumourScreening" and not r.is_stated]
    assert {r.holds for r in computed} == {Answer.UNKNOWN}


def test_what_is_shown_as_done_stands_although_the_rest_could_not_be_read() -> None:
    done = MAN_OF_60.reported("ct_chest_abdomen", on="2026-10-20").reported("colonoscopy", on="2026-10-20")
    assert card(done.failed("Procedure")) is None
