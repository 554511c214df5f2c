"""No number about too few patients is shown, nor can be had by subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from server.cohort.report.withholding import withheld_parts, withheld_rows

PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), max_size=8)
ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.fixed_dictionaries({"x": st.integers(0, 9), "y": st.integers(0, 9)}), max_size=6
)


@given(PARTS, st.integers(1, 6))
def test_what_is_shown_is_large_enough_and_so_is_what_it_leaves_of_the_whole(parts: dict[str, int], least: int) -> None:
    hidden = withheld_parts(parts, least)
    assert not any(0 < parts[name] < least for name in parts if name not in hidden)
    left = sum(parts[name] for name in hidden)
    everything_is_hidden = all(name in hidden for name in parts if parts[name])
    assert not hidden or left >= least or everything_is_hidden
    assert len(hidden) != 1 or everything_is_hidden


@given(ROWS, st.integers(1, 6))
def test_the_sums_of_a_table_do_not_give_its_withheld_rows_away(rows: dict[str, dict[str, int]], least: int) -> None:
    hidden = withheld_rows(rows, least)
    everything_is_hidden = all(name in hidden for name in rows if any(rows[name].values()))
    for column in "xy":
        assert not any(0 < rows[name][column] < least for name in rows if name not in hidden)
        left = sum(rows[name][column] for name in hidden)
        assert left == 0 or left >= least or everything_is_hidden


def test_nothing_is_withheld_where_everything_is_large() -> None:
    assert withheld_parts({"a": 50, "b": 7, "c": 0}, 5) == frozenset()
