"""Of whom a report speaks: everybody, and the living and the dead with myositis."""

from server.cohort.report.counting import Asked
from server.cohort.report.whole import Whole
from server.cohort.report.withholding import withheld

_CONFIRMED = "certainty IN ('recorded', 'supported')"
"""Of whom therapy may be spoken: the diagnosis is in the chart."""

LIVING = f"{_CONFIRMED} AND NOT deceased"
"""Of whom the charts of the disease and of care speak: nothing is due for the dead."""


def wholes(asked: Asked) -> tuple[Whole, Whole, Whole]:
    """Everybody; and the living and the dead with myositis in the chart.

    Args:
        asked: the tables.
    """
    ((patients, living, dead),) = asked.rows(
        f"SELECT count(*), count(*) FILTER ({LIVING}), count(*) FILTER ({_CONFIRMED} AND deceased) FROM patients"
    )
    apart = {"dead": dead} if dead >= asked.least else {}  # a few dead are hidden well enough among the others
    parts = {"living": living, **apart, "others": patients - living - sum(apart.values())}
    hidden = withheld(parts, asked.least)
    beside = sum(parts[name] for name in hidden - {"living"})
    return (
        asked.alone(patients),
        Whole(living, "living" in hidden, beside),
        Whole(dead, "dead" in hidden or 0 < dead < asked.least),
    )
