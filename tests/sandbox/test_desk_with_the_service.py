"""What a clinician does in the sandbox, with the real service at the other end of the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.answers import Decision
from sandbox.cards import Card
from sandbox.desk import Answer, DeskError, Switches
from sandbox.dialects import DIALECTS
from sandbox.suggestions import title_of
from tests.sandbox.desks import PREGNANT, TIF1_GAMMA
from tests.sandbox.service_and_ehr import Both, both

Json = dict[str, Any]

CLASSIC = "classic-dermatomyositis"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Service and EHR, started once."""
    with both(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def here(started: Both) -> Both:
    """Service and EHR, with the charts as the stories tell them and all switches back to normal."""
    desk = started.ehr.desk
    desk.switches = Switches()
    for chart in started.ehr.charts.charts():
        started.ehr.charts.reset(chart.patient_id)
        desk.forget(chart.patient_id)
    return started


def opened(here: Both, patient_id: str = TIF1_GAMMA, **switches: Any) -> Answer:
    """The one answer when a chart is opened."""
    here.ehr.desk.switches = Switches(**switches)
    (answer,) = here.ehr.desk.open_chart(patient_id)
    return answer


def about(answer: Answer, topic: str) -> tuple[int, Card]:
    """The card about a topic, and its place."""
    assert not answer.trouble
    (found,) = [(place, card) for place, card in enumerate(answer.cards) if card.source.topic_code == topic]
    return found


def topics(answer: Answer) -> set[str]:
    """What the cards are about."""
    assert not answer.trouble
    return {card.source.topic_code for card in answer.cards}


@pytest.mark.requirement("F-5", "F-11", "J-13")
def test_the_accepted_lung_function_test_is_on_the_chart_and_not_suggested_again(here: Both) -> None:
    desk = here.ehr.desk
    shown = opened(here)
    place, card = about(shown, "lungFunction")
    (suggestion,) = card.suggestions
    before = here.ehr.orders(TIF1_GAMMA)
    assert desk.accept(TIF1_GAMMA, shown.id, place, 0) == "Ordered: pulmonary function test."
    (order,) = [one for one in here.ehr.orders(TIF1_GAMMA) if one not in before]
    assert title_of(order) == "pulmonary function test"
    assert order["intent"] == "order"
    (answer,) = desk.answers(TIF1_GAMMA)
    decision = answer.decisions[place]
    assert (decision.outcome, decision.taken, decision.told) == ("accepted", {0}, "sent")
    assert decision.orders == (f"ServiceRequest/{order['id']}",)
    kept = here.feedback()[-1]
    assert (kept["client"], kept["service"], kept["card"]) == ("sandbox", "myositis-patient-view", card.uuid)
    assert (kept["outcome"], kept["suggestions"]) == ("accepted", [suggestion.uuid])
    assert "lungFunction" not in topics(opened(here))
    with pytest.raises(DeskError, match="not on the screen any more"):
        desk.accept(TIF1_GAMMA, shown.id, place, 0)


def test_a_drug_that_is_suggested_when_a_chart_is_opened_waits_on_the_pad_for_a_signature(here: Both) -> None:
    desk = here.ehr.desk
    shown = opened(here)
    place, card = about(shown, "nextLineTherapy")
    chosen = next(number for number, one in enumerate(card.suggestions) if "methotrexate" in one.label)
    assert desk.accept(TIF1_GAMMA, shown.id, place, chosen) == "Drafted: methotrexate."
    (draft,) = desk.drafts(TIF1_GAMMA)
    assert (draft["status"], title_of(draft)) == ("draft", "methotrexate")
    with pytest.raises(DeskError, match="taken already"):
        desk.accept(TIF1_GAMMA, shown.id, place, chosen)
    with pytest.raises(DeskError, match="so it is not dismissed"):
        desk.override(TIF1_GAMMA, shown.id, place, "patient-refuses")
    desk.change_draft(TIF1_GAMMA, draft["id"], dose="15 mg weekly", route="route_oral")
    (order,) = desk.sign(TIF1_GAMMA, expected=desk.review(TIF1_GAMMA).fingerprint)
    assert (order["status"], order["intent"], order["authoredOn"]) == ("active", "order", "2026-11-22")
    assert desk.drafts(TIF1_GAMMA) == ()
    chart = here.ehr.charts.chart(TIF1_GAMMA)
    assert chart
    assert order["id"] in {one["id"] for one in chart.of("MedicationRequest")}
    assert "nextLineTherapy" not in topics(opened(here))


@pytest.mark.requirement("F-7")
def test_a_card_that_was_dismissed_with_a_reason_stays_away_afterwards(here: Both) -> None:
    desk = here.ehr.desk
    shown = opened(here, CLASSIC)
    place, card = about(shown, "lungFunction")
    reason = card.reasons[0]
    with pytest.raises(DeskError, match="no such reason"):
        desk.override(CLASSIC, shown.id, place, "because")
    desk.override(CLASSIC, shown.id, place, reason.code, " done elsewhere ")
    (answer,) = desk.answers(CLASSIC)
    assert answer.decisions == {place: Decision("overridden", reason.display, told="sent")}
    kept = here.feedback()[-1]
    assert (kept["outcome"], kept["reason_code"], kept["reason_system"]) == ("overridden", reason.code, reason.sent["system"])
    with pytest.raises(DeskError, match="dismissed already"):
        desk.override(CLASSIC, shown.id, place, reason.code)
    assert "lungFunction" not in topics(opened(here, CLASSIC))


@pytest.mark.requirement("C-33")
@pytest.mark.parametrize("review", [False, True], ids=["while drafting", "before signing"])
def test_methotrexate_for_the_pregnant_patient_brings_a_warning_and_the_alternative_changes_the_draft(
    here: Both, review: bool
) -> None:
    desk = here.ehr.desk
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    desk.change_draft(PREGNANT, draft["id"], dose="15 mg weekly")
    (answer,) = desk.review(PREGNANT).answers if review else desk.select(PREGNANT, [draft["id"]])
    place, card = about(answer, "drugSafety")
    assert card.indicator == "critical"
    assert desk.accept(PREGNANT, answer.id, place, 0).startswith("Taken off the pad: methotrexate")
    assert desk.accept(PREGNANT, answer.id, place, 1) == "Drafted: ciclosporin."
    assert [title_of(one) for one in desk.drafts(PREGNANT)] == ["ciclosporin"]
    (again,) = desk.review(PREGNANT).answers
    assert "Methotrexate" not in str([card.summary for card in again.cards])


@pytest.mark.requirement("T-6", "T-8", "T-9")
def test_without_prefetch_the_service_calls_back_and_says_the_same(here: Both) -> None:
    sent, called_back = opened(here), opened(here, prefetch="none")
    assert all(state.startswith("left out") for state in called_back.prefetch.values())
    assert [card.summary for card in called_back.cards] == [card.summary for card in sent.cards]
    assert called_back.server_timing["fetch"] > sent.server_timing["fetch"]


def test_without_prefetch_and_token_nothing_can_be_evaluated_and_that_is_said(here: Both) -> None:
    assert "(412)" in opened(here, prefetch="none", token=False).trouble


@pytest.mark.parametrize("fault", ["fail", "denied", "another-patient"])
def test_where_the_fhir_server_fails_too_nothing_is_advised(here: Both, fault: str) -> None:
    answer = opened(here, prefetch="none", fault=fault)
    assert "(412)" in answer.trouble
    assert answer.cards == ()


def test_another_patients_data_is_refused_and_the_refusal_shown_in_words(here: Both) -> None:
    trouble = opened(here, wrong_patient=True).trouble
    assert "(412)" in trouble
    assert "Data of another patient" in trouble
    assert TIF1_GAMMA not in trouble


@pytest.mark.requirement("C-12", "C-33", "F-8")
def test_like_epic_the_draft_is_named_as_epic_names_it_and_feedback_is_understood(here: Both) -> None:
    desk = here.ehr.desk
    desk.switches = Switches(dialect="epic")
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    (answer,) = desk.select(PREGNANT, [draft["id"]])
    place, card = about(answer, "drugSafety")
    remove = card.suggestions[0]
    assert [action.sent for action in remove.actions] == [
        {"type": "delete", "description": remove.label, "resource": f"MedicationRequest/{draft['id']}"}
    ]
    desk.accept(PREGNANT, answer.id, place, 0)
    assert desk.drafts(PREGNANT) == ()
    answer = opened(here, dialect="epic")
    place, card = about(answer, "lungFunction")
    assert card.suggestions == ()  # no order of ours has a code of Epic's own lists
    assert "To be written by hand" in card.detail
    desk.override(TIF1_GAMMA, answer.id, place, "patient-contraindication")
    kept = here.feedback()[-1]
    assert (kept["client"], kept["reason_code"]) == ("sandbox-epic", "patient-contraindication")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_registered_and_answered_as_one_of_its_own(here: Both, dialect: str) -> None:
    answer = opened(here, "jo1-antisynthetase-ild", dialect=dialect)
    assert not answer.trouble
    assert answer.cards
    assert not any(card.fault for card in answer.cards)
    assert {bool(card.uuid) for card in answer.cards} == {dialect != "1.0"}
    behaviours = {card.behaviour for card in answer.cards if card.behaviour}
    assert behaviours <= {"at-most-one" if dialect == "1.0" else "any"}


def test_in_1_0_a_suggestion_can_be_taken_without_uuids_and_no_feedback_goes_out(here: Both) -> None:
    told = len(here.feedback())
    answer = opened(here, dialect="1.0")
    (place,) = [place for place, card in enumerate(answer.cards) if "lung function" in card.summary]
    here.ehr.desk.accept(TIF1_GAMMA, answer.id, place, 0)
    assert "pulmonary function test" in map(title_of, here.ehr.orders(TIF1_GAMMA))
    assert len(here.feedback()) == told


@pytest.mark.requirement("C-41", "C-44")
def test_the_smart_link_of_a_card_opens_the_app_with_a_new_launch_and_other_links_are_left_as_they_are(here: Both) -> None:
    desk = here.ehr.desk
    answer = opened(here)
    place, card = about(answer, "lungFunction")
    numbers = {link.type: number for number, link in enumerate(card.links)}
    first, second = (desk.launch_url(TIF1_GAMMA, answer.id, place, numbers["smart"]) for _ in range(2))
    address, _, query = first.partition("?")
    assert address == f"{here.service_url}/smart/launch"
    given = dict(part.split("=") for part in query.split("&"))
    assert given.keys() == {"iss", "launch"}
    assert first != second
    launch = here.ehr.authorization.memory.launch(given["launch"])
    assert launch
    assert (launch.patient, launch.app_context) == (TIF1_GAMMA, card.uuid)
    assert desk.launch_url(TIF1_GAMMA, answer.id, place, numbers["absolute"]) == card.links[numbers["absolute"]].url
    with pytest.raises(DeskError, match="no such link"):
        desk.launch_url(TIF1_GAMMA, answer.id, place, len(card.links))


@pytest.mark.requirement("JWT-19")
def test_beside_the_ehr_a_call_of_this_machine_needs_no_token_but_a_wrong_one_is_refused(here: Both) -> None:
    answer = opened(here)
    request = {name: value for name, value in answer.request.items() if name != "fhirAuthorization"}
    url = f"{here.service_url}/cds-services/myositis-patient-view"
    plain = requests.post(url, json=request, timeout=10)
    assert plain.status_code == 200
    assert len(plain.json()["cards"]) == len(answer.cards)
    for wrong in ("Bearer a.b.c", "Basic eDp5", ""):
        assert requests.post(url, json=request, headers={"Authorization": wrong}, timeout=10).status_code == 401
    elsewhere = requests.post(url, json=request, headers={"X-Forwarded-For": "192.0.2.7"}, timeout=10)
    assert elsewhere.status_code == 401
