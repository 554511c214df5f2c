"""The one pipeline, from FHIR data to cards."""

from itertools import count

import pytest

from cards.show import Show
from fhir_profiles.record import InputState, Issue
from server.evaluation import PHASES, Drafts, Evaluation, evaluate
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY, Json, chart, diagnosis, resources


def evaluated(*parts: Json, **more: object) -> Evaluation:
    return evaluate(parts, as_of=AS_OF, seed="seed", **more)  # type: ignore[arg-type]


def topics(evaluation: Evaluation) -> set[str]:
    return {card["source"]["topic"]["code"] for card in evaluation.cards}


def test_a_patient_with_myositis_gets_the_three_families_of_cards() -> None:
    assert {"nextLineTherapy", "lungFunction", "tumourScreening"} <= topics(evaluated(chart(ANTI_TIF1)))


def test_a_patient_without_myositis_gets_no_card() -> None:
    evaluation = evaluated(chart(HEALTHY))
    assert evaluation.cards == ()
    assert evaluation.recommendations == ()


def test_the_same_input_gives_the_same_cards() -> None:
    assert evaluated(chart(ANTI_TIF1)).cards == evaluated(chart(ANTI_TIF1)).cards


def test_another_call_gives_the_same_cards_under_other_uuids() -> None:
    one = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="one").cards
    other = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="other").cards
    assert [card["summary"] for card in one] == [card["summary"] for card in other]
    assert not {card["uuid"] for card in one} & {card["uuid"] for card in other}


def test_the_cap_leaves_the_most_important_cards() -> None:
    every, first = evaluated(chart(ANTI_TIF1)).cards, evaluated(chart(ANTI_TIF1), show=Show(cap=1)).cards
    assert len(every) > 1
    assert [card["summary"] for card in first] == [every[0]["summary"]]


def test_data_of_another_patient_stops_everything_and_is_named_first() -> None:
    noise = Issue("Observation/1", "is odd")
    evaluation = evaluated(chart(ANTI_TIF1), diagnosis("somebody-else"), issues=(noise,))
    assert evaluation.is_mismatched
    assert (evaluation.cards, evaluation.recommendations) == ((), ())
    assert [issue.reference for issue in evaluation.issues] == ["Condition/dm", "Observation/1"]


def test_a_draft_for_another_patient_stops_everything_too() -> None:
    draft = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "subject": {"reference": "Patient/else"}}
    evaluation = evaluated(chart(ANTI_TIF1), drafts=Drafts({"resourceType": "Bundle", "entry": [{"resource": draft}]}))
    assert evaluation.is_mismatched
    assert evaluation.cards == ()
    assert evaluation.issues[0].reference == "MedicationRequest/d"


def test_of_several_patients_the_one_who_is_asked_for_is_evaluated() -> None:
    parts = (chart(ANTI_TIF1), chart(HEALTHY))
    assert evaluated(*parts, patient_id=HEALTHY, several_patients=True).cards == ()
    assert evaluated(*parts, patient_id=ANTI_TIF1, several_patients=True).cards == evaluated(chart(ANTI_TIF1)).cards


def test_an_input_that_failed_turns_advice_into_could_not_be_assessed() -> None:
    parts = [one for one in resources(chart(ANTI_TIF1)) if one["resourceType"] in ("Patient", "Condition")]
    failed = dict.fromkeys(("Observation", "Procedure", "DiagnosticReport"), InputState.FAILED)
    (lung,) = (c for c in evaluated(*parts, inputs=failed).cards if c["source"]["topic"]["code"] == "lungFunction")
    assert "could not be assessed" in lung["summary"]


def test_the_time_of_each_phase_is_told() -> None:
    ticks = count()
    evaluation = evaluated(chart(HEALTHY), timer=lambda: float(next(ticks)))
    assert evaluation.seconds == dict.fromkeys(PHASES, 1.0)


@pytest.mark.parametrize("drafts", [None, Drafts({"resourceType": "Bundle"})])
def test_nothing_at_all_is_an_evaluation_too(drafts: Drafts | None) -> None:
    evaluation = evaluate([], as_of=AS_OF, seed="seed", drafts=drafts)
    assert (evaluation.cards, evaluation.is_mismatched) == ((), False)
