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
ANTIBODY_WORDS = {"positive": say("positive"), "negative": say("negative"), "borderline": say("borderline")}


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
    number = say("{value:,.7g}", value=quantity.value)  # each language has its own marks: 6,900 is less than seven elsewhere
    return join(" ", [part for part in (quantity.comparator, number, unit_words(quantity.unit)) if part])


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
    low, high = result.low, result.high
    if low is not None and high is not None:
        return say("{low:g} to {high:g}", low=low, high=high)
    if high is not None:
        return say("up to {high:g}", high=high)
    return say("from {low:g}", low=low) if low is not None else ""


def result_words(result: Result) -> str:
    """Answer, value and flag."""
    parts: list[str] = [ANTIBODY_WORDS[result.answer]] if result.answer in ANTIBODY_WORDS else []
    if result.quantity:
        parts.append(value_words(result))
        if flag_of(result) != UNJUDGED:
            parts.append(flag_words(flag_of(result)))
    by_text = [say("matched by text, not by code")] if result.matched_by_text else []
    return join(", ", [*(parts or [say("no answer that could be read")]), *by_text])
