"""The 2017 EULAR/ACR classification (clinical/phenotypes.md section 4): the worked checks, what answers an item, and the laws."""

import math
import random
from itertools import pairwise

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.classification import Classification, IimClass, class_of, score, walk
from fhir_profiles.classification_criteria import COLUMN_CODES, FILE, DefinitionError, criteria, read_criteria
from fhir_profiles.classification_items import AnsweredItem, points_of
from fhir_profiles.clinical_definitions import FOLDER
from fhir_profiles.findings import Answer
from tests.patient import Patient

RULES = criteria()
WITHOUT, WITH = (RULES.columns[code] for code in COLUMN_CODES)
RASHES = ("heliotrope_rash", "gottron_papules", "gottron_sign")


def aged(years: int, disease: str = "idiopathic_inflammatory_myopathy") -> Patient:
    """A patient whose recorded myositis began in May 2026 at this age."""
    return Patient(born=f"{2026 - years}-02-01").has(disease, since="2026-05-01")


def classified(patient: Patient) -> Classification:
    classification = patient.assess().classification
    assert classification is not None
    return classification


def item(patient: Patient, code: str) -> AnsweredItem:
    return next(one for one in classified(patient).items if one.code == code)


def observed(patient: Patient, words: str, value: bool | str | None = None) -> Patient:
    """An Observation in words, with a yes, a no, or a value in words."""
    coded = {"valueCodeableConcept": {"text": value}} if isinstance(value, str) else {"valueBoolean": value}
    return patient.add("Observation", status="final", code={"text": words}, effectiveDateTime="2026-06-01", **coded)


def weak_all_over(patient: Patient) -> Patient:
    grades = {"shoulder_abduction": 4, "hip_flexion": 3, "neck_flexion": 3, "neck_extension": 5, "ankle_dorsiflexion": 5}
    for group, grade in grades.items():
        patient = patient.strength(group, grade)
    return patient


# --- worked checks ------------------------------------------------------------------------------------------------------------


def test_a_heliotrope_papules_and_raised_ck_at_52_score_8_6_and_are_definite() -> None:
    found = classified(aged(52).has("heliotrope_rash").has("gottron_papules").raised_ck())
    assert (found.column, found.score.minimum, found.score.minimum_class) == ("without-biopsy", 86, IimClass.DEFINITE)
    assert found.meets_criteria


def test_b_heliotrope_and_gottron_sign_at_8_score_6_4_and_are_probable_juvenile_dermatomyositis() -> None:
    found = classified(Patient(born="2018-01-01").has("heliotrope_rash").has("gottron_sign"))
    assert (found.score.minimum, found.score.minimum_class) == (64, IimClass.PROBABLE)
    assert found.subgroups == ("juvenile-dermatomyositis",)


def test_c_jo1_and_lung_disease_at_55_score_6_0_but_need_a_biopsy_before_classification() -> None:
    patient = aged(55, "antisynthetase_syndrome").antibody("anti_jo1", "positive").has("interstitial_lung_disease")
    found = classified(patient)
    assert (found.score.minimum, found.score.minimum_class) == (60, IimClass.PROBABLE)
    assert found.needs_biopsy_features
    assert (found.meets_criteria, found.subgroups) == (False, ())
    assert found.notes == (RULES.notes["needs-biopsy-features"],)


def test_d_inclusion_body_myositis_at_66_with_rimmed_vacuoles_scores_7_8_and_is_probable() -> None:
    patient = aged(66, "inclusion_body_myositis").strength("knee_extension", 3).has("dysphagia").raised_ck()
    for rash in RASHES:
        patient = patient.has(rash, verification="refuted")
    found = classified(observed(patient, "rimmed vacuoles", True))
    assert (found.column, found.score.minimum, found.score.minimum_class) == ("with-biopsy", 78, IimClass.PROBABLE)
    assert found.meets_criteria
    assert found.subgroups == ("inclusion-body-myositis",)


