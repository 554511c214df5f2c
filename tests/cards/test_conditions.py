"""The rule vocabulary: each condition answers yes, no or unknown, with its reasons (docs/rule-vocabulary.md)."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cards.conditions import compile_condition
from cards.knowledge import knowledge
from cards.verdicts import Case, RuleError, Verdict, Vocabulary, everyone
from fhir_profiles.clinical_definitions import definitions
from fhir_profiles.findings import Answer
from fhir_profiles.record import DraftOrder
from tests.for_each import for_each
from tests.patient import Patient

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

DM = Patient().has("dermatomyositis", since="2026-05")
NOBODY = Patient()

VOCABULARY = Vocabulary(definitions(), {"everyone": everyone}, earlier=("first",), treatments=knowledge().treatments)
PAGE = Path(__file__).parents[2] / "docs" / "rule-vocabulary.md"


def ask(node: Any, patient: Patient, outcomes: dict[str, Answer] | None = None, **case: Any) -> Verdict:
    return compile_condition(node, VOCABULARY, "test")(Case(patient.assess(), outcomes or {}, **case))


def known_keys() -> set[str]:
    with pytest.raises(RuleError) as error:
        compile_condition({}, VOCABULARY, "test")
    return set(str(error.value).rpartition("one of ")[2].split(", "))


A_YES, A_NO, AN_UNKNOWN = {"sex": "female"}, {"sex": "male"}, {"present": "pregnancy"}
YOUNG = Patient(born="1990-05-05")

ILD_OF_JANUARY = DM.has("interstitial_lung_disease", since="2026-01-10")

CASES: list[tuple[dict[str, Any], Patient, Answer]] = [
    # logic
    ({"all": [A_YES, A_YES]}, YOUNG, YES),
    ({"all": [A_YES, AN_UNKNOWN]}, YOUNG, UNKNOWN),
    ({"all": [AN_UNKNOWN, A_NO]}, YOUNG, NO),
    ({"any": [A_NO, A_YES]}, YOUNG, YES),
    ({"any": [A_NO, AN_UNKNOWN]}, YOUNG, UNKNOWN),
    ({"any": [A_NO, A_NO]}, YOUNG, NO),
    ({"not": A_NO}, YOUNG, YES),
    ({"not": A_YES}, YOUNG, NO),
    ({"not": AN_UNKNOWN}, YOUNG, UNKNOWN),
    ({"population": "everyone"}, NOBODY, YES),
    # the patient
    ({"age": {"at_least": 18}}, Patient(born="2008-11-22"), YES),
    ({"age": {"at_least": 18}}, Patient(born="2008-11-23"), NO),
    ({"age": {"at_least": 18}}, Patient(born="2008"), UNKNOWN),
    ({"age": {"at_least": 18}}, Patient(born=None), UNKNOWN),
    ({"age": {"over": 50}}, Patient(born="1976-01-01"), NO),
    ({"age": {"over": 50}}, Patient(born="1975-01-01"), YES),
    ({"age": {"under": 50}}, Patient(born="1977-01-01"), YES),
    ({"age": {"at_most": 50}}, Patient(born="1976-01-01"), YES),
    ({"age": {"exactly": 50}}, Patient(born="1976-01-01"), YES),
    ({"age": {"exactly": 50}}, Patient(born="1976"), UNKNOWN),
    ({"age": {"at_least": 18, "under": 50}}, Patient(born="1970-01-01"), NO),
    ({"sex": "female"}, Patient(sex="female"), YES),
    ({"sex": "female"}, Patient(sex="male"), NO),
    ({"sex": "female"}, Patient(sex=None), UNKNOWN),
    # the disease
    ({"phenotype": "dermatomyositis"}, DM, YES),
    ({"phenotype": "polymyositis"}, DM, NO),
    ({"phenotype": ["polymyositis", "dermatomyositis"]}, DM, YES),
    ({"phenotype": "dermatomyositis"}, Patient().has("dermatomyositis", verification="provisional"), NO),
    ({"suspected_phenotype": "dermatomyositis"}, Patient().has("dermatomyositis", verification="provisional"), YES),
    ({"suspected_phenotype": "dermatomyositis"}, DM, NO),
    ({"recorded_phenotype": "dermatomyositis"}, Patient().has("dermatomyositis", verification="provisional"), YES),
    ({"recorded_phenotype": "dermatomyositis"}, DM, YES),
    ({"recorded_phenotype": "dermatomyositis"}, NOBODY, NO),
    (
        {"recorded_phenotype": "antisynthetase-syndrome"},
        Patient().antibody("anti_jo1", "positive").has("interstitial_lung_disease"),
        NO,
    ),
    ({"severity": "severe"}, DM.strength("proximal", 3), YES),
    ({"severity": "severe"}, DM.strength("proximal", 4), NO),
    ({"severity": "non-severe"}, DM.strength("proximal", 4), YES),
    ({"severity": "non-severe"}, DM, UNKNOWN),
    ({"present": "pregnancy"}, YOUNG.has("pregnancy", since="2026-07"), YES),
    ({"present": "pregnancy"}, Patient(sex="male"), NO),
    ({"present": "pregnancy"}, YOUNG, UNKNOWN),
    ({"recorded": "interstitial-lung-disease"}, DM.has("interstitial_lung_disease"), YES),
    ({"recorded": "interstitial-lung-disease"}, DM, NO),
    ({"recorded": "interstitial-lung-disease"}, DM.has("interstitial_lung_disease", verification="provisional"), UNKNOWN),
    ({"recorded": "pneumocystis-prophylaxis-current"}, DM.without("MedicationRequest", "MedicationStatement"), NO),
    ({"recorded": "pneumocystis-prophylaxis-current"}, DM.failed("MedicationRequest"), UNKNOWN),
    ({"recorded": "first-line-used-up"}, DM.stopped("azathioprine"), UNKNOWN),
    ({"antibody_positive": "anti-jo1"}, DM.antibody("anti_jo1", "positive"), YES),
    ({"antibody_positive": "anti-jo1"}, DM.antibody("anti_jo1", "negative"), NO),
    ({"antibody_positive": "anti-jo1"}, DM.antibody("anti_jo1", "borderline"), UNKNOWN),
    ({"antibody_positive": "anti-jo1"}, DM, UNKNOWN),
    ({"antibody_ever_positive": "anti-jo1"}, DM.antibody("anti_jo1", "positive"), YES),
    ({"antibody_ever_positive": "anti-jo1"}, DM, NO),
    ({"antibody_ever_positive": "anti-jo1"}, DM.antibody("anti_jo1", "borderline"), UNKNOWN),
    ({"antibody_ever_positive": "anti-jo1"}, DM.without("Observation", "DiagnosticReport"), UNKNOWN),
    ({"antibody_positive": ["anti-jo1", "anti-mi2"]}, DM.antibody("anti_jo1", "negative"), UNKNOWN),
    ({"antibody_positive": ["anti-jo1", "anti-mi2"]}, DM.antibody("anti_mi2", "positive"), YES),
    ({"myositis_specific_antibody": True}, DM.antibody("anti_sae", "positive"), YES),
    ({"myositis_specific_antibody": True}, DM.antibody("anti_ro52", "positive"), UNKNOWN),
    ({"remission": True}, Patient().has("dermatomyositis", status="remission"), YES),
    ({"remission": True}, DM, NO),
    ({"remission": False}, DM, YES),
    ({"disease_years": {"at_most": 4}}, DM, YES),
    ({"disease_years": {"at_most": 4}}, Patient().has("dermatomyositis", since="2022-11-22"), YES),
    ({"disease_years": {"at_most": 4}}, Patient().has("dermatomyositis", since="2022-11-21"), NO),
    ({"disease_years": {"over": 4}}, Patient().has("dermatomyositis", since="2022-11-21"), YES),
    ({"disease_years": {"over": 4}}, DM, NO),
    ({"disease_years": {"over": 4}}, Patient().has("dermatomyositis"), UNKNOWN),
    # what was tried and done
    ({"failed": "azathioprine"}, DM.stopped("azathioprine", because="ineffective"), YES),
    ({"failed": "azathioprine"}, DM.stopped("azathioprine", because="intolerance"), NO),
    ({"failed": "azathioprine"}, DM.takes("azathioprine"), NO),
    ({"failed": "azathioprine"}, DM, NO),
    ({"failed": "azathioprine"}, DM.stopped("azathioprine"), UNKNOWN),
    ({"failed": "azathioprine"}, DM.failed("MedicationRequest"), UNKNOWN),
    ({"failed": ["azathioprine", "methotrexate"]}, DM.stopped("azathioprine", because="ineffective"), NO),
    ({"not_tolerated": "methotrexate"}, DM.stopped("methotrexate", because="intolerance"), YES),
    ({"not_tolerated": "methotrexate"}, DM.cannot_tolerate("methotrexate"), YES),
    ({"not_tolerated": "methotrexate"}, DM.stopped("methotrexate", because="ineffective"), NO),
    ({"not_tolerated": "methotrexate"}, DM.stopped("methotrexate"), UNKNOWN),
    ({"taking": "rituximab"}, DM.takes("rituximab"), YES),
    ({"taking": "rituximab"}, DM.stopped("rituximab"), NO),
    ({"taking": "rituximab"}, DM, NO),
    ({"taking": "rituximab"}, DM.failed("MedicationRequest"), UNKNOWN),
    ({"tried": "glucocorticoid"}, DM.stopped("prednisone"), YES),
    ({"tried": "glucocorticoid"}, DM.cannot_tolerate("prednisone"), NO),
    ({"tried": "glucocorticoid"}, DM, NO),
    ({"tried": "glucocorticoid"}, DM.failed("MedicationRequest"), UNKNOWN),
    ({"on_record": "colonoscopy"}, DM.had("colonoscopy"), YES),
    ({"on_record": "colonoscopy"}, DM.ordered("colonoscopy"), YES),
    ({"on_record": "colonoscopy"}, DM, NO),
    ({"on_record": "colonoscopy"}, DM.without("Procedure"), NO),
    ({"on_record": "colonoscopy"}, DM.failed("Procedure"), UNKNOWN),
    ({"first_recorded": {"of": "interstitial-lung-disease", "at_most_months": 12}}, ILD_OF_JANUARY, YES),
    ({"first_recorded": {"of": "interstitial-lung-disease", "at_most_months": 9}}, ILD_OF_JANUARY, NO),
    ({"first_recorded": {"of": "interstitial-lung-disease", "at_most_months": 12}}, DM, UNKNOWN),
    ({"recorded": "relapse"}, Patient().has("dermatomyositis", status="relapse"), YES),
    ({"recorded": "relapse"}, DM, NO),
    ({"daily_dose": {"of": "glucocorticoid", "over": 15}}, DM.takes("prednisone", dose=20), YES),
    ({"daily_dose": {"of": "glucocorticoid", "over": 15}}, DM.takes("prednisone", dose=15), NO),
    ({"daily_dose": {"of": "glucocorticoid", "at_least": 2.5}}, DM.takes("prednisone", dose=2.5), YES),
    ({"daily_dose": {"of": "glucocorticoid", "over": 15}}, DM.takes("prednisone"), UNKNOWN),
    ({"daily_dose": {"of": "glucocorticoid", "over": 15}}, DM, NO),
    ({"taken_weeks": {"of": "glucocorticoid", "over": 2}}, DM.takes("prednisone", since="2026-11-07"), YES),
    ({"taken_weeks": {"of": "glucocorticoid", "over": 2}}, DM.takes("prednisone", since="2026-11-08"), NO),
    ({"taken_weeks": {"of": "glucocorticoid", "over": 2}}, DM.takes("prednisone", since=None), UNKNOWN),
    ({"taken_weeks": {"of": "glucocorticoid", "over": 2}}, DM.stopped("prednisone"), NO),
    # drugs together, and drafts
    ({"earlier_course": "failed"}, DM.stopped("azathioprine", because="ineffective"), NO),
    ({"given": "allopurinol"}, DM.takes("allopurinol"), YES),
    ({"given": ["febuxostat", "allopurinol"]}, DM.takes("allopurinol"), YES),
    ({"given": "azathioprine"}, DM.takes("azathioprine"), YES),
    ({"given": "azathioprine"}, DM.stopped("azathioprine"), NO),
    ({"given": "allopurinol"}, DM.stopped("allopurinol"), NO),
    ({"given": "allopurinol"}, DM, NO),
    ({"given": "allopurinol"}, DM.without("MedicationRequest", "MedicationStatement"), NO),
    ({"given": "allopurinol"}, DM.failed("MedicationRequest"), UNKNOWN),
    ({"given_together": {"at_least": 2, "of": ["rituximab", "abatacept"]}}, DM.takes("rituximab").takes("abatacept"), YES),
    ({"given_together": {"at_least": 2, "of": ["rituximab", "abatacept"]}}, DM.takes("abatacept"), NO),
    ({"drafted_times_a_week": {"over": 1}}, DM, NO),
    ({"taken_times_a_week": {"of": "methotrexate", "over": 1}}, DM.takes("methotrexate", dose=10), YES),
    ({"taken_times_a_week": {"of": "methotrexate", "at_least": 8}}, DM.takes("methotrexate", dose=10), NO),
    ({"taken_times_a_week": {"of": "methotrexate", "over": 1}}, DM.takes("methotrexate"), NO),
    ({"taken_times_a_week": {"of": "methotrexate", "over": 1}}, DM.stopped("methotrexate"), NO),
    ({"taken_times_a_week": {"of": "methotrexate", "over": 1}}, DM.failed("MedicationRequest"), NO),
    ({"drafted_in_words": True}, DM, NO),
    ({"drafted_prednisolone_mg": {"over": 15}}, DM.takes("prednisone", dose=40), NO),
]

METHOTREXATE = DraftOrder("MedicationRequest/m", ("methotrexate",), times_a_week=7)
PREDNISONE = DraftOrder("MedicationRequest/p", ("prednisone",), daily_dose_mg=2.5)


@pytest.mark.parametrize(
    ("node", "case", "expected"),
    [
        ({"earlier_course": "failed"}, {"considered": "methotrexate"}, NO),
        ({"given": "methotrexate"}, {"drafts": (METHOTREXATE,)}, YES),
        ({"given": "methotrexate"}, {"drafts": (PREDNISONE,)}, NO),
        ({"given": "methotrexate"}, {"considered": "methotrexate"}, YES),
        ({"given_together": {"at_least": 2, "of": ["methotrexate", "rituximab"]}}, {"drafts": (METHOTREXATE,)}, NO),
        (
            {"given_together": {"at_least": 2, "of": ["methotrexate", "rituximab"]}},
            {"drafts": (METHOTREXATE,), "considered": "rituximab"},
            YES,
        ),
        ({"drafted_times_a_week": {"over": 1}}, {"draft": METHOTREXATE}, YES),
        ({"drafted_times_a_week": {"over": 7}}, {"draft": METHOTREXATE}, NO),
        ({"drafted_times_a_week": {"over": 1}}, {"draft": PREDNISONE}, NO),
        ({"drafted_times_a_week": {"over": 1}}, {"drafts": (METHOTREXATE,)}, NO),
        ({"drafted_in_words": True}, {"draft": replace(METHOTREXATE, is_in_words=True)}, YES),
        ({"drafted_in_words": True}, {"draft": METHOTREXATE}, NO),
        ({"drafted_prednisolone_mg": {"under": 2.5}}, {"draft": PREDNISONE}, NO),
        ({"drafted_prednisolone_mg": {"at_least": 2.5}}, {"draft": PREDNISONE}, YES),
        ({"drafted_prednisolone_mg": {"over": 1}}, {"draft": METHOTREXATE}, NO),
    ],
)
def test_what_is_being_written_counts_as_given_and_a_dose_only_where_the_draft_says_it(
    node: dict[str, Any], case: dict[str, Any], expected: Answer
) -> None:
    assert ask(node, DM, **case).answer is expected


@pytest.mark.parametrize("agent", ["methylprednisolone", "prednisone"])
@pytest.mark.parametrize("route", ["intravenous", "oral", None])
def test_a_drafted_pulse_is_told_from_tablets_by_its_route(agent: str, route: str | None) -> None:
    draft = DraftOrder("MedicationRequest/m", (agent,), route=route)
    is_pulse = agent == "methylprednisolone" and route != "oral"
    assert ask({"given": "glucocorticoid-intravenous"}, DM, drafts=(draft,)).answer is (YES if is_pulse else NO)
    assert ask({"given": "glucocorticoid-oral"}, DM, drafts=(draft,)).answer is YES


@for_each(("node", "patient", "expected"), CASES)
def test_each_condition_answers_as_its_page_says(node: dict[str, Any], patient: Patient, expected: Answer) -> None:
    assert ask(node, patient).answer is expected


@pytest.mark.parametrize(
    ("outcomes", "expected"), [({"first": YES}, NO), ({"first": NO}, YES), ({}, YES), ({"first": UNKNOWN}, UNKNOWN)]
)
def test_settled_means_that_nothing_is_left_to_do(outcomes: dict[str, Answer], expected: Answer) -> None:
    assert ask({"settled": ["first"]}, DM, outcomes).answer is expected


def test_every_condition_is_shown_here_and_described_on_its_page() -> None:
    described = set(re.findall(r"^\| `(\w+)` \| `?\{", PAGE.read_text("utf-8"), re.MULTILINE))
    described |= set(re.findall(r"^\| `(\w+)` \| the same form", PAGE.read_text("utf-8"), re.MULTILINE))
    assert {key for node, _, _ in CASES for key in node} | {"settled"} == known_keys() == described


# --- reasons ------------------------------------------------------------------------------------------------------------


def test_a_yes_says_because_of_what_in_the_chart() -> None:
    verdict = ask({"all": [{"phenotype": "dermatomyositis"}, {"age": {"over": 50}}, {"sex": "female"}]}, DM)
    assert [(item.text, item.reference) for item in verdict.because] == [
        ("dermatomyositis on the problem list (active, since May 2026)", "Condition/condition-1"),
        ("age 62", ""),
        ("female", ""),
    ]


def test_a_none_on_record_is_a_reason_too() -> None:
    verdict = ask({"not": {"recorded": "interstitial-lung-disease"}}, DM)
    assert [item.text for item in verdict.because] == ["no interstitial lung disease on record"]


def test_an_unknown_names_what_would_decide_it() -> None:
    assert [m.text for m in ask({"antibody_positive": "anti-jo1"}, DM).missing] == ["anti-Jo-1: no result on record"]
    borderline = ask({"antibody_positive": "anti-jo1"}, DM.antibody("anti_jo1", "borderline"))
    assert [m.text for m in borderline.missing] == ["anti-Jo-1: borderline, needs confirmation"]
    assert [m.text for m in ask({"age": {"over": 50}}, Patient(born=None)).missing] == ["date of birth"]
    assert [m.text for m in ask({"failed": "azathioprine"}, DM.stopped("azathioprine")).missing] == [
        "why azathioprine was stopped (no effect, or not tolerated?)"
    ]


def test_a_treatment_that_cannot_be_known_says_that_the_medications_could_not_be_read() -> None:
    assert [m.text for m in ask({"tried": "methotrexate"}, DM.failed("MedicationRequest")).missing] == [
        "medications could not be read completely"
    ]


def test_a_no_that_rests_on_data_never_supplied_carries_its_caveat() -> None:
    verdict = ask({"not": {"recorded": "pneumocystis-prophylaxis-current"}}, DM.without("MedicationRequest"))
    assert (verdict.answer, [m.concept for m in verdict.missing]) == (YES, ["trimethoprim_sulfamethoxazole"])
    assert "not in the data supplied" in verdict.missing[0].text


@pytest.mark.parametrize("key", ["taking", "tried", "failed", "not_tolerated"])
@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (DM, NO),
        (DM.without("MedicationStatement"), NO),
        (DM.without("MedicationRequest"), UNKNOWN),
        (DM.without("MedicationRequest", "MedicationStatement"), UNKNOWN),
        (DM.without("MedicationRequest").failed("MedicationStatement"), UNKNOWN),
        (DM.failed("MedicationRequest"), UNKNOWN),
        (
            DM.without("MedicationRequest").add("MedicationStatement", status="active", medicationCodeableConcept={"text": "x"}),
            NO,
        ),
    ],
)
def test_a_treatment_was_not_given_only_where_a_medication_list_was_read(key: str, patient: Patient, expected: Answer) -> None:
    """A confirmed-empty list of statements is no answer for prescriptions that nobody supplied; one with entries is a list."""
    assert ask({key: "rituximab"}, patient).answer is expected


@pytest.mark.parametrize(
    ("key", "agent", "broken", "expected"),
    [
        ("not_tolerated", "methotrexate", "AllergyIntolerance", UNKNOWN),
        ("failed", "methotrexate", "AllergyIntolerance", NO),
        ("taking", "rituximab", "MedicationAdministration", UNKNOWN),
        ("tried", "ivig", "MedicationAdministration", UNKNOWN),
        ("taking", "methotrexate", "MedicationAdministration", NO),
    ],
)
def test_allergies_that_failed_hide_an_intolerance_and_administrations_an_infusion(
    key: str, agent: str, broken: str, expected: Answer
) -> None:
    assert ask({key: agent}, DM.failed(broken)).answer is expected
    assert ask({key: agent}, DM.without(broken)).answer is NO


def test_of_several_ways_only_those_that_hold_are_given_as_reasons() -> None:
    verdict = ask({"any": [{"sex": "male"}, {"phenotype": "dermatomyositis"}]}, DM)
    assert [item.reference for item in verdict.because] == ["Condition/condition-1"]


def test_a_statement_about_all_myositis_gives_the_diagnosis_as_reason_and_no_more() -> None:
    patient = DM.antibody("anti_tif1_gamma", "positive")
    every_phenotype = {"phenotype": definitions().phenotypes["precedence"]}
    assert len(ask(every_phenotype, patient).because) == 1


# --- rules that cannot be compiled --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"pheno": "dermatomyositis"}, "unknown condition `pheno`; known are age, all, "),
        ({}, "exactly one key"),
        ({"sex": "female", "age": {"over": 50}}, "exactly one key"),
        ("dermatomyositis", "exactly one key"),
        ({"phenotype": "dermatomyosits"}, "unknown phenotype dermatomyosits; known are "),
        ({"suspected_phenotype": ["dermatomyositis", "sarcoidosis"]}, "unknown phenotype sarcoidosis"),
        ({"recorded": "pregnancies"}, "unknown feature pregnancies; known are "),
        ({"present": "pregnancies"}, "unknown feature pregnancies"),
        ({"antibody_positive": "anti-jo2"}, "unknown antibody anti-jo2"),
        ({"failed": "aspirin"}, "unknown treatment aspirin"),
        ({"taking": "prednisone"}, "unknown treatment prednisone"),
        ({"on_record": "gastroscopy"}, "unknown investigation gastroscopy"),
        ({"first_recorded": {"of": "gout", "at_most_months": 3}}, "unknown feature gout"),
        ({"settled": ["second"]}, "unknown earlier statement second"),
        ({"severity": "mild"}, "severity is `severe` or `non-severe`, not `mild`"),
        ({"age": {"older": 50}}, "`age` takes whole numbers under at_least, at_most, exactly, over, under"),
        ({"population": "adults"}, "population `adults` is not in populations.yaml (everyone)"),
        ({"all": [{"sex": "female"}, {"any": [{"recorded": "nonsense"}]}]}, "unknown feature nonsense"),
        ({"not": {"nonsense": 1}}, "unknown condition `nonsense`"),
        ({"given": "aspirin"}, "unknown treatment aspirin; known are abatacept, allopurinol, "),
        ({"given_together": {"at_least": 2, "of": ["aspirin"]}}, "unknown treatment aspirin"),
    ],
)
def test_a_rule_that_names_what_does_not_exist_is_refused_with_the_right_names(node: Any, message: str) -> None:
    with pytest.raises(RuleError, match=re.escape(message)) as error:
        compile_condition(node, VOCABULARY, "titulaer-2011.yaml: some-statement")
    assert str(error.value).startswith("titulaer-2011.yaml: some-statement: ")


@for_each(
    "node",
    [
        {"sex": "woman"},
        {"age": 50},
        {"age": {"over": "fifty"}},
        {"age": {}},
        {"disease_years": {"above": 4}},
        {"disease_years": 4},
        {"remission": "never"},
        {"all": {"sex": "female"}},
        {"all": 1},
        {"any": []},
        {"phenotype": 1},
        {"phenotype": []},
        {"recorded": []},
        {"first_recorded": {"of": "interstitial-lung-disease"}},
        {"daily_dose": {"of": "glucocorticoid"}},
        {"daily_dose": {"of": "glucocorticoid", "above": 15}},
        {"taken_weeks": {"of": "glucocorticoid", "over": "two"}},
        {"first_recorded": {"of": "interstitial-lung-disease", "at_most_months": "twelve"}},
        {"given": []},
        {"earlier_course": "stopped"},
        {"given_together": ["rituximab", "abatacept"]},
        {"given_together": {"at_least": "two", "of": ["rituximab", "abatacept"]}},
        {"drafted_times_a_week": 1},
        {"drafted_in_words": False},
        {"taken_times_a_week": {"of": "methotrexate", "under": 1}},
        {"drafted_times_a_week": {"above": 1}},
        {"drafted_prednisolone_mg": {"over": "15 mg"}},
        {"drafted_prednisolone_mg": {"over": 15, "under": 30}},
    ],
    ids=str,
)
def test_a_rule_of_the_wrong_form_is_refused_too_and_never_read_as_something_else(node: Any) -> None:
    with pytest.raises(RuleError, match=r"^titulaer-2011\.yaml: some-statement: "):
        compile_condition(node, VOCABULARY, "titulaer-2011.yaml: some-statement")
