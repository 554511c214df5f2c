"""No number about too few patients is shown, nor can be had by subtraction."""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.feedback.small_numbers import Cell, patients_of
from server.small_numbers import withheld

PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), max_size=8)


@given(PARTS, st.integers(1, 6))
def test_what_is_shown_is_large_enough_and_so_is_what_it_leaves_of_the_whole(parts: dict[str, int], least: int) -> None:
    hidden = withheld(parts, least, about=sum)
    assert not any(0 < parts[name] < least for name in parts if name not in hidden)
    left = sum(parts[name] for name in hidden)
    everything_is_hidden = all(name in hidden for name in parts if parts[name])
    assert not hidden or left >= least + len(hidden) - 1 or everything_is_hidden
    assert len(hidden) != 1 or everything_is_hidden


@given(PARTS, st.integers(1, 6))
def test_whoever_knows_the_sum_and_that_none_is_nought_holds_every_small_number_possible(
    parts: dict[str, int], least: int
) -> None:
    hidden = withheld(parts, least, about=sum)
    if all(name in hidden for name in parts if parts[name]):
        return  # nothing more could be withheld
    left = sum(parts[name] for name in hidden)
    others = {0: {0}}
    for number in range(1, len(hidden)):  # which sums so many numbers may have
        others[number] = {one + more for one in others[number - 1] for more in range(1, left + 1)}
    assert all(left - number in others[len(hidden) - 1] for number in range(1, least + 1) if hidden)


def every_way(most: int, names: str) -> Iterator[dict[str, int]]:
    """All numbers that so many parts may have."""
    for numbers in product(range(most + 1), repeat=len(names)):
        yield dict(zip(names, numbers, strict=True))


@pytest.mark.parametrize(("names", "most"), [("abc", 24), ("abcd", 13), ("abcde", 8)])
def test_whoever_knows_the_rule_and_tries_all_numbers_is_told_none_that_is_small(names: str, most: int) -> None:
    """None of those withheld is more than the least that is shown, so that up to that one all numbers are tried."""
    possible: dict[tuple[object, ...], dict[str, set[int]]] = {}
    for parts in every_way(most, names):
        hidden = withheld(parts, 5, about=sum)
        shown = {name: parts[name] for name in names if name not in hidden}
        if hidden and any(shown.values()):
            seen = possible.setdefault((*shown.items(), sum(parts.values())), {name: set() for name in hidden})
            for name in hidden:
                seen[name].add(parts[name])
    assert possible
    assert [of_it for seen in possible.values() for of_it in seen.values() if len(of_it) == 1 and min(of_it) < 5] == []


@given(PARTS, st.integers(1, 6))
def test_whoever_knows_that_the_smallest_are_withheld_holds_every_small_number_possible(
    parts: dict[str, int], least: int
) -> None:
    hidden = withheld(parts, least, about=sum)
    shown = [number for name, number in parts.items() if number and name not in hidden]
    if not hidden or not shown:
        return  # nothing more could be withheld
    left = sum(parts[name] for name in hidden)
    others = {0}
    for _ in range(len(hidden) - 1):  # which sums the others may have
        others = {one + more for one in others for more in range(1, min(shown))}
    assert all(left - number in others for number in range(1, least + 1))


def test_of_two_equal_ones_none_is_shown_that_tells_a_small_one() -> None:
    """Were `c` shown, `a` would be 50 at most, and `z` no less than 4 of the 54 that are left."""
    assert withheld({"a": 50, "c": 50, "z": 4}, 5, about=sum) == {"a", "c", "z"}
    assert withheld({"a": 50, "c": 54, "z": 4}, 5, about=sum) == {"a", "z"}


def test_what_is_withheld_for_another_reason_may_be_any_number() -> None:
    assert withheld({"a": 50, "b": 7, "c": 8, "z": 4}, 5, {"a"}, about=sum) == {"a", "z"}


def test_five_that_are_five_together_are_not_told_to_be_one_each() -> None:
    few = dict.fromkeys("abcde", 1)
    assert withheld(few | {"dermatomyositis": 50}, 5, about=sum) == {*few, "dermatomyositis"}
    assert withheld(few | {"dermatomyositis": 50, "polymyositis": 30}, 5, about=sum) == {*few, "polymyositis"}


def test_nine_that_five_make_up_may_be_any_number_from_one_to_five() -> None:
    assert withheld({"a": 1, "b": 1, "c": 1, "d": 2, "e": 4, "f": 50}, 5, about=sum) == {*"abcde"}
    assert withheld({"a": 1, "b": 1, "c": 1, "d": 2, "e": 3, "f": 50}, 5, about=sum) == {*"abcdef"}


def test_nothing_is_withheld_where_everything_is_large() -> None:
    assert withheld({"a": 50, "b": 7, "c": 0}, 5, about=sum) == frozenset()


def test_a_small_part_takes_the_next_smallest_with_it() -> None:
    assert withheld({"a": 50, "b": 7, "c": 2}, 5, about=sum) == {"b", "c"}


def test_a_part_that_is_withheld_for_another_reason_takes_the_smallest_with_it() -> None:
    assert withheld({"a": 50, "b": 7, "c": 0}, 5, {"a", "c"}, about=sum) == {"a", "b"}


def test_parts_that_are_about_the_same_few_patients_take_more_with_them() -> None:
    parts = {"a": {1, 2}, "b": {1, 2, 3}, "c": {1, 2, 3, 4, 5, 6}, "d": {7, 8, 9, 10, 11, 12}, "e": {*range(50)}}
    assert withheld(parts, 5, about=lambda some: len(set().union(*some))) == {"a", "b", "c", "d"}
    seven = parts | {"c": {1, 2, 3, 4, 5, 6, 7}, "d": {*range(8, 20)}}
    assert withheld(seven, 5, about=lambda some: len(set().union(*some))) == {"a", "b", "c"}


OVERLAPPING = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 9), max_size=12), min_size=1)


@given(parts=OVERLAPPING, least=st.integers(1, 6))
def test_nothing_about_few_patients_can_be_had_by_looking_or_by_subtracting(parts: dict[str, list[int]], least: int) -> None:
    cells = {name: Cell() for name in parts}
    for name, patients in parts.items():
        for patient in patients:
            cells[name].add(("c", str(patient)))
    everybody = set().union(*(cell.patients for cell in cells.values()))
    assume(len(everybody) >= least)  # otherwise the whole is withheld
    hidden = withheld(cells, least, about=patients_of)
    assert all(cell.cards == 0 or len(cell.patients) >= least for name, cell in cells.items() if name not in hidden)
    assert all(cells[name].cards for name in hidden)
    if hidden:
        assert len(hidden) > 1
        assert len(set().union(*(cells[name].patients for name in hidden))) >= least
        left, everything = sum(cells[name].cards for name in hidden), {name for name in cells if cells[name].cards}
        assert left >= least + len(hidden) - 1 or hidden == everything, "as far as their sum tells, each is any of these numbers"