def test_e_necrotising_myopathy_at_61_with_all_kinds_of_weakness_scores_8_4() -> None:
    found = classified(weak_all_over(aged(61, "immune_mediated_necrotising_myopathy")).raised_ck().has("dysphagia"))
    assert (found.score.minimum, found.score.minimum_class) == (84, IimClass.DEFINITE)
    assert found.needs_biopsy_features


# --- table and cut-offs -------------------------------------------------------------------------------------------------------

TABLE = {
    "upper-limb-weakness": (7, 7),
    "lower-limb-weakness": (8, 5),
    "neck-flexor-weakness": (19, 16),
    "leg-weakness-pattern": (9, 12),
    "heliotrope-rash": (31, 32),
    "gottron-papules": (21, 27),
    "gottron-sign": (33, 37),
    "dysphagia": (7, 6),
    "anti-jo1-positive": (39, 38),
    "raised-muscle-enzyme": (13, 14),
    "endomysial-infiltration": (None, 17),
    "perimysial-infiltration": (None, 12),
    "perifascicular-atrophy": (None, 19),
    "rimmed-vacuoles": (None, 31),
}


def test_the_weights_are_those_of_the_table() -> None:
    assert {one.code: tuple(one.weights.get(code) for code in COLUMN_CODES) for one in RULES.items} == TABLE
    assert [tuple(band.weights.values()) for band in RULES.bands] == [(0, 0), (13, 15), (21, 22)]


@pytest.mark.parametrize(
    ("tenths", "without_biopsy", "with_biopsy"),
    [
        (52, "not-iim", "not-iim"),
        (53, "possible", "not-iim"),
        (54, "possible", "not-iim"),
        (55, "probable", "not-iim"),
        (64, "probable", "not-iim"),
        (65, "probable", "possible"),
        (67, "probable", "probable"),
        (74, "probable", "probable"),
        (75, "definite", "probable"),
        (86, "definite", "probable"),
        (87, "definite", "definite"),
    ],
)
def test_the_class_goes_by_the_printed_cut_offs(tenths: int, without_biopsy: str, with_biopsy: str) -> None:
    assert (class_of(tenths, WITHOUT).value, class_of(tenths, WITH).value) == (without_biopsy, with_biopsy)


def test_by_the_formula_5_5_would_miss_its_class_so_the_score_decides() -> None:
    probability = 1 / (1 + math.exp(5.33 - 5.5))
    assert 0.50 < probability < 0.55
    assert class_of(55, WITHOUT) is IimClass.PROBABLE


def test_the_age_bands_follow_each_other_without_a_gap() -> None:
    assert RULES.bands[0].youngest == 0
    assert all(one.oldest + 1 == next_one.youngest for one, next_one in pairwise(RULES.bands))


# --- age at onset -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("years", "tenths"), [(17, 0), (18, 13), (39, 13), (40, 21), (80, 21)])
def test_the_age_at_onset_scores_by_band(years: int, tenths: int) -> None:
    onset = item(aged(years), "onset-age")
    assert onset.points["without-biopsy"] == (tenths, tenths)
    assert onset.evidence[0].text == "first symptom on record: 1 May 2026"


def test_an_adult_whose_disease_began_in_childhood_scores_nothing_for_age() -> None:
    patient = Patient(born="1990-02-01").has("dermatomyositis", since="2000-05")
    assert item(patient, "onset-age").answer is Answer.NO


def test_without_an_onset_the_age_is_bounded_by_the_day_of_recording() -> None:
    patient = Patient(born="1964-02-01").has("dermatomyositis", recorded="2000-05-01")
    onset = item(patient, "onset-age")
    assert (onset.answer, onset.points["without-biopsy"]) == (Answer.UNKNOWN, (0, 13))


def test_without_an_onset_a_diagnosis_that_calls_itself_juvenile_began_in_childhood() -> None:
    assert item(Patient(born="1990-02-01").has("dermatomyositis_juvenile"), "onset-age").answer is Answer.NO


