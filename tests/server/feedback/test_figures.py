"""The figures: what is counted, and what is withheld."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.feedback.figures import OUTCOMES, Advice, Figures, ShownCard, UnknownCard, figures, unknown_figures


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


# --- whole reports: what can be had by adding and subtracting any of their numbers


def test_two_rows_do_not_differ_by_one_patient() -> None:
    """What recommendations R1 and R2 have in common would give away, by subtraction, what the one patient without R2 did."""
    both = [card(n, "accepted" if n < 10 else "overridden", "a", recommendations=("R1", "R2")) for n in range(20)]
    one = card(99, "overridden", "a", recommendations=("R1",))
    first, second = figures([*both, one])
    assert (first.shown, first.is_whole) == (20, False)
    assert (second.shown, second.is_whole) == (20, True)
    assert first.cards == second.cards
    assert figures([*both, one], 1)[0].shown == 21


def test_what_is_withheld_of_a_kind_of_card_is_withheld_in_every_row_that_counts_it() -> None:
    """R2 alone has enough of each outcome; its difference to R1 would be one override of one patient."""
    both = [card(n, outcome, "a", recommendations=("R1", "R2")) for n in range(30) for outcome in ("overridden", "accepted")]
    alone = [card(n, "overridden" if n == 50 else "silent", "a", recommendations=("R1",)) for n in range(50, 80)]
    first, second = figures([*both, *alone])
    assert (first.shown, first.cards) == (90, {"accepted": 30, "overridden": None, "silent": None})
    assert (first.reasons, first.is_complete) == ({}, False)
    assert second.cards == {"accepted": 30, "overridden": 30, "silent": 0}


def test_patients_are_counted_by_the_least() -> None:
    assert [only([card(n) for n in range(count)]).patients for count in (5, 9, 10)] == [5, 9, 10]
    assert [only([card(n) for n in range(count)], least=5).patients for count in (5, 9, 10)] == [5, 5, 10]


Shares = frozenset[int]
"""Which cards a number counts, by their place among all cards."""


def numbers(cards: Sequence[ShownCard], least: int) -> Iterator[Shares]:
    """For each number of the report, the cards that it counts; each is as large as it is printed."""
    for row in figures(cards, least):
        if row.shown is None:
            assert (set(row.cards.values()), row.reasons) == ({None}, {})
            continue
        of_row = frozenset(
            place for place, one in enumerate(cards) if row.advice in advice_of(one) and is_common(one, cards, least)
        )
        counts = [(of_row, row.shown)]
        for outcome, count in row.cards.items():
            counts.append((frozenset(n for n in of_row if cards[n].outcome == outcome), count))
        for code, count in row.reasons.items():
            counts.append((frozenset(n for n in of_row if cards[n].outcome == "overridden" and cards[n].reason == code), count))
        for counted, count in counts:
            if count is not None:
                assert len(counted) == count
                yield counted


def advice_of(one: ShownCard) -> set[Advice]:
    return {Advice(name, one.knowledge_version, one.topic, one.indicator, one.service) for name in one.recommendations}


def is_common(one: ShownCard, cards: Sequence[ShownCard], least: int) -> bool:
    return len({other.patient for other in cards if advice_of(other) == advice_of(one)}) >= least


def rank(rows: Iterable[Shares]) -> int:
    """How many of them do not follow from the others by adding and subtracting."""
    reduced: list[dict[int, Fraction]] = []
    for row in rows:
        rest = dict.fromkeys(row, Fraction(1))
        for other in reduced:
            lead = next(iter(other))
            if factor := rest.get(lead, Fraction(0)) / other[lead]:
                for place, value in other.items():
                    rest[place] = rest.get(place, Fraction(0)) - factor * value
                rest = {place: value for place, value in rest.items() if value}
        if rest:
            reduced.append(rest)
    return len(reduced)


SAID = st.sampled_from([("A",), ("B",), ("A", "B"), ("A", "B", "C"), ("C",)])
SHOWN = st.builds(
    lambda patient, said, outcome, reason, topic: card(
        patient, outcome, reason if outcome == "overridden" else None, recommendations=said, topic=topic
    ),
    st.integers(0, 6), SAID, st.sampled_from(OUTCOMES), st.sampled_from(["x", "y"]), st.sampled_from(["t", "t", "u"]),
)  # fmt: skip


@settings(max_examples=300)
@given(cards=st.lists(SHOWN, min_size=10, max_size=60), least=st.integers(2, 3))
def test_no_sum_or_difference_of_printed_numbers_is_about_few_patients(cards: list[ShownCard], least: int) -> None:
    """Were one about these few patients alone, it would vanish without their cards, and the rank of the numbers with it."""
    printed = [counted for counted in numbers(cards, least) if counted]
    everybody = sorted({one.patient for one in cards})
    for few in combinations(everybody, least - 1):
        others = [frozenset(n for n in counted if cards[n].patient not in few) for counted in printed]
        assert rank(others) == rank(printed), few


def test_unknown_cards_are_counted_by_service_and_outcome() -> None:
    cards = [UnknownCard("b", "accepted")] * 2 + [UnknownCard("a", "overridden")] * 7
    assert unknown_figures(cards, 1) == {"a": {"accepted": 0, "overridden": 7}, "b": {"accepted": 2, "overridden": 0}}
    assert unknown_figures(cards, 5)["b"] == {"accepted": None, "overridden": 0}
