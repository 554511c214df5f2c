"""Two things at once on one chart: what is shown and signed is what was asked about last."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from sandbox.desk import DeskError
from sandbox.desk_state import OpenChart
from sandbox.hooks import HookClient
from tests.sandbox.conftest import StubService
from tests.sandbox.desks import PREGNANT, Ehr, open_ehr

WAIT = 20
"""Seconds, so that a test that fails ends."""


@pytest.fixture
def ehr(service: StubService) -> Ehr:
    """An EHR whose service has every hook."""
    service.offer("patient-view", "order-select", "order-sign")
    return open_ehr([service.url])


def held_up(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """While the first event is being answered something else happens."""
    fire, first = HookClient.fire, iter([True])

    def slowly(client: HookClient, *args: Any) -> Sequence[Any]:
        answers = fire(client, *args)
        if next(first, False):
            meanwhile()
        return answers

    monkeypatch.setattr(HookClient, "fire", slowly)


def test_an_answer_that_comes_after_a_newer_one_is_dropped(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ehr.desk
    old = desk.draft(PREGNANT, "ferritin")
    new: list[str] = []

    def another() -> None:
        new.append(desk.draft(PREGNANT, "methotrexate_2_5")["id"])
        desk.select(PREGNANT, new)

    held_up(monkeypatch, another)
    desk.select(PREGNANT, [old["id"]])
    (answer,) = desk.answers(PREGNANT)
    assert answer.request["context"]["selections"] == [f"MedicationRequest/{new[0]}"]


def test_a_chart_that_was_opened_again_shows_the_later_answer(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ehr.desk
    held_up(monkeypatch, lambda: desk.open_chart(PREGNANT))
    (first,) = desk.open_chart(PREGNANT)
    (shown,) = desk.answers(PREGNANT)
    assert shown.request["hookInstance"] != first.request["hookInstance"]


def test_answers_to_other_hooks_are_kept_whatever_their_order(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ehr.desk
    draft = desk.draft(PREGNANT, "ferritin")
    held_up(monkeypatch, lambda: desk.open_chart(PREGNANT))
    desk.select(PREGNANT, [draft["id"]])
    assert {answer.hook for answer in desk.answers(PREGNANT)} == {"patient-view", "order-select"}


def test_what_was_changed_while_it_was_reviewed_is_not_reviewed_and_not_signed(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ehr.desk
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    held_up(monkeypatch, lambda: desk.change_draft(PREGNANT, draft["id"], dose="90 mg daily"))
    review = desk.review(PREGNANT)
    assert desk.reviewed(PREGNANT, desk.drafts(PREGNANT)) == ""
    with pytest.raises(DeskError, match="have changed since they were reviewed"):
        desk.sign(PREGNANT, expected=review.fingerprint)
    assert desk.drafts(PREGNANT)


def test_a_review_that_was_overtaken_is_none(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ehr.desk
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    held_up(monkeypatch, lambda: desk.select(PREGNANT, [draft["id"]]))
    assert desk.review(PREGNANT).fingerprint == ""
    assert [answer.hook for answer in desk.answers(PREGNANT)] == ["order-select"]


def test_only_who_has_the_reviewed_drafts_before_them_can_sign(ehr: Ehr) -> None:
    desk = ehr.desk
    desk.draft(PREGNANT, "ferritin")
    first = desk.review(PREGNANT).fingerprint
    desk.draft(PREGNANT, "hrct_chest")
    second = desk.review(PREGNANT).fingerprint
    for expected in ("", first):
        with pytest.raises(DeskError, match="have changed since they were reviewed"):
            desk.sign(PREGNANT, expected=expected)
    assert len(desk.sign(PREGNANT, expected=second)) == 2


def test_nothing_changes_a_draft_between_the_comparison_and_the_signature(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, compared, tried = ehr.desk, Event(), Event()
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    reviewed = desk.review(PREGNANT).fingerprint
    order = desk._order

    def slowly(orders: Sequence[Any]) -> Sequence[Any]:
        compared.set()
        assert not tried.wait(0.2)
        return order(orders)

    def change() -> None:
        assert compared.wait(WAIT)
        with pytest.raises(DeskError, match="not on the order pad any more"):
            desk.change_draft(PREGNANT, draft["id"], dose="90 mg daily")
        tried.set()

    monkeypatch.setattr(desk, "_order", slowly)
    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        (signed,) = desk.sign(PREGNANT, expected=reviewed)
        changing.result(WAIT)
    assert "text" not in signed["dosageInstruction"][0]


def test_a_draft_that_is_no_fhir_is_not_signed(ehr: Ehr) -> None:
    desk = ehr.desk
    draft = desk.draft(PREGNANT, "methotrexate_2_5")
    desk._open[PREGNANT].put(draft | {"dosageInstruction": [{"text": "15 mg weekly", "asNeededBoolean": {}}]})
    before = ehr.charts.chart(PREGNANT)
    with pytest.raises(DeskError, match="is not written as FHIR has it, so nothing was done"):
        desk.sign(PREGNANT, expected=desk.review(PREGNANT).fingerprint)
    assert ehr.charts.chart(PREGNANT) == before
    assert len(desk.drafts(PREGNANT)) == 1


def test_with_the_last_draft_answers_that_are_on_their_way_go_too() -> None:
    chart = OpenChart(pad={"draft-1": {"id": "draft-1"}})
    asked = chart.ask("order-select")
    chart.ask("order-sign")
    assert chart.receive(asked, ()) is False