def test_without_a_date_of_birth_the_age_is_unknown() -> None:
    onset = item(Patient(born=None).has("dermatomyositis", since="2026-05"), "onset-age")
    assert (onset.answer, onset.points["with-biopsy"]) == (Answer.UNKNOWN, (0, 22))


def test_an_onset_between_two_bands_leaves_both_open() -> None:
    onset = item(Patient(born="1986").has("dermatomyositis", since="2026"), "onset-age")
    assert (onset.answer, onset.points["without-biopsy"]) == (Answer.UNKNOWN, (13, 21))


def test_a_rash_before_the_diagnosis_is_the_first_symptom() -> None:
    patient = Patient(born="1985-02-01").has("dermatomyositis", since="2026-05").has("gottron_sign", since="2020-05")
    assert item(patient, "onset-age").points["without-biopsy"] == (13, 13)


# --- items --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rash", RASHES)
def test_a_rash_counts_even_after_it_has_gone(rash: str) -> None:
    assert item(aged(50).has(rash, status="resolved"), rash.replace("_", "-")).answer is Answer.YES


def test_a_suspected_rash_is_unknown_and_a_refuted_one_is_absent() -> None:
    assert item(aged(50).has("gottron_sign", verification="provisional"), "gottron-sign").answer is Answer.UNKNOWN
    assert item(aged(50).has("gottron_sign", verification="refuted"), "gottron-sign").answer is Answer.NO
    assert item(aged(50), "gottron-sign").answer is Answer.UNKNOWN


def test_oesophageal_dysmotility_counts_as_dysphagia() -> None:
    assert item(aged(50).has("text:oesophageal dysmotility"), "dysphagia").answer is Answer.YES


def test_anti_jo1_counts_if_it_was_ever_positive() -> None:
    fallen = aged(50).antibody("anti_jo1", "positive", "2020-01-01").antibody("anti_jo1", "negative", "2026-10-01")
    assert item(fallen, "anti-jo1-positive").answer is Answer.YES
    assert item(aged(50).antibody("anti_jo1", "negative"), "anti-jo1-positive").answer is Answer.NO


def test_a_borderline_anti_jo1_is_unknown_whatever_came_later() -> None:
    patient = aged(50).antibody("anti_jo1", "borderline", "2026-01-01")
    assert item(patient, "anti-jo1-positive").answer is Answer.UNKNOWN
    assert item(patient.antibody("anti_jo1", "negative"), "anti-jo1-positive").answer is Answer.UNKNOWN


@pytest.mark.parametrize("enzyme", ["creatine_kinase", "lactate_dehydrogenase", "ast", "alt"])
def test_any_enzyme_that_was_ever_raised_counts(enzyme: str) -> None:
    raised = aged(50).result(enzyme, flag="high", on="2026-06-01").result(enzyme, flag="normal", on="2026-11-01")
    assert item(raised, "raised-muscle-enzyme").answer is Answer.YES


def test_enzymes_are_normal_only_if_all_four_are() -> None:
    normal = aged(50).normal_ck()
    assert item(normal, "raised-muscle-enzyme").answer is Answer.UNKNOWN
    for enzyme in ("lactate_dehydrogenase", "ast", "alt"):
        normal = normal.result(enzyme, flag="normal")
    assert item(normal, "raised-muscle-enzyme").answer is Answer.NO


def test_an_earlier_enzyme_without_a_range_keeps_a_normal_one_from_ruling_out() -> None:
    patient = aged(50).result("creatine_kinase", 800, on="2026-05-01").normal_ck(on="2026-11-01")
    for enzyme in ("lactate_dehydrogenase", "ast", "alt"):
        patient = patient.result(enzyme, flag="normal")
    assert item(patient, "raised-muscle-enzyme").answer is Answer.UNKNOWN


