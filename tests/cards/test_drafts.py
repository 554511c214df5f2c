"""What is said about an order that is being written (drug-safety.md), and about nothing else."""

from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.knowledge import knowledge
from cards.recommend import recommend
from cards.to_cards import to_cards
from cards.verdicts import TreatmentEntry
from fhir_profiles.clinical_definitions import definitions
from fhir_profiles.reader import read_drafts
from tests.cards.reading import actions, card_about, drugs, explanation, held, orders, resources, topics
from tests.patient import AS_OF, Json, Patient, codeable, terminology

DM = Patient().has("dermatomyositis", since="2026-05").result("tpmt_activity", 20, low=10)
PREGNANT = (
    Patient(born="1992-01-01")
    .has("dermatomyositis", since="2026-05")
    .has("pregnancy", since="2026-07")
    .result("tpmt_activity", 20, low=10)
)
IBM = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2020")
IMNM = Patient().has("immune_mediated_necrotising_myopathy", since="2026-05")
COMPLETE = (
    DM.result("leukocytes", 6, low=4)
    .result("alt", 20, high=40)
    .result("creatinine", 0.8, high=1.2)
    .result("hbsag", flag="negative")
    .result("anti_hbc_total", flag="negative")
    .result("igra", flag="negative")
    .antibody("anti_hmgcr", "negative")
    .had("chest_xray")
    .had("pulmonary_function_test")
    .had("dxa")
    .takes("folic_acid", since="2026-06-01")
    .takes("azathioprine", since="2026-06-01")
)
"""On azathioprine, with every baseline test and nothing that speaks against a drug."""


def card(patient: Patient, topic: str, *drafts: str) -> Json:
    found = card_about(topic, patient.cards(drafting=drafts))
    assert found is not None
    return found


def drafted(kind: str = "MedicationRequest", **fields: Any) -> Json:
    """A draft as an EHR sends it."""
    base = {"resourceType": kind, "id": "draft-1", "status": "draft", "intent": "order", "subject": {"reference": "Patient/1"}}
    return {name: value for name, value in (base | fields).items() if value is not None}


