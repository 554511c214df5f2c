"""What is drawn and folded: lines over time, bars of time, and long details."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.charts import load_charts
from sandbox.markdown import render_folded
from sandbox.results import Point, results_over_time
from sandbox.sparkline import HEIGHT, WIDTH, sparkline
from sandbox.timing import WIDTH as BAR
from sandbox.timing import phases
from tests.for_each import for_each

VALUES = st.floats(min_value=0, max_value=1e6, allow_nan=False)
LIMITS = st.none() | VALUES
POINTS = st.lists(st.tuples(st.integers(0, 4000), VALUES), min_size=2, max_size=12).map(
    lambda days: [Point(date(2020, 1, 1) + timedelta(days=day), value) for day, value in sorted(days)]
)
SECTIONS = st.lists(st.tuples(st.from_regex(r"[A-Z][a-z]{2,9}", fullmatch=True), st.integers(1, 90)), min_size=1, max_size=8)


@given(POINTS, LIMITS, LIMITS)
def test_every_value_is_drawn_within_the_frame_in_the_order_of_time(
    points: list[Point], low: float | None, high: float | None
) -> None:
    drawn = sparkline(points, low, high)
    assert len(drawn.dots) == len(points)
    assert [x for x, _ in drawn.dots] == sorted(x for x, _ in drawn.dots)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn.dots)
    assert (drawn.band is None) == (low is None and high is None)


@given(POINTS)
def test_a_higher_value_is_never_drawn_below_a_lower_one(points: list[Point]) -> None:
    drawn = sparkline(points)
    heights = sorted(zip((point.value for point in points), (y for _, y in drawn.dots), strict=True))
    assert [y for _, y in heights] == sorted((y for _, y in heights), reverse=True)


@given(st.floats(0.1, 1e5), st.dictionaries(st.sampled_from(["read", "assess", "cards", "store"]), st.floats(0, 1e4)))
def test_the_phases_fill_the_bar_and_leave_no_gap(milliseconds: float, named: dict[str, float]) -> None:
    parts = phases(milliseconds, named | {"total": sum(named.values())})
    assert {part.name for part in parts} - {"network and the rest"} == set(named)
    if any(part.milliseconds for part in parts):
        assert sum(part.width for part in parts) == pytest.approx(BAR, abs=0.1 * len(parts))
    assert all(after.start >= before.start for before, after in pairwise(parts))


@given(SECTIONS)
def test_folding_loses_and_repeats_nothing_and_never_cuts_a_section(sections: list[tuple[str, int]]) -> None:
    text = "\n\n".join(f"**{title}**\n\n- {'word ' * words}" for title, words in sections)
    first, rest = render_folded(text)
    titles = re.findall(r"<strong>(\w+)</strong>", first) + re.findall(r"<strong>(\w+)</strong>", rest)
    assert titles == [title for title, _ in sections]
    assert (first + rest).count("word") == sum(words for _, words in sections)
    assert first.count("<strong>") >= 1
    assert not rest or rest.startswith("<p><strong>")


@for_each("slug", sorted(load_charts()))
def test_every_observation_of_a_chart_is_in_one_row(slug: str) -> None:
    chart = load_charts()[slug]
    rows = [row.reference for series in results_over_time(chart) for row in series.rows]
    assert sorted(rows) == sorted(f"Observation/{one['id']}" for one in chart.of("Observation"))


def test_repeated_tests_come_first_and_say_their_course() -> None:
    first, *others = results_over_time(load_charts()["anti-tif1-gamma-dermatomyositis"])
    assert (first.name, first.low, first.high) == ("Creatine kinase", 26, 192)
    assert first.course == "2140 U/L on 10 September 2026, 780 U/L on 9 November 2026"
    assert all(series.course == "" for series in others)