def test_weakness_at_any_time_counts() -> None:
    patient = aged(50).strength("hip_flexion", 4, on="2019-01-10").strength("hip_flexion", 5)
    found = item(patient, "lower-limb-weakness")
    assert found.answer is Answer.YES
    assert [one.text for one in found.evidence] == ["hip flexion MRC 4 on 10 January 2019"]


def test_weakness_of_one_side_only_is_not_symmetric_and_stays_open() -> None:
    patient = aged(50).strength("shoulder_abduction", 4).strength("shoulder_abduction", 5)
    assert item(patient, "upper-limb-weakness").answer is Answer.UNKNOWN
    assert item(patient.strength("elbow_flexion", 4), "upper-limb-weakness").answer is Answer.YES


def test_full_strength_rules_out_only_if_every_group_was_graded() -> None:
    half = aged(50).strength("shoulder_abduction", 5)
    assert item(half, "upper-limb-weakness").answer is Answer.UNKNOWN
    assert item(half.strength("elbow_flexion", 5), "upper-limb-weakness").answer is Answer.NO


@pytest.mark.parametrize(("grade", "answer"), [(5, Answer.NO), (4, Answer.UNKNOWN)])
def test_proximal_strength_as_a_whole_names_no_limb(grade: float, answer: Answer) -> None:
    patient = aged(50).strength("proximal", grade)
    assert item(patient, "upper-limb-weakness").answer is answer
    assert item(patient, "lower-limb-weakness").answer is answer


def test_recorded_proximal_weakness_names_no_limb() -> None:
    patient = aged(50).has("proximal_muscle_weakness").strength("proximal", 5)
    assert item(patient, "upper-limb-weakness").answer is Answer.UNKNOWN


@pytest.mark.parametrize("grade", [-1, 6, 30])
def test_a_number_that_is_no_grade_is_not_used(grade: float) -> None:
    assert item(aged(50).strength("hip_flexion", grade), "lower-limb-weakness").answer is Answer.UNKNOWN


@pytest.mark.parametrize(("flexors", "extensors", "answer"), [(3, 4, Answer.YES), (4, 4, Answer.NO), (5, 4, Answer.NO)])
def test_neck_flexors_are_compared_with_extensors(flexors: float, extensors: float, answer: Answer) -> None:
    patient = aged(50).strength("neck_flexion", flexors).strength("neck_extension", extensors)
    assert item(patient, "neck-flexor-weakness").answer is answer


def test_a_comparison_needs_both_sides_on_one_day() -> None:
    assert item(aged(50).strength("neck_flexion", 2), "neck-flexor-weakness").answer is Answer.UNKNOWN
    apart = aged(50).strength("neck_flexion", 2, on="2026-06-01").strength("neck_extension", 5, on="2026-11-01")
    assert item(apart, "neck-flexor-weakness").answer is Answer.UNKNOWN
    undated = aged(50).strength("neck_flexion", 2, on=None).strength("neck_extension", 5, on=None)
    assert item(undated, "neck-flexor-weakness").answer is Answer.UNKNOWN


def test_in_the_legs_the_weakest_proximal_group_is_compared_with_the_weakest_distal_one() -> None:
    legs = aged(50).strength("hip_flexion", 5).strength("knee_extension", 3).strength("ankle_dorsiflexion", 4)
    assert item(legs, "leg-weakness-pattern").answer is Answer.YES
    assert item(legs.strength("ankle_plantar_flexion", 3), "leg-weakness-pattern").answer is Answer.NO


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("symmetric proximal upper limb weakness", "upper-limb-weakness"),
        ("symmetric proximal lower limb weakness", "lower-limb-weakness"),
        ("neck flexors weaker than neck extensors", "neck-flexor-weakness"),
        ("proximal leg muscles weaker than distal", "leg-weakness-pattern"),
        ("endomysial infiltration of mononuclear cells surrounding myofibres", "endomysial-infiltration"),
        ("perivascular mononuclear infiltrate", "perimysial-infiltration"),
        ("perifascicular atrophy", "perifascicular-atrophy"),
        ("rimmed vacuoles", "rimmed-vacuoles"),
    ],
)
def test_an_item_may_be_recorded_as_such_present_or_absent(words: str, code: str) -> None:
    assert item(observed(aged(50), words, True), code).answer is Answer.YES
    assert item(observed(aged(50), words, False), code).answer is Answer.NO


