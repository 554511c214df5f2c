"""The figures: what is counted, and what is withheld."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.feedback.figures import LEAST, OUTCOMES, Figures, ShownCard, UnknownCard, figures, unknown_figures
from server.feedback.small_numbers import Cell, withheld


def card(patient: int, outcome: str = "silent", reason: str | None = None, **more: object) -> ShownCard:
    members: dict[str, object] = {
        "recommendations": ("R1",), "knowledge_version": "2026.11", "topic": "lungFunction", "indicator": "info",
        "service": "myositis-patient-view", "patient": ("hospital", str(patient)), "outcome": outcome, "reason": reason,
    }  # fmt: skip
    return ShownCard(**(members | more))  # type: ignore[arg-type]


def only(cards: Sequence[ShownCard], least: int = 1) -> Figures:
    (row,) = figures(cards, least)
    return row


# --- what is counted


def test_cards_are_counted_by_their_outcome_and_overrides_by_their_reason() -> None:
    cards = [card(1, "accepted"), card(1), card(2, "overridden", "b"), card(3, "overridden", "a"), card(4, "overridden"), card(5)]
    row = only(cards)
    assert (row.patients, row.shown) == (5, 6)
    assert row.cards == {"accepted": 1, "overridden": 3, "silent": 2}
    assert list(row.reasons.items()) == [("a", 1), ("b", 1), ("none", 1)]
    assert row.is_complete


def test_a_card_counts_for_each_of_its_recommendations() -> None:
    rows = figures([card(1, "accepted", recommendations=("R2", "R1")), card(2, recommendations=("R2",))], 1)
    assert [(row.advice.recommendation, row.shown, row.cards["accepted"]) for row in rows] == [("R1", 1, 1), ("R2", 2, 1)]


@pytest.mark.parametrize("member", ["knowledge_version", "topic", "indicator", "service"])
def test_versions_topics_indicators_and_services_are_counted_apart(member: str) -> None:
    assert [row.shown for row in figures([card(1), card(2), card(3, **{member: "another"})], 1)] in ([2, 1], [1, 2])


def test_the_order_does_not_depend_on_the_order_of_the_cards() -> None:
    cards = [card(n, "overridden", reason, recommendations=(name,)) for n, name in enumerate("BAC") for reason in "yxz"]
    assert figures(cards, 1) == figures(cards[::-1], 1)
    assert [row.advice.recommendation for row in figures(cards, 1)] == ["A", "B", "C"]


def test_rates_are_shares_of_the_cards_shown_with_wilsons_interval() -> None:
    """Newcombe, Stat Med 1998;17:857, table I: 15 of 148 and 0 of 20 by the score method without continuity correction."""
    row = only([card(n, "accepted" if n < 15 else "silent") for n in range(148)])
    assert row.acceptance
    assert (row.acceptance.value, row.acceptance.low, row.acceptance.high) == (0.1014, 0.0624, 0.1605)
    none = only([card(n) for n in range(20)]).override
    assert none
    assert (none.value, none.low, none.high) == (0.0, 0.0, 0.1611)


def test_advice_that_is_mostly_overridden_is_named_for_review() -> None:
    often = [card(n, "overridden" if n > 9 else "silent") for n in range(60)]
    assert only(often).needs_review
    assert not only(often[1:50] + [card(n) for n in range(60, 70)]).needs_review
    assert not only(often[10:40]).needs_review  # too few to tell
    assert only([card(n, "overridden") for n in range(4)], least=5).needs_review is None


# --- small numbers


def test_a_row_about_few_patients_is_withheld_whole() -> None:
    row = only([card(n % 4, "accepted") for n in range(100)], least=5)
    assert (row.patients, row.shown, row.acceptance, row.override, row.reasons) == (None, None, None, None, {})
    assert set(row.cards.values()) == {None}


def test_a_number_about_few_patients_is_withheld_and_so_is_one_more_that_would_give_it_away() -> None:
    cards = [card(n, "accepted") for n in range(20)] + [card(n, "overridden") for n in range(4)] + [card(n) for n in range(30)]
    row = only(cards, least=5)
    assert row.shown == 54
    assert row.cards == {"accepted": None, "overridden": None, "silent": 30}
    assert (row.acceptance, row.override, row.reasons, row.is_complete) == (None, None, {}, False)


def test_a_reason_of_few_patients_is_not_named() -> None:
    cards = [card(n, "overridden", "common") for n in range(20)] + [card(n, "overridden", "often") for n in range(9)]
    row = only([*cards, card(50, "overridden", "rare")], least=5)
    assert (row.reasons, row.is_complete) == ({"common": 20}, False)


def test_none_at_all_is_not_withheld() -> None:
    assert only([card(n) for n in range(5)], least=5).cards == {"accepted": 0, "overridden": 0, "silent": 5}


PARTS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 9), max_size=12), min_size=1)


@given(parts=PARTS, least=st.integers(1, 6))
def test_nothing_about_few_patients_can_be_had_by_looking_or_by_subtracting(parts: dict[str, list[int]], least: int) -> None:
    cells = {name: Cell() for name in parts}
    for name, patients in parts.items():
        for patient in patients:
            cells[name].add(("c", str(patient)))
    everybody = set().union(*(cell.patients for cell in cells.values()))
    assume(len(everybody) >= least)  # otherwise the whole is withheld
    hidden = withheld(cells, least)
    assert all(cell.cards == 0 or len(cell.patients) >= least for name, cell in cells.items() if name not in hidden)
    assert all(cells[name].cards for name in hidden)
    if hidden:
        assert len(hidden) > 1
        assert len(set().union(*(cells[name].patients for name in hidden))) >= least


@given(st.lists(st.builds(card, st.integers(0, 8), st.sampled_from(OUTCOMES)), max_size=40))
def test_no_number_that_is_printed_is_about_fewer_patients_than_wanted(cards: list[ShownCard]) -> None:
    for row in figures(cards):
        for outcome, count in row.cards.items():
            patients = {one.patient for one in cards if one.outcome == outcome}
            assert count is None or not patients or len(patients) >= LEAST


def test_unknown_cards_are_counted_by_service_and_outcome() -> None:
    cards = [UnknownCard("b", "accepted")] * 2 + [UnknownCard("a", "overridden")] * 7
    assert unknown_figures(cards, 1) == {"a": {"accepted": 0, "overridden": 7}, "b": {"accepted": 2, "overridden": 0}}
    assert unknown_figures(cards, 5)["b"] == {"accepted": None, "overridden": 0}
