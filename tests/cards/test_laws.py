"""Laws that hold whatever the chart: less knowledge never means more advice, and what does not matter changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cards.drafts import from_caution
from cards.knowledge import knowledge
from cards.plain_words import leaves
from cards.recommend import calendar, recommend
from cards.recommendation import URGENCIES, Level
from cards.safety import cautions_for
from cards.schedule import Due, DueState
from cards.verdicts import Case
from fhir_profiles.assess import assess
from fhir_profiles.findings import Answer
from fhir_profiles.record import DraftOrder
from tests.cards.naming import asked_by
from tests.cards.reading import drugs, held, offered, options, orders, topics
from tests.patient import Patient, codeable
from tests.sizes import size

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


def _problems(patient: Patient) -> set[str]:
    """Which of `PROBLEMS` are on the list."""
    codes = [one["code"] for one in patient.resources if one["resourceType"] == "Condition"]
    return {problem for problem in PROBLEMS if codeable(problem) in codes}


def is_cautious(patient: Patient) -> set[str]:
    """Topics whose card says that it could not be assessed."""
    words = ("could not be assessed", "could not be read")
    return {str(card["source"]["topic"]["code"]) for card in patient.cards() if any(w in card["summary"] for w in words)}


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(("refuted", "entered-in-error")))
def test_withdrawing_the_diagnosis_withdraws_every_card(patient: Patient, verification: str) -> None:
    diagnosis = next(one for one in patient.resources if one["resourceType"] == "Condition")
    status = {"coding": [{"code": verification}]}
    withdrawn = tuple({**one, "verificationStatus": status} if one is diagnosis else one for one in patient.resources)
    after = Patient(patient.sex, patient.born, withdrawn)
    assert drugs(after.cards()) == set()
    assert offered(after) == []
    assert not [r.id for r in after.recommendations() if r.topic == "nextLineTherapy"]
    assert "nextLineTherapy" not in topics(after.cards())
    assert "tumourScreening" not in topics(after.cards())


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(KINDS))
def test_data_that_failed_never_bring_more_advice_than_data_confirmed_empty(patient: Patient, kind: str) -> None:
    """SAF-08: turning "none" into "unknown" may only remove cards, or turn them to "could not be assessed"."""
    kept = tuple(one for one in patient.resources if one["resourceType"] != kind)
    empty = Patient(patient.sex, patient.born, kept)
    failed = empty.failed(kind)
    assert orders(failed.cards(cap=10)) <= orders(empty.cards(cap=10))
    assert set(topics(failed.cards(cap=10))) <= set(topics(empty.cards(cap=10))) | is_cautious(failed)
    assert set(offered(failed)) <= set(offered(empty))


SNOMED, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
_WITHDRAWN = {"coding": [{"code": "entered-in-error"}]}


def _coded(system: str, code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": text}


IRRELEVANT: Mapping[str, dict[str, Any]] = {
    "words that mean nothing to us": {"kind": "Condition", "code": {"text": "shoe size"}, "onsetDateTime": "2020"},
    "a cold": {"kind": "Condition", "code": _coded(SNOMED, "82272006", "Common cold"), "onsetDateTime": "2026-11-01"},
    "a height": {
        "kind": "Observation",
        "status": "final",
        "code": _coded(LOINC, "8302-2", "Body height"),
        "effectiveDateTime": "2026-11-20",
        "valueQuantity": {"value": 170, "unit": "cm"},
    },
    "an appendicectomy": {
        "kind": "Procedure",
        "status": "completed",
        "code": _coded(SNOMED, "80146002", "Appendectomy"),
        "performedDateTime": "2026-11-20",
    },
    "paracetamol": {
        "kind": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _coded(RXNORM, "161", "acetaminophen"),
    },
    "an allergy to peanuts": {"kind": "AllergyIntolerance", "code": _coded(SNOMED, "91935009", "Allergy to peanut")},
    "an order for an eye test": {
        "kind": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "refraction"},
        "authoredOn": "2026-11-20",
    },
    "a mother with dermatomyositis and breast cancer": {
        "kind": "FamilyMemberHistory",
        "status": "completed",
        "relationship": {"text": "mother"},
        "condition": [{"code": codeable("dermatomyositis")}, {"code": codeable("malignancy")}],
    },
    "a lung disease entered in error": {
        "kind": "Condition",
        "code": codeable("ild_rapidly_progressive"),
        "verificationStatus": _WITHDRAWN,
    },
    "a pregnancy entered in error": {"kind": "Condition", "code": codeable("pregnancy"), "verificationStatus": _WITHDRAWN},
    "an antibody entered in error": {
        "kind": "Observation",
        "status": "entered-in-error",
        "code": codeable("anti_mda5"),
        "effectiveDateTime": "2026-11-20",
        "interpretation": [{"coding": [{"code": "POS"}]}],
    },
    "a lung function test entered in error": {
        "kind": "Procedure",
        "status": "entered-in-error",
        "code": codeable("pulmonary_function_test"),
        "performedDateTime": "2026-11-20",
    },
    "methotrexate entered in error": {
        "kind": "MedicationRequest",
        "status": "entered-in-error",
        "intent": "order",
        "medicationCodeableConcept": codeable("methotrexate"),
        "authoredOn": "2026-01-20",
    },
    "an allergy entered in error": {
        "kind": "AllergyIntolerance",
        "code": codeable("methotrexate"),
        "verificationStatus": _WITHDRAWN,
    },
    "a colonoscopy of next year": {
        "kind": "Procedure",
        "status": "completed",
        "code": codeable("colonoscopy"),
        "performedDateTime": "2027-03-01",
    },
    "an order for a mammography that was withdrawn": {
        "kind": "ServiceRequest",
        "status": "revoked",
        "intent": "order",
        "code": codeable("mammography"),
        "authoredOn": "2026-11-01",
    },
}
"""What says nothing about myositis, and what says something that is not so (or not yet)."""


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(sorted(IRRELEVANT)))
def test_what_does_not_matter_changes_nothing(patient: Patient, irrelevant: str) -> None:
    more = patient.add(**IRRELEVANT[irrelevant])
    assert more.cards() == patient.cards()
    assert more.recommendations() == patient.recommendations()


@settings(max_examples=size(25, part=10))
@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_the_chart_makes_no_difference(patient: Patient, random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(patient.resources)))
    random.shuffle(order)
    assert patient.shuffled(order).cards() == patient.cards()


@settings(max_examples=size(25, part=10))
@given(charts(), st.sampled_from(DRUGS))
def test_an_allergy_takes_the_drug_from_the_orders_and_gives_it_no_new_place(patient: Patient, drug: str) -> None:
    """SAF-23: an allergy makes the suggestion disappear."""
    key = {"prednisone": "glucocorticoid-oral", "immunoglobulin_iv": "ivig", "mycophenolate_mofetil": "mycophenolate"}.get(
        drug, drug
    )
    assert key not in drugs(patient.cannot_tolerate(drug).cards())


@settings(max_examples=size(25, part=10))
@given(charts())
def test_no_drug_that_is_being_taken_is_ever_drafted_again(patient: Patient) -> None:
    current = patient.assess().treatment.current
    assert drugs(patient.cards()).isdisjoint(set(current) - {"glucocorticoid"})


@settings(max_examples=size(25, part=10))
@given(charts())
def test_with_inclusion_body_myositis_on_the_list_nothing_is_ever_drafted(patient: Patient) -> None:
    for verification in ("confirmed", "provisional"):
        assert drugs(patient.has("inclusion_body_myositis", since="2024", verification=verification).cards()) == set()


@settings(max_examples=size(25, part=10))
@given(charts())
def test_in_a_pregnant_woman_no_teratogen_is_ever_offered(patient: Patient) -> None:
    pregnant = Patient("female", "1992-01-01", patient.resources).has("pregnancy", since="2026-08")
    assert {"methotrexate", "mycophenolate", "cyclophosphamide"}.isdisjoint(offered(pregnant))


# --- a known absence becomes unknown ------------------------------------------------------------------------------------------

ABSENCES: Mapping[str, Callable[[Patient], Patient]] = {
    "anti-MDA5 negative": lambda one: one.antibody("anti_mda5", "negative"),
    "anti-TIF1-γ negative": lambda one: one.antibody("anti_tif1_gamma", "negative"),
    "anti-Jo-1 negative": lambda one: one.antibody("anti_jo1", "negative"),
    "anti-SRP negative": lambda one: one.antibody("anti_srp", "negative"),
    "anti-HMGCR negative": lambda one: one.antibody("anti_hmgcr", "negative"),
    "not pregnant": lambda one: one.answered("pregnancy_status", "not_pregnant"),
    "no hepatitis B": lambda one: one.antibody("hbsag", "negative").antibody("anti_hbc_total", "negative"),
    "normal TPMT": lambda one: one.result("tpmt_activity", 30, low=20, high=40),
    "normal lung function": lambda one: one.result("fvc_percent_predicted", 95, low=80, high=120),
    "normal blood count": lambda one: one.result("leukocytes", 6, low=4, high=10),
    "normal kidney function": lambda one: one.result("egfr", 90, low=60),
}
"""What rules something out."""

_ASKS = {"diagnosticWorkup", "lungFunction"}
"""Topics whose advice is to find out: they may newly ask for the test that is gone."""


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(sorted(ABSENCES)))
def test_not_knowing_that_something_is_absent_never_brings_more_treatment(patient: Patient, absence: str) -> None:
    known = ABSENCES[absence](patient)
    assert drugs(patient.cards(cap=10)) <= drugs(known.cards(cap=10))
    assert set(offered(patient)) <= set(offered(known))
    assert set(topics(patient.cards(cap=10))) <= set(topics(known.cards(cap=10))) | is_cautious(patient) | _ASKS


@settings(max_examples=size(30, part=12))
@given(charts(), st.sampled_from(("1992-01-01", "1977-06-01", "1964-02-01")), st.sampled_from(("sex", "born")))
def test_not_knowing_sex_or_age_never_brings_more_orders_to_an_adult(patient: Patient, born: str, what: str) -> None:
    """Nor an order that needs it; in a woman who could be pregnant the test may still be asked for."""
    assume(patient.sex == "female" or "pregnancy" not in _problems(patient))  # in a man it contradicts the chart
    adult = replace(patient, born=born)
    less = replace(adult, sex=None) if what == "sex" else replace(adult, born=None)
    assert orders(less.cards(cap=10)) <= orders(adult.cards(cap=10)) | {"pregnancy-test"}
    assert set(topics(less.cards(cap=10))) <= set(topics(adult.cards(cap=10))) | is_cautious(less)


# --- a contraindication removes the suggestion ----------------------------------------------------------------------------------


def _with(problem: str, **words: Any) -> Callable[[Patient], Patient]:
    return lambda patient: patient.has(problem, **words)


PREGNANT = (
    _with("pregnancy", since="2026-08"),
    lambda patient: patient.answered("pregnancy_status", "pregnancy"),
    lambda patient: patient.antibody("pregnancy_test", "positive", on="12 days ago"),
)
CONTRAINDICATIONS: Mapping[str, tuple[Callable[[Patient], Patient], ...]] = {
    "methotrexate-pregnancy": PREGNANT,
    "methotrexate-taken-daily": (lambda patient: patient.takes("methotrexate", dose=10),),
    "mycophenolate-pregnancy": PREGNANT,
    "cyclophosphamide-pregnancy": PREGNANT,
    "screening-tests-in-pregnancy": PREGNANT,
    "bone-density-in-pregnancy": PREGNANT,
    "rituximab-leukoencephalopathy": (
        _with("progressive_multifocal_leukoencephalopathy", since="2026-01"),
        _with("progressive_multifocal_leukoencephalopathy", since="2015", status="resolved"),
    ),
    "cyclophosphamide-breastfeeding": (_with("breastfeeding", since="2026-09"),),
    "cyclophosphamide-infection": (_with("sepsis", since="2026-11"), _with("tuberculosis_active", since="2026-10")),
    "cyclophosphamide-marrow": (_with("pancytopenia", since="2026-10"),),
    "azathioprine-allopurinol": (lambda patient: patient.takes("allopurinol"), lambda patient: patient.takes("febuxostat")),
    "azathioprine-low-tpmt": (lambda patient: patient.result("tpmt_activity", 5, low=20, high=40),),
    "ivig-anaphylaxis": (
        _with("anaphylaxis_immunoglobulin_reaction", since="2015"),
        _with("anaphylaxis_immunoglobulin_reaction", since="2015", status="inactive"),
    ),
    "rituximab-hepatitis-b": (
        lambda patient: patient.antibody("hbsag", "positive", on="12 days ago"),
        lambda patient: patient.antibody("anti_hbc_total", "positive", on="12 days ago"),
        lambda patient: patient.antibody("anti_hbc_total", "positive", on="2023-10-01"),
        lambda patient: patient.antibody("hbsag", "positive", on="2023-10-01"),
        _with("hepatitis_b_chronic", since="2020"),
    ),
    "spirometry-with-pneumomediastinum": (_with("pneumomediastinum", since="2026-11"),),
}
"""For each rule that stops what we would suggest: facts that raise it, each of them alone enough."""

STOPS = {rule.id: rule for rule in knowledge().safety if rule.level is Level.STOP and rule.about != "drafted"}

_WOMAN = Patient("female", "1992-01-01").answered("pregnancy_status", "not_pregnant", on="20 days ago")
_MILD = _WOMAN.has("polymyositis", since="2026-09").strength("proximal", 4)
_LUNG = _WOMAN.has("polymyositis", since="2026-09").has("interstitial_lung_disease", since="2026-09", severity="severe")
_SCREEN = Patient("female", "1975-01-01").has("dermatomyositis", since="2026-09").antibody("anti_tif1_gamma", "positive")
_SUGGESTED: Mapping[str, Patient] = {
    "methotrexate": _MILD,
    "azathioprine": _MILD,
    "mycophenolate": _MILD.has("interstitial_lung_disease", since="2026-09", severity="mild"),
    "cyclophosphamide": _LUNG,
    "rituximab": _LUNG.antibody("hbsag", "negative").antibody("anti_hbc_total", "negative"),
    "ivig": _WOMAN.has("polymyositis", since="2026-09").strength("proximal", 3),
    "pulmonary-function-test": _MILD,
    "bone-density": _MILD.takes("prednisone", since="2026-05-01", dose=10),
    **dict.fromkeys(("ct-thorax", "ct-abdomen", "fdg-pet-ct", "mammography", "colonoscopy"), _SCREEN),
    "hrct-chest": _WOMAN.has("polymyositis", since="2026-09").antibody("anti_jo1", "positive"),
    "chest-x-ray": _WOMAN.has("polymyositis", since="2026-09"),
}
"""For each treatment and test that such a rule stops, somebody to whom it is suggested."""


def _suggested(patient: Patient) -> set[str]:
    """What stands as an option, and what is made ready as an order."""
    return set(offered(patient)) | orders(patient.cards(cap=10))


def test_every_rule_that_stops_a_suggestion_has_its_contraindications_here() -> None:
    assert set(CONTRAINDICATIONS) == set(STOPS)


_STOPPED = [
    (name, which, treatment)
    for name, contraindications in CONTRAINDICATIONS.items()
    for which in range(len(contraindications))
    for treatment in STOPS[name].treatments
    if treatment not in ("allopurinol", "febuxostat")  # never suggested by us
]


@pytest.mark.parametrize(("name", "which", "treatment"), _STOPPED)
def test_a_contraindication_takes_away_what_was_suggested(name: str, which: int, treatment: str) -> None:
    patient = _SUGGESTED[treatment]
    assert treatment in _suggested(patient)
    assert treatment not in _suggested(CONTRAINDICATIONS[name][which](patient))


def test_a_test_that_would_answer_a_question_is_not_ordered_where_it_is_stopped() -> None:
    """Severity and tempo of the lung disease are asked for, and lung function would tell; not with pneumomediastinum."""
    patient = _WOMAN.has("dermatomyositis", since="2026-08").has("interstitial_lung_disease", since="2026-09")
    assert "pulmonary-function-test" in orders(patient.cards(), "nextLineTherapy") | orders(patient.cards(), "lungFunction")
    assert "pulmonary-function-test" not in orders(patient.has("pneumomediastinum", since="2026-11").cards())


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(_STOPPED))
def test_with_a_contraindication_on_record_nothing_brings_the_suggestion_back(
    patient: Patient, stopped: tuple[str, int, str]
) -> None:
    name, which, treatment = stopped
    woman = replace(patient, sex="female", born="1992-01-01")
    assert treatment not in _suggested(CONTRAINDICATIONS[name][which](woman))


# --- time passes ----------------------------------------------------------------------------------------------------------------

_ORDER = (DueState.UPCOMING, DueState.DUE, DueState.OVERDUE, DueState.ENDED)
_MEASURED = ("2025-02-10", "2025-11-20", "2026-02-25", "2026-08-30", "2026-10-01", "2026-11-12")


@st.composite
def followed_up(draw: st.DrawFn) -> Patient:
    """Somebody with a disease of some years, screened and measured now and then."""
    began = draw(st.sampled_from(("2026-10-20", "2026-09-10", "2026-08-15", "2026-02", "2025-01-31", "2023-12-01")))
    patient = Patient(
        draw(st.sampled_from(("female", "male"))), draw(st.sampled_from(("1992-01-01", "1976-12-05", "1964-02-01")))
    )
    patient = patient.has(draw(st.sampled_from(("dermatomyositis", "polymyositis"))), since=began)
    if draw(st.booleans()):
        patient = patient.has("interstitial_lung_disease", since=began, severity="mild")
    for day in draw(st.lists(st.sampled_from(_MEASURED), max_size=3, unique=True)):
        patient = patient.strength("proximal", 4, on=day)
        for test in draw(st.lists(st.sampled_from(("ct_chest_abdomen", "pulmonary_function_test", "colonoscopy")), unique=True)):
            patient = patient.had(test, on=day)
    if draw(st.booleans()):
        for test in ("pelvic_ultrasound", "mammography", "colonoscopy", "testicular_ultrasound"):
            patient = patient.had(test, on="2026-10-01")
    return patient


def _calendar(patient: Patient) -> dict[str, Due]:
    return calendar(patient.assess())


@settings(max_examples=size(40, part=16))
@given(followed_up(), st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_what_is_due_stays_due_until_it_is_done_or_the_calendar_ends(patient: Patient, steps: list[int]) -> None:
    before = _calendar(patient)
    for days in steps:
        patient = patient.later(days)
        after = _calendar(patient)
        for name in before.keys() & after.keys():
            was, now = before[name].state, after[name].state
            if was in _ORDER and now in _ORDER:
                assert _ORDER.index(was) <= _ORDER.index(now), f"{name}: {was} became {now} on {patient.as_of}"
        before = after


@settings(max_examples=size(40, part=16))
@given(followed_up())
def test_what_is_announced_for_a_day_falls_due_on_that_day_and_not_before(patient: Patient) -> None:
    for name, due in _calendar(patient).items():
        if due.state is DueState.UPCOMING and due.due_from:
            days = (due.due_from - patient.as_of).days
            eve, day = patient.later(days - 1), patient.later(days)
            assert _calendar(eve).get(name, due).state is DueState.UPCOMING, name
            assert _calendar(day).get(name, replace(due, state=DueState.ENDED)).state is not DueState.UPCOMING, name
            if name in _calendar(day) and _calendar(day)[name].is_now:
                assert name in held(day)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("titulaer-2011-dm-repeat-3-6-months", date(2026, 12, 1)),
        ("acr-chest-2023-monitoring", date(2026, 12, 1)),
        ("alexanderson-2007-measure-schedule", date(2027, 2, 15)),
    ],
)
def test_time_makes_each_calendar_fall_due(name: str, day: date) -> None:
    patient = Patient("female", "1964-02-01").has("dermatomyositis", since="2026-08-15")
    patient = patient.has("interstitial_lung_disease", since="2026-08-15", severity="mild").strength(
        "proximal", 4, on="2026-11-12"
    )
    for test in ("ct_chest_abdomen", "pelvic_ultrasound", "mammography", "colonoscopy", "pulmonary_function_test"):
        patient = patient.had(test, on="2026-09-01")
    to_the_eve = (day - patient.as_of).days - 1
    assert name not in held(patient) | held(patient.later(to_the_eve))
    assert name in held(patient.later(to_the_eve + 1))


def test_time_brings_the_care_that_follows_from_a_drug() -> None:
    """Three months of glucocorticoid, two weeks above 15 mg: the same prescription, looked at later."""
    patient = (
        Patient("female", "1964-02-01").has("polymyositis", since="2026-11-01").takes("prednisone", since="2026-11-15", dose=40)
    )
    ids = {"eular-2022-pneumocystis-prophylaxis", "acr-giop-2022-fracture-risk"}
    assert [ids & set(held(patient.later(days))) for days in (0, 30, 120)] == [
        set(),
        {"eular-2022-pneumocystis-prophylaxis"},
        ids,
    ]


# --- sex and age ----------------------------------------------------------------------------------------------------------------

BIRTHS = (
    "2016-04-01",
    "2012-11-22",
    "2008-11-23",
    "2005-01-01",
    "1992-01-01",
    "1976-11-22",
    "1975-11-22",
    "1964-02-01",
    "1955-01-01",
)


def _differing(one: Patient, other: Patient) -> set[str]:
    """Ids of the statements that hold, wait or order otherwise for the one than for the other."""
    first, second = ({r.id: (r.holds, r.orders) for r in patient.recommendations()} for patient in (one, other))
    return {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}


@settings(max_examples=size(40, part=16))
@given(charts())
def test_sex_changes_only_what_asks_for_it(patient: Patient) -> None:
    other = replace(patient, sex="male" if patient.sex == "female" else "female")
    one, two = patient.assess(), other.assess()
    assert not [name for name in _differing(patient, other) if not asked_by(name).tells_apart(one, two)]


@settings(max_examples=size(60, part=24))
@given(charts(), st.sampled_from(BIRTHS), st.sampled_from(BIRTHS))
def test_age_changes_only_what_asks_for_it(patient: Patient, birth: str, other_birth: str) -> None:
    """A statement may differ only where an age that it names lies between the two, or the disease began in childhood in one."""
    one, other = replace(patient, born=birth), replace(patient, born=other_birth)
    first, second = one.assess(), other.assess()
    assert not [name for name in _differing(one, other) if not asked_by(name).tells_apart(first, second)]


def test_sex_changes_exactly_the_screening_that_goes_by_sex() -> None:
    woman = Patient("female", "1980-01-01").has("dermatomyositis", since="2026-08").strength("proximal", 4)
    assert _differing(woman, replace(woman, sex="male")) == {
        "titulaer-2011-dm-pelvic-ultrasound-women",
        "titulaer-2011-dm-mammography-women",
        "titulaer-2011-dm-testes-ultrasound-men-under-50",
        "meyer-2019-dm-tumour-summary",
        *("doria-2004-cs-first", "doria-2004-multidisciplinary-monitoring"),  # she may be pregnant
    }


def test_sex_changes_nothing_in_polymyositis_at_60() -> None:
    woman = Patient("female", "1966-01-01").has("polymyositis", since="2026-08").strength("proximal", 4)
    assert _differing(woman, replace(woman, sex="male")) == set()


def test_age_50_changes_exactly_the_screening_that_goes_by_it() -> None:
    man = Patient("male", "1980-01-01").has("dermatomyositis", since="2026-08").strength("proximal", 4)
    assert _differing(man, replace(man, born="1970-01-01")) == {
        "titulaer-2011-dm-testes-ultrasound-men-under-50",
        "titulaer-2011-dm-colonoscopy-over-50",
        "meyer-2019-dm-tumour-summary",
    }


# --- what was read only in part -----------------------------------------------------------------------------------------


@settings(max_examples=size(60, part=24))
@given(charts(), st.sampled_from(KINDS))
def test_what_holds_becomes_unknown_at_most_when_a_kind_is_incomplete(patient: Patient, kind: str) -> None:
    """Unknown is not no: what was found stays, and what was not read may change it, so nothing vanishes without a word."""
    incomplete = replace(patient, broken=patient.broken | {kind})
    held_before = {r.id for r in patient.recommendations() if r.holds is Answer.YES and not (r.is_note or r.is_stated)}
    assert held_before <= {r.id for r in incomplete.recommendations()}


LISTS: Mapping[str, Callable[[Patient], Patient]] = {
    "prescriptions failed": lambda patient: patient.failed("MedicationRequest"),
    "prescriptions cut": lambda patient: replace(patient, broken=patient.broken | {"MedicationRequest"}),
    "statements failed": lambda patient: patient.failed("MedicationStatement"),
    "administrations failed": lambda patient: patient.failed("MedicationAdministration"),
    "allergies failed": lambda patient: patient.failed("AllergyIntolerance"),
    "prescriptions not supplied": lambda patient: patient.without("MedicationRequest"),
    "no medications supplied": lambda patient: patient.without("MedicationRequest", "MedicationStatement"),
}


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(sorted(LISTS)), st.booleans())
def test_lists_that_nobody_read_never_make_a_line_of_treatment_appear_earlier(
    patient: Patient, how: str, is_allergic: bool
) -> None:
    patient = patient.stopped("methotrexate").cannot_tolerate("methotrexate") if is_allergic else patient
    lines = {name for name, said in held(patient).items() if said.topic == "nextLineTherapy"}
    unread = LISTS[how](patient)
    assert {name for name, said in held(unread).items() if said.topic == "nextLineTherapy"} <= lines
    assert drugs(unread.cards(cap=10)) <= drugs(patient.cards(cap=10))


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from((*KINDS, "MedicationStatement", "MedicationAdministration")))
def test_a_certain_contraindication_stays_said_whatever_could_not_be_read(patient: Patient, kind: str) -> None:
    """What was found is kept: the kind came in part, or another one failed."""
    incomplete = replace(patient, broken=patient.broken | {kind})
    against = {name for name, option in options(patient).items() if option.not_offered}
    assert against <= {name for name, option in options(incomplete).items() if option.not_offered}


def test_what_is_contraindicated_is_on_the_card_of_a_pregnant_patient_whatever_could_not_be_read() -> None:
    patient = Patient("female", "1991-02-17").has("dermatomyositis", since="2026-09").has("pregnancy", since="2026-07")
    patient = patient.strength("proximal", 4)
    for kind in (*KINDS, "MedicationStatement", "MedicationAdministration"):
        therapy = [
            card for card in replace(patient, broken=frozenset({kind})).cards() if "methotrexate: contra" in card["detail"]
        ]
        assert topics(therapy) == ["nextLineTherapy"], kind


@pytest.mark.parametrize("infection", ["sepsis", "pneumonia", "tuberculosis_active", "herpes_zoster"])
def test_with_an_active_infection_no_immunosuppressant_is_made_ready_even_in_rapid_lung_disease(infection: str) -> None:
    """What stays is the glucocorticoid, with a word of caution, and IVIG, which the source allows in infection."""
    rapid = (
        _LUNG.has("ild_rapidly_progressive", since="2026-09").antibody("anti_mda5", "positive").result("hbsag", flag="negative")
    )
    rapid = rapid.result("anti_hbc_total", flag="negative")
    infected = rapid.has(infection, since="2026-11")
    assert {"ciclosporin", "tacrolimus", "rituximab"} <= drugs(rapid.cards(cap=10))
    assert drugs(infected.cards(cap=10)) <= {"glucocorticoid-intravenous", "glucocorticoid-oral", "ivig"}
    glucocorticoid = options(infected)["glucocorticoid-intravenous"]
    assert "glucocorticoid-infection" in {caution.id for caution in glucocorticoid.cautions}


# --- what a screen found ------------------------------------------------------------------------------------------------

_SCREENS: Mapping[str, tuple[Callable[[Patient], Patient], ...]] = {
    "hepatitis-b": (
        lambda patient: patient.result("hbsag", flag="positive"),
        lambda patient: patient.result("anti_hbc_total", flag="positive"),
        lambda patient: patient.result("hbsag", flag="positive").result("anti_hbc_total", flag="positive"),
        _with("hepatitis_b_chronic", since="2020"),
    ),
    "tuberculosis": (
        lambda patient: patient.result("igra", flag="positive"),
        _with("tuberculosis_latent", since="2020"),
        _with("tuberculosis_active", since="2026-10"),
    ),
}
_ASKING = {
    screen: [rule for rule in knowledge().safety if any(str(value).startswith(screen) for _, value in leaves(rule.trigger))]
    for screen in _SCREENS
}
_SCREENED_FOR = sorted({(screen, drug) for screen, rules in _ASKING.items() for rule in rules for drug in rule.treatments})


def _urgency_about(screen: str, drug: str, patient: Patient, draft: DraftOrder | None) -> int:
    """How urgently the rules that ask for it speak: 0 is the most urgent, beyond the last one they are silent."""
    names = {rule.id for rule in _ASKING[screen]}
    cautions = cautions_for(drug, Case(patient.assess()), knowledge(), Level, draft=draft)
    said = [URGENCIES.index(from_caution(one, (), [drug], ()).urgency) for one in cautions if one.id in names]
    return min(said, default=len(URGENCIES))


@pytest.mark.parametrize(("screen", "drug"), _SCREENED_FOR)
def test_a_positive_screen_never_says_less_than_none(screen: str, drug: str) -> None:
    """About a draft and about what we would suggest; and a finding is never called not tested."""
    for draft in (DraftOrder("MedicationRequest/draft-1", ()), None):
        for positive in _SCREENS[screen]:
            found = positive(_MILD)
            assert _urgency_about(screen, drug, found, draft) <= _urgency_about(screen, drug, _MILD, draft)
            assert _urgency_about(screen, drug, found, draft) < len(URGENCIES)


def test_what_a_screen_is_asked_for_is_not_asked_again_where_the_answer_is_known() -> None:
    known = _MILD.has("hepatitis_b_chronic", since="2020").has("tuberculosis_latent", since="2020")
    for drug in ("abatacept", "anti-tnf", "tocilizumab", "jak-inhibitor"):
        said = {caution.id for caution in cautions_for(drug, Case(known.assess()), knowledge(), Level)}
        assert {"biologic-hepatitis-b-known", "biologic-tuberculosis-known"} <= said
        assert said.isdisjoint({"biologic-hepatitis-b", "biologic-tuberculosis"})


def test_the_same_chart_read_anew_is_advised_the_same() -> None:
    """`Patient` works its advice out once for each chart; here it is worked out twice."""
    once, again = (recommend(assess(_MILD.record())) for _ in range(2))
    assert once == again
    assert once == _MILD.recommendations()