# --- biopsy -------------------------------------------------------------------------------------------------------------------


def test_a_biopsy_without_readable_findings_leaves_the_column_and_says_so() -> None:
    found = classified(aged(50).had("muscle_biopsy"))
    assert (found.column, found.biopsy_not_read) == ("without-biopsy", True)
    assert RULES.notes["biopsy-not-read"] in found.notes


def test_a_biopsy_result_that_names_a_finding_shows_it_and_rules_out_no_other() -> None:
    found = classified(observed(aged(50), "muscle biopsy", "rimmed vacuoles"))
    assert found.column == "with-biopsy"
    answers = {one.code: one.answer for one in found.items}
    assert answers["rimmed-vacuoles"] is Answer.YES
    assert answers["perifascicular-atrophy"] is Answer.UNKNOWN


def test_an_endomysial_infiltrate_of_which_it_is_not_said_whether_it_invades_is_not_the_item() -> None:
    assert item(observed(aged(50), "muscle biopsy", "endomysial infiltrate"), "endomysial-infiltration").answer is Answer.UNKNOWN


def test_a_biopsy_item_counts_nothing_without_biopsy() -> None:
    vacuoles = item(observed(aged(50), "rimmed vacuoles", True), "rimmed-vacuoles")
    assert vacuoles.points == {"with-biopsy": (31, 31)}


# --- subgroup -----------------------------------------------------------------------------------------------------------------


def rash_positive() -> Patient:
    return aged(50).has("heliotrope_rash").has("gottron_sign")


def test_a_rash_with_weakness_is_dermatomyositis() -> None:
    assert classified(rash_positive().strength("hip_flexion", 4)).subgroups == ("dermatomyositis",)


def test_a_rash_without_any_weakness_is_amyopathic_dermatomyositis() -> None:
    strong = rash_positive()
    for group in ("proximal", "neck_flexion", "neck_extension", "hip_flexion", "knee_extension", "ankle_dorsiflexion"):
        strong = strong.strength(group, 5)
    assert classified(strong).subgroups == ("amyopathic-dermatomyositis",)


def test_a_rash_with_unknown_strength_leaves_both_open() -> None:
    assert classified(rash_positive()).subgroups == ("dermatomyositis", "amyopathic-dermatomyositis")


def without_rash() -> Patient:
    patient = (
        aged(61, "polymyositis").strength("hip_flexion", 3).strength("shoulder_abduction", 3).raised_ck().had("muscle_biopsy")
    )
    for rash in RASHES:
        patient = patient.has(rash, verification="refuted")
    patient = patient.antibody("anti_jo1", "positive")
    return observed(patient, "perimysial mononuclear infiltrate", True)


def test_without_a_rash_and_signs_of_inclusion_body_myositis_it_is_polymyositis() -> None:
    patient = observed(without_rash(), "rimmed vacuoles", False).strength("finger_flexion", 5)
    assert classified(patient).subgroups == ("polymyositis",)


def test_weak_finger_flexors_that_treatment_did_not_improve_are_inclusion_body_myositis() -> None:
    patient = observed(without_rash(), "rimmed vacuoles", False).strength("finger_flexion", 3)
    assert classified(patient).subgroups == ("inclusion-body-myositis", "polymyositis")
    assert classified(patient.stopped("methotrexate", because="ineffective")).subgroups == ("inclusion-body-myositis",)


