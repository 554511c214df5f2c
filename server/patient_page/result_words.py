"""One result in words: what was measured, how it stands to the laboratory's own range, and what could not be read."""

from fhir_profiles.record import Result
from fhir_profiles.sentences import Sentence, join, say

HIGH, LOW, NORMAL, ABNORMAL, UNJUDGED = "high", "low", "normal", "abnormal", "unjudged"

_FLAGS = {
    HIGH: say("above the laboratory's range"),
    LOW: say("below the laboratory's range"),
    NORMAL: say("within the laboratory's range"),
    ABNORMAL: say("called abnormal by the laboratory"),
    UNJUDGED: say("no range given"),
}
_ANSWERS = {"positive": say("positive"), "negative": say("negative"), "borderline": say("borderline")}


def is_measured(result: Result) -> bool:
    """Whether it has a number that can be drawn."""
    return result.quantity is not None


def flag_of(result: Result) -> str:
    """`high`, `low`, `normal`, `abnormal` or `unjudged`, by the laboratory's own interpretation or range only."""
    if result.is_above_range:
        return HIGH
    if result.is_below_range:
        return LOW
    if result.interpretation == "abnormal":
        return ABNORMAL
    has_limits = result.low is not None or result.high is not None or result.interpretation is not None
    undecided = (result.high is not None and result.is_above_range is None) or (
        result.low is not None and result.is_below_range is None
    )
    return NORMAL if has_limits and not undecided else UNJUDGED


def flag_words(flag: str) -> Sentence:
    """The flag in words."""
    return _FLAGS[flag]


def value_words(result: Result) -> str:
    """`< 5 ng/mL`: the number as it is compared, with its comparator and unit."""
    if result.quantity is None:
        return say("no value that could be read")
    quantity = result.quantity
    number = f"{quantity.value:,.6g}" if abs(quantity.value) >= 1000 else f"{quantity.value:g}"
    return " ".join(filter(None, (quantity.comparator, number, unit_words(quantity.unit))))


_UNITS = {
    "mm[Hg]": "mmHg",
    "mL/min/mm[Hg]": "mL/min/mmHg",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "10*9/L": "10⁹/L",
    "umol/L": "µmol/L",
}


def unit_words(unit: str) -> str:
    """A UCUM code as people write the unit; any other text as it is."""
    return _UNITS.get(unit, unit)


def range_words(result: Result) -> str:
    """The laboratory's own range: `26 to 192`, `up to 20`, `from 80`, or nothing."""
    low, high = (None if limit is None else f"{limit:g}" for limit in (result.low, result.high))
    if low and high:
        return say("{low} to {high}", low=low, high=high)
    if high:
        return say("up to {high}", high=high)
    return say("from {low}", low=low) if low else ""


def result_words(result: Result) -> str:
    """Answer, value and flag."""
    parts: list[str] = [_ANSWERS[result.answer]] if result.answer in _ANSWERS else []
    if result.quantity:
        parts.append(value_words(result))
        if flag_of(result) != UNJUDGED:
            parts.append(flag_words(flag_of(result)))
    by_text = [say("matched by text, not by code")] if result.matched_by_text else []
    return join(", ", [*(parts or [say("no answer that could be read")]), *by_text])
