"""When somebody is seen: often in the beginning, more rarely as years pass, the last time lately or too long ago."""

from server.cohort.synthesis.chart import Chart

APART = 14
"""Days between two visits of one kind, at the least."""


def visit_days(chart: Chart, first: int, most: int, overdue: float, apart: int = APART) -> list[int]:
    """Days of visits, in order.

    Args:
        chart: of the person.
        first: day of the first one.
        most: at most so many.
        overdue: share of people whose last visit was too long ago.
        apart: days between two of them, at the least.
    """
    chance, last_day = chart.chance, chart.person.last_day
    is_overdue = chance.random() < overdue
    back = 200 + 500 * chance.random() if is_overdue else 90 * chance.random()
    span = max(last_day - int(back) - first, 0)
    spread = (int(span * ((step + 0.5 * chance.random()) / most) ** 1.6) for step in range(1, most))
    return spaced([first, *(first + days for days in spread), first + span], apart)


def soon(chart: Chart, first: int, days: int) -> int:
    """Some day before so many have passed, and before the chart ends; the first one, where it ends then.

    Args:
        chart: of the person.
        first: day, no later than the last of the chart.
        days: how many.
    """
    return first + int(chart.chance.random() * min(days, chart.person.last_day - first))


def spaced(days: list[int], apart: int) -> list[int]:
    """Days in order, without those that come too soon after the one before.

    Args:
        days: in order.
        apart: days between two of them, at the least.
    """
    kept = days[:1]
    for day in days[1:]:
        if day - kept[-1] >= apart:
            kept.append(day)
    return kept
