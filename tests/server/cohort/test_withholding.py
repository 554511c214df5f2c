"""No number about too few patients is shown, nor can be had by subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from server.cohort.report.withholding import withheld

PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), max_size=8)


@given(PARTS, st.integers(1, 6))
def test_what_is_shown_is_large_enough_and_so_is_what_it_leaves_of_the_whole(parts: dict[str, int], least: int) -> None:
    hidden = withheld(parts, least)
    assert not any(0 < parts[name] < least for name in parts if name not in hidden)
    left = sum(parts[name] for name in hidden)
    everything_is_hidden = all(name in hidden for name in parts if parts[name])
    assert not hidden or left >= least or everything_is_hidden
    assert len(hidden) != 1 or everything_is_hidden


def test_nothing_is_withheld_where_everything_is_large() -> None:
    assert withheld({"a": 50, "b": 7, "c": 0}, 5) == frozenset()


def test_a_small_part_takes_the_next_smallest_with_it() -> None:
    assert withheld({"a": 50, "b": 7, "c": 2}, 5) == {"b", "c"}