def test_below_the_cut_off_there_is_no_subgroup() -> None:
    found = classified(aged(50).raised_ck())
    assert found.score.minimum_class is IimClass.NOT_IIM
    assert (found.subgroups, found.meets_criteria) == ((), False)


# --- a better explanation -----------------------------------------------------------------------------------------------------


def test_another_muscle_disease_on_record_is_named_and_changes_no_score() -> None:
    alone, beside = aged(50).strength("hip_flexion", 3), aged(50).strength("hip_flexion", 3).has("muscular_dystrophy")
    found = classified(beside)
    assert [one.text for one in found.other_explanations] == ["muscular dystrophy on the problem list"]
    assert RULES.notes["other-explanation"] in found.notes
    assert found.score == classified(alone).score
    assert classified(alone).other_explanations == ()


def test_a_refuted_muscle_disease_explains_nothing() -> None:
    assert classified(aged(50).has("muscular_dystrophy", verification="refuted")).other_explanations == ()


# --- when there is something to classify --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patient",
    [
        Patient(),
        Patient().raised_ck(),
        Patient().has("dysphagia"),
        Patient().has("heliotrope_rash", verification="refuted"),
        Patient().normal_ck(),
    ],
)
def test_a_chart_without_myositis_and_without_an_item_that_suggests_it_is_not_classified(patient: Patient) -> None:
    assert patient.assess().classification is None


@pytest.mark.parametrize(
    "patient",
    [
        Patient().has("dermatomyositis", verification="provisional"),
        Patient().has("heliotrope_rash"),
        Patient().antibody("anti_jo1", "positive"),
        Patient().strength("hip_flexion", 4),
    ],
)
def test_a_suspicion_or_one_item_is_enough_to_classify(patient: Patient) -> None:
    assert patient.assess().classification is not None


def test_a_chart_with_another_patients_data_is_not_classified() -> None:
    mixed = aged(50).has("heliotrope_rash").add("Observation", subject={"reference": "Patient/2"}, status="final")
    assert mixed.assess().classification is None


# --- laws ---------------------------------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from(list(Answer))
ALL_ANSWERS = st.lists(ANSWERS, min_size=len(RULES.items), max_size=len(RULES.items))


def items_answered(answers: list[Answer]) -> tuple[AnsweredItem, ...]:
    pairs = zip(RULES.items, answers, strict=True)
    return tuple(AnsweredItem(one.code, one.title, answer, points_of(one.weights, answer)) for one, answer in pairs)


@given(ALL_ANSWERS)
def test_the_minimum_never_exceeds_the_best_reachable_and_both_are_whole_tenths(answers: list[Answer]) -> None:
    for column in (WITHOUT, WITH):
        found = score(items_answered(answers), column)
        assert 0 <= found.minimum <= found.best
        assert type(found.minimum) is int
        assert type(found.best) is int
        assert (found.minimum == found.best) is (not found.unknown)


@given(ALL_ANSWERS, st.data())
def test_learning_an_unknown_item_keeps_the_score_within_its_bounds(answers: list[Answer], data: st.DataObject) -> None:
    unknown = [index for index, answer in enumerate(answers) if answer is Answer.UNKNOWN]
    learned = list(answers)
    for index in unknown:
        learned[index] = data.draw(ANSWERS)
    for column in (WITHOUT, WITH):
        before, after = score(items_answered(answers), column), score(items_answered(learned), column)
        assert before.minimum <= after.minimum <= after.best <= before.best


@given(st.lists(ANSWERS, min_size=4, max_size=4), st.data())
def test_learning_an_answer_of_the_tree_only_narrows_the_subgroups(answers: list[Answer], data: st.DataObject) -> None:
    asked = ("adult-onset", "dermatomyositis-rash", "muscle-weakness", "inclusion-body-signs")
    before = dict(zip(asked, answers, strict=True))
    after = {code: data.draw(ANSWERS) if answer is Answer.UNKNOWN else answer for code, answer in before.items()}
    open_before, open_after = walk(RULES.tree, before.__getitem__), walk(RULES.tree, after.__getitem__)
    assert set(open_after) <= set(open_before)
    assert open_after
    if Answer.UNKNOWN not in after.values():
        assert len(open_after) == 1