def cards_for(patient: Patient, *resources: Json, selections: list[str] | None = None) -> list[Json]:
    """The cards about drafts given as FHIR."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
    read, issues = read_drafts(bundle, selections, terminology=terminology(), as_of=AS_OF, patient_id="1")
    assert not issues
    return to_cards(recommend(patient.assess(), read), patient.assess(), seed="hook-1")


def labels(found: Json) -> list[str]:
    return [suggestion["label"] for suggestion in found.get("suggestions", ())]


# --- the seven of issue 3 -------------------------------------------------------------------------------------------------


def test_methotrexate_in_pregnancy_is_critical_and_offers_its_removal_and_what_is_compatible() -> None:
    found = card(PREGNANT, "drugSafety", "methotrexate")
    assert found["indicator"] == "critical"
    assert found["summary"] == "Methotrexate: contraindicated in pregnancy (FDA label)"
    assert found["source"]["label"] == "FDA label"
    assert "compatible with pregnancy: glucocorticoid; ciclosporin, azathioprine" in found["detail"].lower()
    assert labels(found) == [
        "Remove the draft of methotrexate",
        "Draft azathioprine instead, dose left to you",
        "Draft ciclosporin instead, dose left to you",
        "Draft intravenous immunoglobulin instead, dose left to you",
    ]
    assert [item["reference"] for item in explanation(found)["because"]] == ["Condition/condition-2", "MedicationRequest/draft-1"]


@pytest.mark.parametrize("drug", ["allopurinol", "febuxostat"])
def test_azathioprine_beside_allopurinol_is_critical_and_offers_mycophenolate(drug: str) -> None:
    found = card(DM.takes(drug), "drugSafety", "azathioprine")
    assert found["indicator"] == "critical"
    assert "makes azathioprine myelotoxic; avoid the pair" in found["summary"]
    assert found["source"]["label"] == "interaction guidance"
    assert labels(found) == ["Remove the draft of azathioprine", "Draft mycophenolate mofetil instead, dose left to you"]


def test_rituximab_without_hepatitis_b_serology_is_a_warning_that_offers_the_serology() -> None:
    found = card(DM, "drugSafety", "rituximab")
    assert found["indicator"] == "warning"
    assert found["summary"].startswith("Rituximab: check first: hepatitis B")
    assert found["source"]["label"].startswith("FDA label")
    assert orders([found]) == {"hepatitis-b-surface-antigen", "hepatitis-b-core-antibody", "tuberculosis-test"}
    assert actions([found], "delete") == []


def test_ivig_in_inclusion_body_myositis_is_a_warning_that_shows_the_dissent_and_offers_exercise() -> None:
    found = card(IBM, "supportiveCare", "immunoglobulin_iv")
    assert found["indicator"] == "warning"
    assert "IVIG is not recommended for inclusion body myositis" in found["summary"]
    assert found["source"]["label"].startswith("Donofrio 2009, Feasby 2007")
    assert "C1" in explanation(found)["conflicts"]
    assert "Enk 2016" in found["detail"]
    assert labels(found) == ["Order referral to physiotherapy"]


def test_a_statin_with_anti_hmgcr_is_critical_and_names_what_may_be_used() -> None:
    found = card(IMNM.antibody("anti_hmgcr", "positive"), "drugSafety", "atorvastatin")
    assert found["indicator"] == "critical"
    assert found["summary"] == "Statin: do not re-expose a patient with anti-HMGCR to a statin (Mammen review)"
    assert found["source"]["label"] == "Mammen review"
    assert "Ezetimibe or a PCSK9 inhibitor may be used" in found["detail"]
    assert labels(found) == ["Remove the draft of statin"]


@pytest.mark.parametrize(
    ("vaccine", "title", "instead"),
    [
        (
            "vaccination_zoster_live_contraindicated",
            "live zoster vaccine",
            "Draft recombinant zoster vaccine instead, dose left to you",
        ),
        (
            "vaccination_influenza_live_contraindicated",
            "live influenza vaccine",
            "Draft inactivated influenza vaccine instead, dose left to you",
        ),
        ("text:MMR vaccine", "live vaccine", None),
        ("text:yellow fever vaccine", "live vaccine", None),
    ],
)
@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest"])
def test_a_live_vaccine_during_immunosuppression_is_a_warning(kind: str, vaccine: str, title: str, instead: str | None) -> None:
    field = "medicationCodeableConcept" if kind == "MedicationRequest" else "code"
    (found,) = cards_for(DM.takes("methotrexate"), drafted(kind, **{field: codeable(vaccine)}))
    assert found["indicator"] == "warning"
    assert "a live vaccine during immunosuppression is deferred" in found["summary"]
    assert found["source"]["label"] == "ACR 2022"
    assert labels(found) == [f"Remove the draft of {title}", *([instead] if instead else [])]
    assert not any(suggestion.get("isRecommended") for suggestion in found["suggestions"])


def test_methotrexate_without_folic_acid_is_a_reminder_that_offers_it() -> None:
    found = card(DM, "drugSafety", "methotrexate")
    assert found["indicator"] == "info"
    assert "give folic acid with it: _reminder_ (Schmidt 2018)" in found["detail"]
    assert "Schmidt 2018" in found["source"]["label"]
    assert "folic-acid" in orders([found])
    assert "methotrexate-folic-acid" not in held(COMPLETE, ("methotrexate",))
    assert "methotrexate-folic-acid" not in held(DM, ("methotrexate", "folic_acid"))


# --- silence --------------------------------------------------------------------------------------------------------------

HARMLESS = [
    "text:paracetamol 500 mg tablets",
    "text:amlodipine",
    "text:amoxicillin",
    "colecalciferol",
    "calcium_carbonate",
    "folic_acid",
    "vaccination_influenza",
    "vaccination_pneumococcal",
    "vaccination_zoster",
    "vaccination_covid19",
    "atorvastatin",
    "hydroxychloroquine",
    "alendronate",
    "colchicine",
    "diltiazem",
    "warfarin",
    "tacrolimus__non_systemic",
]


@pytest.mark.parametrize("drug", HARMLESS)
def test_a_harmless_draft_gets_no_card(drug: str) -> None:
    assert COMPLETE.cards(drafting=(drug,)) == []


def test_renewing_what_is_taken_and_well_looked_after_gets_no_card() -> None:
    """A rule does not lecture about stable current treatment."""
    assert COMPLETE.cards(drafting=("azathioprine",)) == []


@pytest.mark.parametrize("test", ["ct_chest", "pulmonary_function_test", "colonoscopy", "mammography"])
@pytest.mark.parametrize("patient", [COMPLETE, PREGNANT, DM.has("pneumomediastinum")])
def test_a_drafted_test_gets_no_card(test: str, patient: Patient) -> None:
    """What the reference says of tests is background knowledge and off."""
    assert cards_for(patient, drafted("ServiceRequest", code=codeable(test))) == []


def test_without_a_draft_there_is_nothing_to_say() -> None:
    assert DM.cards(drafting=()) == []


@pytest.mark.parametrize(
    "drug",
    [
        *("methotrexate", "azathioprine", "immunoglobulin_iv", "prednisone", "rituximab", "mycophenolate_mofetil", "tofacitinib"),
        *("vaccination_zoster_live_contraindicated", "atorvastatin", "trimethoprim_sulfamethoxazole"),
    ],
)
def test_a_draft_for_somebody_without_myositis_gets_no_card(drug: str) -> None:
    nobody = Patient(born="1992-01-01").has("pregnancy", since="2026-07").has("interstitial_lung_disease").takes("allopurinol")
    nobody = nobody.takes("methotrexate")
    assert nobody.cards(drafting=(drug,)) == []
    refuted = nobody.has("dermatomyositis", verification="refuted")
    assert refuted.cards(drafting=(drug,)) == []


def test_a_statin_with_anti_hmgcr_is_stopped_even_without_a_diagnosis() -> None:
    """Design section 4, rule 11: a myositis-specific hazard that the draft itself raises."""
    assert card(Patient().antibody("anti_hmgcr", "positive"), "drugSafety", "simvastatin")["indicator"] == "critical"


def test_a_statin_with_raised_creatine_kinase_and_weakness_is_a_warning_only_where_no_confirmed_myositis_explains_them() -> None:
    weak = Patient().raised_ck().strength("proximal", 3)
    suspected = weak.has("polymyositis", verification="provisional")
    assert card(suspected, "drugSafety", "atorvastatin")["indicator"] == "warning"
    assert weak.has("dermatomyositis").cards(drafting=("atorvastatin",)) == []
    assert weak.cards(drafting=("atorvastatin",)) == [], "without a myositis, however sure, nothing is said"


# --- teratogens, inclusion body myositis ----------------------------------------------------------------------------------


@pytest.mark.parametrize("drug", ["methotrexate", "mycophenolate_mofetil", "mycophenolic_acid", "cyclophosphamide"])
def test_a_teratogen_drafted_in_pregnancy_is_critical(drug: str) -> None:
    found = card(PREGNANT, "drugSafety", drug)
    assert found["indicator"] == "critical"
    assert "pregnan" in f"{found['summary']} {found['detail']}"
    assert any("draft" in item["text"] for item in explanation(found)["because"])


@pytest.mark.parametrize("drug", ["azathioprine", "ciclosporin", "tacrolimus", "prednisone", "immunoglobulin_iv"])
def test_a_drug_that_is_compatible_with_pregnancy_raises_no_alarm(drug: str) -> None:
    assert "critical" not in [found["indicator"] for found in PREGNANT.cards(drafting=(drug,))]


def test_where_pregnancy_is_not_known_a_draft_is_not_called_contraindicated() -> None:
    """drug-safety.md: unknown is not safe and not unsafe; never STOP."""
    young = Patient(born="1992-01-01").has("dermatomyositis", since="2026-05")
    said = held(young, ("methotrexate",))["methotrexate-pregnancy"]
    assert (said.strength, said.urgency) == ("reminder", "routine")
    assert "check first" in said.says
    found = card(young, "drugSafety", "methotrexate")
    assert found["indicator"] == "info"
    assert "pregnancy-test" in orders([found])
    assert actions([found], "delete") == []
    assert not any("instead" in label for label in labels(found))


@pytest.mark.parametrize("drug", ["immunoglobulin_iv", "prednisone", "methotrexate", "azathioprine", "rituximab", "tofacitinib"])
def test_a_drug_drafted_in_inclusion_body_myositis_gets_a_warning_under_supportive_care(drug: str) -> None:
    found = card(IBM, "supportiveCare", drug)
    assert found["indicator"] == "warning"
    assert "inclusion body myositis" in found["summary"]
    assert orders([found]) == {"physiotherapy-referral"}
    assert found["overrideReasons"]


def test_hepatitis_b_serology_is_asked_for_even_where_rituximab_is_advised_against() -> None:
    """A boxed warning; whoever goes on in spite of the advice must know."""
    assert orders(IBM.cards(drafting=("rituximab",))) == {
        *("physiotherapy-referral", "hepatitis-b-surface-antigen", "hepatitis-b-core-antibody")
    }


@pytest.mark.parametrize("drug", ["methotrexate", "azathioprine", "prednisone"])
def test_nothing_is_offered_to_go_with_a_drug_that_a_guideline_advises_against(drug: str) -> None:
    assert orders(IBM.cards(drafting=(drug,))) == {"physiotherapy-referral"}


def test_the_advice_against_a_drug_comes_before_what_else_there_is_to_say_about_it() -> None:
    assert topics(IBM.cards(drafting=("immunoglobulin_iv",))) == ["supportiveCare", "drugSafety"]


def test_the_most_urgent_rule_leads_and_missing_tests_come_last() -> None:
    found = card(Patient(born="1955-01-01").has("dermatomyositis").has("stroke"), "drugSafety", "tofacitinib")
    assert found["summary"] == "JAK inhibitor: avoid at 65 years or older: a boxed warning (FDA label)"
    lines = found["detail"].split("\n")
    assert next(n for n, line in enumerate(lines) if "boxed warning" in line) < next(
        n for n, line in enumerate(lines) if "screen first" in line
    )


def test_exercise_that_is_ordered_is_not_offered_again_in_inclusion_body_myositis() -> None:
    assert "suggestions" not in card(IBM.ordered("physiotherapy"), "supportiveCare", "immunoglobulin_iv")


def test_a_drug_that_is_being_taken_in_inclusion_body_myositis_is_spoken_of_when_the_chart_is_opened() -> None:
    found = card_about("supportiveCare", IBM.takes("prednisone").cards())
    assert found is not None
    assert found["indicator"] == "warning"
    assert "not recommended" in found["detail"]


# --- interactions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "draft", "rule", "indicator"),
    [
        ("allopurinol", "azathioprine", "azathioprine-allopurinol", "critical"),
        ("azathioprine", "allopurinol", "azathioprine-allopurinol", "critical"),
        ("azathioprine", "febuxostat", "azathioprine-allopurinol", "critical"),
        ("trimethoprim_sulfamethoxazole", "methotrexate", "methotrexate-trimethoprim", "warning"),
        ("methotrexate", "trimethoprim_sulfamethoxazole", "methotrexate-trimethoprim", "warning"),
        ("mycophenolate_mofetil", "azathioprine", "azathioprine-mycophenolate", "warning"),
        ("azathioprine", "mycophenolate_mofetil", "mycophenolate-azathioprine", "warning"),
        ("methotrexate", "vaccination_influenza", "methotrexate-influenza-vaccine", "info"),
        ("rituximab", "vaccination_influenza", "rituximab-influenza-vaccine", "info"),
    ],
)
def test_an_interaction_is_told_whichever_of_the_two_is_drafted(taken: str, draft: str, rule: str, indicator: str) -> None:
    found = card(COMPLETE.stopped("azathioprine").takes(taken), "drugSafety", draft)
    assert rule in explanation(found)["recommendations"]
    assert found["indicator"] == indicator


def test_an_interaction_of_two_drafts_is_told_once_and_neither_is_chosen_for_removal() -> None:
    found = card(DM, "drugSafety", "azathioprine", "allopurinol")
    assert found["summary"].startswith("Azathioprine and allopurinol: allopurinol or febuxostat makes azathioprine myelotoxic")
    assert explanation(found)["recommendations"].count("azathioprine-allopurinol") == 1
    assert [action["resourceId"] for action in actions([found], "delete")] == [
        "MedicationRequest/draft-1",
        "MedicationRequest/draft-2",
    ]
    assert not any(suggestion.get("isRecommended") for suggestion in found["suggestions"])


def test_a_rule_speaks_about_the_selected_draft_and_knows_the_others() -> None:
    """order-select: guidance is about the selections, the other drafts are context."""
    azathioprine = drafted(medicationCodeableConcept=codeable("azathioprine"))
    allopurinol = drafted(id="draft-2", medicationCodeableConcept=codeable("allopurinol"))
    (found,) = cards_for(DM, azathioprine, allopurinol, selections=["MedicationRequest/draft-2"])
    assert found["summary"].startswith("Allopurinol: allopurinol or febuxostat makes")
    assert [action["resourceId"] for action in actions([found], "delete")] == ["MedicationRequest/draft-2"]


def test_azathioprine_taken_with_allopurinol_is_spoken_of_when_the_chart_is_opened() -> None:
    """drug-safety.md: at patient-view only a teratogen in pregnancy, and a life-threatening interaction."""
    first = DM.takes("azathioprine").takes("allopurinol").cards()[0]
    assert (first["source"]["topic"]["code"], first["indicator"]) == ("drugSafety", "critical")
    assert "suggestions" not in first


def test_methotrexate_with_lung_disease_is_a_warning_that_offers_what_is_preferred() -> None:
    found = card(DM.has("interstitial_lung_disease"), "drugSafety", "methotrexate")
    assert found["indicator"] == "warning"
    assert "methotrexate-ild" in explanation(found)["recommendations"]
    assert {"mycophenolate", "azathioprine", "tacrolimus"} <= drugs([found])
    taken = card(COMPLETE.has("interstitial_lung_disease"), "drugSafety", "methotrexate")
    assert drugs([taken]) == {"tacrolimus"}, "azathioprine is taken, and warns of mycophenolate beside it"


def test_where_an_alternative_is_offered_the_draft_can_be_removed_lest_both_be_signed() -> None:
    found = card(DM.has("interstitial_lung_disease"), "drugSafety", "methotrexate")
    assert labels(found)[0] == "Remove the draft of methotrexate"
    assert "isRecommended" not in found["suggestions"][0]
    assert actions(DM.has("neutropenia").cards(drafting=("methotrexate",)), "delete") == []


@pytest.mark.parametrize(
    "patient",
    [
        PREGNANT.stopped("azathioprine", because="ineffective"),
        PREGNANT.stopped("azathioprine", because="intolerance"),
        PREGNANT.stopped("azathioprine"),
        PREGNANT.cannot_tolerate("azathioprine"),
        PREGNANT.takes("azathioprine"),
        PREGNANT.takes("allopurinol"),
        PREGNANT.has("liver_disease"),
        Patient(born="1992-01-01").has("dermatomyositis").has("pregnancy", since="2026-07"),
    ],
    ids=["failed", "not tolerated", "stopped, nobody wrote why", "allergy", "taken", "stop rule", "warning", "TPMT not known"],
)
def test_an_alternative_that_failed_or_that_something_speaks_against_is_not_drafted(patient: Patient) -> None:
    assert "azathioprine" in drugs(PREGNANT.cards(drafting=("methotrexate",)))
    assert "azathioprine" not in drugs(patient.cards(drafting=("methotrexate",)))


def test_for_a_suspected_disease_no_alternative_is_drafted() -> None:
    suspected = Patient(born="1992-01-01").has("dermatomyositis", verification="provisional").has("pregnancy", since="2026-07")
    found = card(suspected, "drugSafety", "methotrexate")
    assert found["indicator"] == "critical"
    assert labels(found) == ["Remove the draft of methotrexate"]


def test_an_alternative_is_never_given_a_dose() -> None:
    for resource in (action["resource"] for action in actions(PREGNANT.cards(drafting=("methotrexate",)), "create")):
        assert "dosageInstruction" not in resource
        MedicationRequest.model_validate(resource)


# --- several drafts -------------------------------------------------------------------------------------------------------


def test_two_drafts_are_spoken_of_in_one_card() -> None:
    found = card(PREGNANT, "drugSafety", "methotrexate", "mycophenolate_mofetil")
    assert {"methotrexate-pregnancy", "mycophenolate-pregnancy"} <= set(explanation(found)["recommendations"])
    assert len(actions([found], "delete")) == 2


def test_the_same_rule_about_two_drafts_is_said_once_and_names_both() -> None:
    said = held(DM.has("malignancy", since="2026-06"), ("methotrexate", "azathioprine"))["immunosuppression-malignancy"]
    assert said.says.startswith("methotrexate and azathioprine: a malignancy is on record")


def test_a_draft_says_nothing_about_screening_or_lung_function() -> None:
    assert set(topics(DM.cards(drafting=("methotrexate",)))) <= {"drugSafety", "supportiveCare"}


def test_a_co_prescription_that_is_done_ordered_or_drafted_is_not_offered() -> None:
    assert "tpmt-activity" in orders(Patient().has("dermatomyositis").cards(drafting=("azathioprine",)))
    assert "tpmt-activity" not in orders(
        Patient().has("dermatomyositis").ordered("tpmt_activity").cards(drafting=("azathioprine",))
    )
    azathioprine = drafted(medicationCodeableConcept=codeable("azathioprine"))
    test = drafted("ServiceRequest", id="test", code=codeable("tpmt_activity"))
    assert "tpmt-activity" not in orders(cards_for(Patient().has("dermatomyositis"), azathioprine, test))


def test_a_test_that_is_unsafe_now_is_not_offered_as_a_co_prescription() -> None:
    assert "pulmonary-function-test" in orders(DM.cards(drafting=("methotrexate",)))
    assert "pulmonary-function-test" not in orders(DM.has("pneumomediastinum").cards(drafting=("methotrexate",)))


# --- the draft itself -----------------------------------------------------------------------------------------------------

METHOTREXATE = drafted(
    meta={"versionId": "3"},
    medicationCodeableConcept=codeable("methotrexate"),
    note=[{"text": "Discussed with the patient."}],
    extension=[{"url": "https://ehr.example/queue", "valueString": "7"}],
)


def every(period: float, unit: str, frequency: int = 1) -> list[Json]:
    return [{"timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": unit}}}]


@pytest.mark.parametrize(
    "dosage",
    [
        every(1, "d"),
        every(1, "wk", 2),
        every(12, "h"),
        [{"timing": {"code": {"coding": [{"code": "QD"}]}}}],
        [*every(1, "wk"), *every(1, "d")],
    ],
)
def test_daily_methotrexate_is_critical_and_only_its_removal_is_offered(dosage: list[Json]) -> None:
    """No dose and no schedule is made up: what the prescriber meant, nobody knows."""
    (found,) = cards_for(COMPLETE, drafted(medicationCodeableConcept=codeable("methotrexate"), dosageInstruction=dosage))
    assert found["indicator"] == "critical"
    assert found["summary"] == (
        "Methotrexate: drafted more often than once a week; "
        "the boxed warning names this medication error with a weekly drug (FDA label)"
    )
    assert [action["type"] for action in actions([found])] == ["delete"]


@pytest.mark.parametrize("dosage", [every(1, "wk"), every(7, "d"), every(2, "wk"), [{"text": "10 mg on Mondays"}], None])
def test_weekly_methotrexate_and_methotrexate_without_a_coded_schedule_are_not_stopped(dosage: list[Json] | None) -> None:
    (found,) = cards_for(COMPLETE, drafted(medicationCodeableConcept=codeable("methotrexate"), dosageInstruction=dosage))
    assert found["indicator"] == "info"
    assert "once weekly, never daily" in found["detail"]


@pytest.mark.parametrize(
    ("dosage", "is_said"),
    [
        ([{"text": "10 mg once daily"}], True),
        ([{"timing": {"code": {"text": "daily"}}}], True),
        (every(1, "wk"), False),
        (None, False),
    ],
)
def test_that_the_frequency_of_methotrexate_stands_in_words_alone_is_said(dosage: list[Json] | None, is_said: bool) -> None:
    (found,) = cards_for(COMPLETE, drafted(medicationCodeableConcept=codeable("methotrexate"), dosageInstruction=dosage))
    assert ("how often it is to be taken is written in words, which are not read" in found["detail"]) is is_said


def test_daily_methotrexate_that_is_being_taken_is_critical_when_the_chart_is_opened() -> None:
    found = card_about("drugSafety", DM.takes("methotrexate", dose=10).cards())
    assert found is not None
    assert found["indicator"] == "critical"
    assert found["summary"].startswith("Methotrexate is being taken: more often than once a week")
    assert card_about("drugSafety", DM.takes("methotrexate").cards()) is None


def test_the_note_is_added_to_the_whole_draft_as_it_was_sent() -> None:
    (found,) = cards_for(COMPLETE, METHOTREXATE)
    (update,) = actions([found], "update")
    assert update["resource"] == {
        **METHOTREXATE,
        "note": [
            *METHOTREXATE["note"],
            {"text": "Once weekly for this indication, never daily (US FDA, methotrexate boxed warning)."},
        ],
    }
    MedicationRequest.model_validate(update["resource"])
    assert "isRecommended" not in next(s for s in found["suggestions"] if s["actions"] == [update])


def test_a_note_that_is_there_is_not_added_again() -> None:
    (found,) = cards_for(COMPLETE, METHOTREXATE)
    (update,) = actions([found], "update")
    (again,) = cards_for(COMPLETE, update["resource"])
    assert actions([again], "update") == []


@pytest.mark.parametrize("members", [{"status": ""}, {"reasonCode": []}, {"requester": {"display": None}}, {"note": []}])
def test_a_draft_that_is_not_fhir_is_spoken_of_and_not_given_back(members: Json) -> None:
    """An answer holds no null and no empty member, whatever the client sent."""
    (found,) = cards_for(COMPLETE, {**METHOTREXATE, **members})
    assert "once weekly" in found["detail"]
    assert actions([found], "update") == []


@pytest.mark.parametrize("note", ["a text", {"text": "an object"}, [5]])
def test_a_note_in_a_form_that_we_do_not_know_is_left_alone(note: object) -> None:
    (found,) = cards_for(COMPLETE, {**METHOTREXATE, "note": note})
    assert actions([found], "update") == []


def test_a_draft_without_an_id_is_spoken_of_and_no_action_targets_it() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:0", "resource": drafted(id=None, medicationCodeableConcept=codeable("methotrexate"))}],
    }
    read, _ = read_drafts(bundle, None, terminology=terminology(), as_of=AS_OF, patient_id="1")
    (found,) = to_cards(recommend(PREGNANT.assess(), read), PREGNANT.assess(), seed="hook-1")
    assert found["indicator"] == "critical"
    assert {action["type"] for action in actions([found])} == {"create"}


@pytest.mark.parametrize("drug", ["methotrexate", "cyclophosphamide", "rituximab", "azathioprine", "prednisone", "atorvastatin"])
@pytest.mark.parametrize("patient", [PREGNANT, DM, COMPLETE, IBM, IMNM.antibody("anti_hmgcr", "positive")])
def test_actions_on_drafts_have_the_form_of_the_specification(patient: Patient, drug: str) -> None:
    """Conformance C-20 to C-33: one action a suggestion, `resourceId` alone for a delete, uuids unique and repeatable."""
    cards = patient.cards(drafting=(drug,))
    suggestions = [suggestion for found in cards for suggestion in found.get("suggestions", ())]
    assert len({suggestion["uuid"] for suggestion in suggestions}) == len(suggestions)
    assert cards == patient.cards(drafting=(drug,))
    for suggestion in suggestions:
        (action,) = suggestion["actions"]
        assert suggestion["label"]
        assert action["description"]
        if action["type"] == "delete":
            assert set(action) == {"type", "description", "resourceId"}
            assert action["resourceId"] == "MedicationRequest/draft-1"
        else:
            assert set(action) == {"type", "description", "resource"}
        assert not suggestion.get("isRecommended") or (action["type"] == "delete" and cards[0]["indicator"] == "critical")


def test_a_ready_made_methotrexate_order_brings_folic_acid_when_the_chart_is_opened() -> None:
    untreated = Patient().has("polymyositis", since="2026-05").strength("proximal", 4)
    found = card_about("nextLineTherapy", untreated.cards())
    assert found is not None
    assert {"methotrexate", "folic-acid"} <= orders([found])
    assert "folic-acid" not in orders(untreated.takes("folic_acid").cards())


DRUGS = [
    *("methotrexate", "azathioprine", "mycophenolate_mofetil", "ciclosporin", "tacrolimus", "immunoglobulin_iv", "rituximab"),
    *(
        "cyclophosphamide",
        "abatacept",
        "tofacitinib",
        "prednisone",
        "allopurinol",
        "trimethoprim_sulfamethoxazole",
        "atorvastatin",
    ),
    *("vaccination_zoster_live_contraindicated", "vaccination_influenza", "folic_acid", "text:paracetamol"),
]
PROBLEMS = [
    "pregnancy",
    "inclusion_body_myositis",
    "ckd_stage_4",
    "hepatitis_b",
    "sepsis",
    "malignancy",
    "interstitial_lung_disease",
]
some = st.lists(st.sampled_from(DRUGS), max_size=4, unique=True)


@settings(max_examples=150, deadline=None)
@given(some, some, st.lists(st.sampled_from(PROBLEMS), max_size=3, unique=True), st.sampled_from(["1992-01-01", "1955-01-01"]))
def test_whatever_is_drafted_actions_target_drafts_alone_and_nothing_gets_a_dose(
    drafting: list[str], taken: list[str], problems: list[str], born: str
) -> None:
    """A law: deletes and updates name drafts of the call; creates have no dose and are of nothing taken or being written."""
    patient = Patient(born=born).has("dermatomyositis", since="2026-05").antibody("anti_hmgcr", "positive")
    for drug in taken:
        patient = patient.takes(drug)
    for problem in problems:
        patient = patient.has(problem, since="2026-07")
    cards = patient.cards(drafting=tuple(drafting))
    sent = {f"MedicationRequest/draft-{number}" for number in range(1, len(drafting) + 1)}
    assert {action["resourceId"] for action in actions(cards, "delete")} <= sent
    assert {f"MedicationRequest/{action['resource']['id']}" for action in actions(cards, "update")} <= sent
    assert all("dosageInstruction" not in resource for resource in resources(cards))
    assert not drugs(cards) & {entry.order for entry in entries_of({*drafting, *taken})}
    assert len(topics(cards)) == len(set(topics(cards)))
    removed = {action["resourceId"] for action in actions(cards, "delete")}
    assert not removed & {f"MedicationRequest/{action['resource']['id']}" for action in actions(cards, "update")}


def entries_of(concepts: set[str]) -> list[TreatmentEntry]:
    """The treatments that these drugs are."""
    known, agents = knowledge().treatments.values(), definitions().agents
    return [entry for entry in known if concepts & set(agents[entry.course].drugs if entry.course else entry.drugs)]


def test_nothing_goes_with_a_draft_that_is_to_be_removed() -> None:
    found = card(PREGNANT, "drugSafety", "methotrexate")
    assert not {"folic-acid", "chest-x-ray", "blood-count"} & orders([found])
    assert actions([found], "update") == []
