"""Laws that hold whatever the chart: less knowledge never means more advice, and what does not matter changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cards.reading import drugs, offered, orders, topics
from tests.patient import Patient

DIAGNOSES = (
    *("dermatomyositis", "polymyositis", "inclusion_body_myositis", "antisynthetase_syndrome", "overlap_myositis"),
    *("immune_mediated_necrotising_myopathy", "dermatomyositis_clinically_amyopathic", "idiopathic_inflammatory_myopathy"),
)
PROBLEMS = (
    *(
        "interstitial_lung_disease",
        "ild_rapidly_progressive",
        "myocarditis",
        "dysphagia",
        "aspiration",
        "pregnancy",
        "malignancy",
    ),
    *("systemic_sclerosis", "liver_disease", "infection_active", "pneumomediastinum", "heliotrope_rash"),
)
DRUGS = ("prednisone", "azathioprine", "methotrexate", "immunoglobulin_iv", "rituximab", "allopurinol", "mycophenolate_mofetil")
TESTS = (
    "colonoscopy",
    "mammography",
    "ct_chest_abdomen",
    "pulmonary_function_test",
    "hbsag",
    "physiotherapy",
    "pelvic_ultrasound",
)
ANTIBODIES = ("anti_tif1_gamma", "anti_mda5", "anti_jo1", "anti_srp", "anti_nxp2")
KINDS = ("Observation", "Procedure", "DiagnosticReport", "ServiceRequest", "MedicationRequest", "AllergyIntolerance", "Condition")
REASONS = ("ineffective", "intolerance", None)


@st.composite
def charts(draw: st.DrawFn) -> Patient:
    """Somebody with a myositis and some of everything."""
    patient = Patient(
        sex=draw(st.sampled_from(("female", "male"))),
        born=draw(st.sampled_from(("2016-04-01", "1992-01-01", "1977-06-01", "1964-02-01"))),
    ).has(draw(st.sampled_from(DIAGNOSES)), since=draw(st.sampled_from(("2026-08", "2025-01", "2019"))))
    for problem in draw(st.lists(st.sampled_from(PROBLEMS), max_size=2)):
        patient = patient.has(problem, since="2026-09")
    for antibody in draw(st.lists(st.sampled_from(ANTIBODIES), max_size=1)):
        patient = patient.antibody(antibody, "positive")
    for drug in draw(st.lists(st.sampled_from(DRUGS), max_size=3, unique=True)):
        if draw(st.booleans()):
            patient = patient.takes(drug, since=draw(st.sampled_from(("2026-10-25", "2026-05-01"))))
        else:
            patient = patient.stopped(drug, because=draw(st.sampled_from(REASONS)))
    for test in draw(st.lists(st.sampled_from(TESTS), max_size=2)):
        patient = draw(st.sampled_from((patient.had, patient.ordered)))(test)
    if draw(st.booleans()):
        patient = patient.strength("proximal", draw(st.sampled_from((3, 4))))
    if draw(st.booleans()):
        patient = patient.raised_ck()
    return patient


def is_cautious(patient: Patient) -> set[str]:
    """Topics whose card says that it could not be assessed."""
    return {str(card["source"]["topic"]["code"]) for card in patient.cards() if "could not be assessed" in card["summary"]}


@settings(max_examples=40)
@given(charts(), st.sampled_from(("refuted", "entered-in-error")))
def test_withdrawing_the_diagnosis_withdraws_every_card(patient: Patient, verification: str) -> None:
    diagnosis = next(one for one in patient.resources if one["resourceType"] == "Condition")
    status = {"coding": [{"code": verification}]}
    withdrawn = tuple({**one, "verificationStatus": status} if one is diagnosis else one for one in patient.resources)
    after = Patient(patient.sex, patient.born, withdrawn)
    assert drugs(after.cards()) == set()
    assert "nextLineTherapy" not in topics(after.cards())
    assert "tumourScreening" not in topics(after.cards())


@settings(max_examples=40)
@given(charts(), st.sampled_from(KINDS))
def test_data_that_failed_never_bring_more_advice_than_data_confirmed_empty(patient: Patient, kind: str) -> None:
    """SAF-08: turning "none" into "unknown" may only remove cards, or turn them to "could not be assessed"."""
    kept = tuple(one for one in patient.resources if one["resourceType"] != kind)
    empty = Patient(patient.sex, patient.born, kept)
    failed = empty.failed(kind)
    assert orders(failed.cards(cap=10)) <= orders(empty.cards(cap=10))
    assert set(topics(failed.cards(cap=10))) <= set(topics(empty.cards(cap=10))) | is_cautious(failed)
    assert set(offered(failed)) <= set(offered(empty))


@settings(max_examples=25)
@given(charts(), st.sampled_from(("hypertension_free_text", "shoe size")), st.integers(0, 3))
def test_what_does_not_matter_changes_nothing(patient: Patient, text: str, which: int) -> None:
    code = {"text": text}
    irrelevant = (
        {"kind": "Condition", "code": code, "onsetDateTime": "2020"},
        {"kind": "Observation", "status": "final", "code": code, "effectiveDateTime": "2026-11-20", "valueString": "positive"},
        {"kind": "Procedure", "status": "completed", "code": code, "performedDateTime": "2026-11-20"},
        {"kind": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": code},
    )[which]
    assert patient.add(**irrelevant).cards() == patient.cards()


@settings(max_examples=25)
@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_the_chart_makes_no_difference(patient: Patient, random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(patient.resources)))
    random.shuffle(order)
    assert patient.shuffled(order).cards() == patient.cards()


@settings(max_examples=25)
@given(charts(), st.sampled_from(DRUGS))
def test_an_allergy_takes_the_drug_from_the_orders_and_gives_it_no_new_place(patient: Patient, drug: str) -> None:
    """SAF-23: an allergy makes the suggestion disappear."""
    key = {"prednisone": "glucocorticoid-oral", "immunoglobulin_iv": "ivig", "mycophenolate_mofetil": "mycophenolate"}.get(
        drug, drug
    )
    assert key not in drugs(patient.cannot_tolerate(drug).cards())


@settings(max_examples=25)
@given(charts())
def test_no_drug_that_is_being_taken_is_ever_drafted_again(patient: Patient) -> None:
    current = patient.assess().treatment.current
    assert drugs(patient.cards()).isdisjoint(set(current) - {"glucocorticoid"})


@settings(max_examples=25)
@given(charts())
def test_with_inclusion_body_myositis_on_the_list_nothing_is_ever_drafted(patient: Patient) -> None:
    for verification in ("confirmed", "provisional"):
        assert drugs(patient.has("inclusion_body_myositis", since="2024", verification=verification).cards()) == set()


@settings(max_examples=25)
@given(charts())
def test_in_a_pregnant_woman_no_teratogen_is_ever_offered(patient: Patient) -> None:
    pregnant = Patient("female", "1992-01-01", patient.resources).has("pregnancy", since="2026-08")
    assert {"methotrexate", "mycophenolate", "cyclophosphamide"}.isdisjoint(offered(pregnant))