@st.composite
def charts(draw: st.DrawFn) -> Patient:
    """A chart with some of the items, present, absent or not settled."""
    patient = Patient(born=draw(st.sampled_from(("1964-02-01", "1990", "2015-03-01", None))))
    if draw(st.booleans()):
        patient = patient.has("dermatomyositis", since=draw(st.sampled_from((None, "2026-05", "2001"))))
    for problem in draw(st.lists(st.sampled_from((*RASHES, "dysphagia", "proximal_muscle_weakness")), max_size=3)):
        patient = patient.has(problem, verification=draw(st.sampled_from(("confirmed", "refuted", "provisional"))))
    for group in draw(st.lists(st.sampled_from(("hip_flexion", "elbow_flexion", "neck_flexion", "neck_extension")), max_size=4)):
        patient = patient.strength(group, draw(st.sampled_from((3, 4, 5))))
    for answer in draw(st.lists(st.sampled_from(("positive", "negative", "borderline")), max_size=2)):
        patient = patient.antibody("anti_jo1", answer, draw(st.sampled_from(("2026-01-01", "2026-10-01", None))))
    if draw(st.booleans()):
        patient = observed(patient, "rimmed vacuoles", draw(st.booleans()))
    return patient.raised_ck() if draw(st.booleans()) else patient


@settings(max_examples=60, deadline=None)
@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_resources_does_not_matter(patient: Patient, chance: random.Random) -> None:
    order = list(range(len(patient.resources)))
    chance.shuffle(order)
    assert patient.shuffled(order).assess().classification == patient.assess().classification


@settings(max_examples=60, deadline=None)
@given(charts())
def test_another_positive_item_never_lowers_the_minimum(patient: Patient) -> None:
    before = patient.has("dermatomyositis", since="2026-05").assess().classification
    after = patient.has("dermatomyositis", since="2026-05").has("heliotrope_rash").assess().classification
    assert before is not None
    assert after is not None
    for code in COLUMN_CODES:
        assert before.scores[code].minimum <= after.scores[code].minimum <= after.scores[code].best


# --- the file -----------------------------------------------------------------------------------------------------------------


def test_every_concept_of_the_file_is_a_valueset() -> None:
    named = {c for f in RULES.recorded.values() for c in (*f.diagnoses, *f.positive, *f.above, *f.unclear)}
    graded = {c for g in RULES.graded.values() for c in (*g.weak, *g.weaker, *g.than, *((g.whole,) if g.whole else ()))}
    concepts = named | graded | set(RULES.named_by_biopsy.values()) | {*RULES.first_symptoms, *RULES.other_explanations}
    folder = FOLDER.parent / "valuesets"
    assert [c for c in sorted(concepts) if not (folder / f"{c.replace('_', '-')}.json").exists()] == []


def test_every_subgroup_can_be_reached() -> None:
    assert set(walk(RULES.tree, lambda _: Answer.UNKNOWN)) == set(RULES.subgroups)


def content() -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load((FOLDER / FILE).read_text("utf-8"))
    return document


def test_a_weight_with_a_fraction_is_refused() -> None:
    broken = content()
    broken["items"] = {"dysphagia": {"title": "dysphagia", "without-biopsy": 0.7}}
    with pytest.raises(DefinitionError, match="dysphagia has a score that is no whole number of tenths"):
        read_criteria(broken)


def test_an_item_that_no_finding_answers_is_refused() -> None:
    broken = content()
    broken["items"] = {"purple-toe": {"title": "purple toe", "without-biopsy": 7}}
    with pytest.raises(DefinitionError, match=r"an item names \['purple-toe'\], which no entry defines"):
        read_criteria(broken)
