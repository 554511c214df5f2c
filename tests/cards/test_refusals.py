"""A recorded refusal is respected: what was declined is named, not offered again, and nothing else changes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cards import to_cards
from cards.knowledge import knowledge
from fhir_profiles.findings import Answer
from tests.cards.reading import card_about, drugs, held, offered, options, orders, topics
from tests.cards.test_laws import charts
from tests.patient import Patient
from tests.sizes import size

WOMAN_OF_62 = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-05")
ALL_BUT_COLONOSCOPY = WOMAN_OF_62.had("ct_chest_abdomen_pelvis").had("pelvic_ultrasound").had("mammography")
URGENT = {rule.id for rule in knowledge().rules if rule.urgency == "urgent"}
TEST_ORDERS = {
    "colonoscopy": {"colonoscopy"},
    "mammography": {"mammography"},
    "pelvic_ultrasound": {"pelvic-ultrasound"},
    "pulmonary_function_test": {"pulmonary-function-test"},
    "ct_chest": {"ct-thorax"},
    "pet_ct_fdg": {"fdg-pet-ct"},
    "physiotherapy": {"physiotherapy-referral"},
    "referral_pulmonology": {"pulmonology-referral"},
}
DECLINED_TREATMENTS = {
    "methotrexate": {"methotrexate"},
    "azathioprine": {"azathioprine"},
    "rituximab": {"rituximab"},
    "immunoglobulin_iv": {"ivig"},
    "mycophenolate_mofetil": {"mycophenolate"},
    "prednisone": {"glucocorticoid-oral", "glucocorticoid-high-dose"},
}


def wanted(patient: Patient) -> set[tuple[str, str]]:
    """Statement and order, for everything that is to be ordered."""
    return {(r.id, order) for r in patient.recommendations() for order in r.orders}


def queued(patient: Patient) -> set[str]:
    """Keys of all that there is to order, also of what finds no place on a card that is full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_cards, "MOST_SUGGESTIONS", 1000)
        return orders(patient.cards(cap=10))


# Six drugs to order, and the hepatitis tests that rituximab asks for: the look at swallowing waits outside of a full card.
WITH_A_FULL_CARD = (
    Patient(sex="female", born="1964-02-01")
    .has("polymyositis", since="2025-01")
    .has("dysphagia", since="2026-09")
    .has("ild_rapidly_progressive", since="2026-09")
    .antibody("anti_mda5", "positive")
    .stopped("prednisone", because="ineffective")
    .strength("proximal", 4)
    .raised_ck()
)


# --- tests --------------------------------------------------------------------------------------------------------------


def test_a_declined_test_is_named_with_its_date_and_not_offered() -> None:
    card = card_about("tumourScreening", WOMAN_OF_62.declined("colonoscopy", on="2026-05-03").cards())
    assert card is not None
    assert "colonoscopy" not in orders([card])
    assert "colonoscopy" not in card["summary"]
    assert "**Declined by the patient**" in card["detail"]
    assert "Colonoscopy declined by the patient on 3 May 2026; offer again only if the situation has changed" in card["detail"]


def test_where_only_a_declined_test_is_left_there_is_no_card_and_a_note_stays() -> None:
    assert "tumourScreening" in topics(ALL_BUT_COLONOSCOPY.cards())
    declined = ALL_BUT_COLONOSCOPY.declined("colonoscopy")
    assert "tumourScreening" not in topics(declined.cards(cap=10))
    note = held(declined)["titulaer-2011-dm-colonoscopy-over-50"]
    assert (note.is_note, note.orders) == (True, ())
    assert [item.reference for item in note.declined] == ["Procedure/procedure-4"]


def test_no_lung_function_card_nags_who_declined_the_test() -> None:
    assert "lungFunction" in topics(WOMAN_OF_62.cards())
    assert "lungFunction" not in topics(WOMAN_OF_62.declined("pulmonary_function_test").cards(cap=10))
    failed = WOMAN_OF_62.declined("pulmonary_function_test").failed("DiagnosticReport")
    assert "lungFunction" not in topics(failed.cards(cap=10))


def test_a_test_ordered_after_the_refusal_is_ordered_and_nothing_else() -> None:
    patient = ALL_BUT_COLONOSCOPY.declined("colonoscopy", on="2026-05-03").ordered("colonoscopy", on="2026-11-15")
    assert "Declined" not in "".join(card["detail"] for card in patient.cards(cap=10))


def test_a_test_that_would_supply_a_missing_datum_is_not_offered_where_it_was_declined() -> None:
    for patient in (WOMAN_OF_62, WOMAN_OF_62.has("interstitial_lung_disease", since="2026-06")):
        assert "pulmonary-function-test" not in orders(patient.declined("pulmonary_function_test").cards(cap=10))


def test_a_declined_colonoscopy_does_not_stop_the_repeat_of_the_screen() -> None:
    screened = WOMAN_OF_62
    for test in ("ct_chest_abdomen_pelvis", "pelvic_ultrasound", "mammography"):
        screened = screened.had(test, on="2026-06-15")
    assert "titulaer-2011-dm-repeat-3-6-months" not in held(screened)
    assert "titulaer-2011-dm-repeat-3-6-months" in held(screened.declined("colonoscopy"))


# --- treatments ---------------------------------------------------------------------------------------------------------


def test_a_declined_drug_is_set_aside_says_when_and_is_never_drafted() -> None:
    patient = WOMAN_OF_62.declined("methotrexate", on="2026-05-03")
    assert options(patient)["methotrexate"].not_offered == "declined by the patient on 3 May 2026"
    assert "methotrexate" in drugs(WOMAN_OF_62.cards())
    assert "methotrexate" not in drugs(patient.cards())
    assert "azathioprine" in drugs(patient.cards())
    card = card_about("nextLineTherapy", patient.cards())
    assert card is not None
    assert "methotrexate: declined by the patient on 3 May 2026" in card["detail"]


def test_a_declined_drug_that_is_not_tolerated_either_says_both() -> None:
    patient = WOMAN_OF_62.cannot_tolerate("methotrexate").declined("methotrexate", on=None)
    said = options(patient)["methotrexate"].not_offered or ""
    assert said.startswith("not tolerated")
    assert said.endswith("; declined by the patient, undated")


def test_drug_safety_speaks_about_a_drafted_drug_whatever_was_declined() -> None:
    pregnant = Patient("female", "1992-01-01").has("dermatomyositis", since="2026-08").has("pregnancy", since="2026-08")
    before = pregnant.cards(drafting=("methotrexate",))
    assert topics(before) == ["drugSafety"]
    assert pregnant.declined("methotrexate").cards(drafting=("methotrexate",)) == before


# --- laws ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=size(60, part=24))
@given(charts(), st.sampled_from(sorted(TEST_ORDERS)), st.sampled_from(("2026-11-20", "2019", None)))
def test_declining_a_test_removes_its_order_and_adds_none(patient: Patient, test: str, on: str | None) -> None:
    after = patient.declined(test, on=on)
    before, now = wanted(patient), wanted(after)
    assert now <= before
    assert {order for _, order in before - now} <= TEST_ORDERS[test]
    stays = {(rule, order) for rule, order in now if order in TEST_ORDERS[test]}
    assert {rule for rule, _ in stays} <= URGENT
    assert queued(after) <= queued(patient)
    assert set(topics(after.cards(cap=10))) - {"tumourScreening"} <= set(topics(patient.cards(cap=10)))
    assert offered(after) == offered(patient)


@settings(max_examples=size(60, part=24))
@given(charts(), st.sampled_from(sorted(DECLINED_TREATMENTS)), st.sampled_from(("2026-11-20", "2019-03", None)))
@example(WITH_A_FULL_CARD, "rituximab", "2026-11-20")
def test_declining_a_drug_removes_that_option_and_adds_none(patient: Patient, drug: str, on: str | None) -> None:
    """Nothing is added, though what was to be ordered already may take a place on a full card that became free."""
    after = patient.declined(drug, on=on)
    now_taken = on == "2019-03" and drug in patient.record().drugs
    gone = set() if now_taken else DECLINED_TREATMENTS[drug]
    assert set(offered(after)) == set(offered(patient)) - gone
    assert drugs(after.cards(cap=10)) <= drugs(patient.cards(cap=10))
    assert queued(after) <= queued(patient)
    assert after.assess().treatment == patient.assess().treatment


@settings(max_examples=size(40, part=16))
@given(charts(), st.sampled_from(sorted({*TEST_ORDERS, *DECLINED_TREATMENTS})))
def test_what_is_urgent_stays_whatever_was_declined(patient: Patient, what: str) -> None:
    def urgent(one: Patient) -> set[tuple[str, tuple[str, ...]]]:
        firm = (r for r in one.recommendations() if r.urgency == "urgent" and r.holds is Answer.YES)
        return {(r.id, r.orders) for r in firm}

    def alarms(one: Patient) -> list[str]:
        return [
            card["summary"] for card in one.cards(cap=10) if card["source"]["topic"]["code"] in ("urgentReferral", "drugSafety")
        ]

    after = patient.declined(what)
    assert urgent(after) == urgent(patient)
    assert alarms(after) == alarms(patient)


@settings(max_examples=size(25, part=10))
@given(charts(), st.sampled_from(sorted(TEST_ORDERS)))
def test_not_done_without_a_refusal_changes_nothing(patient: Patient, test: str) -> None:
    undone = patient.declined(test)
    resources = tuple({name: value for name, value in one.items() if name != "statusReason"} for one in undone.resources[-1:])
    plain = Patient(patient.sex, patient.born, (*patient.resources, *resources))
    assert plain.cards() == patient.cards()
