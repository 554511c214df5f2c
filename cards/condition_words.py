"""How each condition of the rule vocabulary is said in plain English, held or not: one small function per key.

A new condition key gets a function here or in `cards.treatment_words`, and an entry in `_WRITERS`; a test fails until it has one.
Titles come from the clinical definitions, so that a page says what a card says.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cards import treatment_words as treatments
from cards.markdown import listed, one_of
from cards.titles import Titles, bare, names
from cards.verdicts import RuleError
from fhir_profiles.sentences import changed, say

Writer = Callable[[Any, bool, Titles], str]
"""Makes a phrase of a condition's YAML value, of whether it is to hold, and of the titles."""


def words_of(key: str, value: Any, holds: bool, named: Titles) -> str:
    """The phrase for one condition that is not a combination of others.

    Args:
        key, value: the condition as it stands in a guideline file.
        holds: whether it is asked to hold, or not to.
        named: the titles.

    Raises:
        RuleError: the key has no words yet.
    """
    if key not in _WRITERS:
        raise RuleError(f"condition `{key}` has no plain words: give it a function in cards/condition_words.py")
    return _WRITERS[key](value, holds, named)


def phenotype_titles(value: Any, named: Titles) -> str:
    """Their titles; all of them together are any myositis."""
    codes, known = names(value), named.definitions.phenotypes
    if set(codes) == set(known["precedence"]):
        return say("myositis of any kind")
    return one_of([changed(_without_commas, known["titles"][code]) for code in codes])


def _without_commas(title: str) -> str:
    return title.replace(",", "")


def _phenotype(value: Any, holds: bool, named: Titles) -> str:
    disease = phenotype_titles(value, named)
    return say("a confirmed {disease}", disease=disease) if holds else say("no confirmed {disease}", disease=disease)


def _suspected_phenotype(value: Any, holds: bool, named: Titles) -> str:
    disease = phenotype_titles(value, named)
    return say("only suspected: {disease}", disease=disease) if holds else say("not even suspected: {disease}", disease=disease)


def _recorded_phenotype(value: Any, holds: bool, named: Titles) -> str:
    disease = phenotype_titles(value, named)
    if holds:
        return say("{disease} on the problem list, however sure", disease=disease)
    return say("no {disease} on the problem list, however sure", disease=disease)


def _age(value: Mapping[str, int], holds: bool, _: Titles) -> str:
    if holds and set(value) == {"at_least", "at_most"}:
        return say("aged {youngest} to {oldest}", youngest=value["at_least"], oldest=value["at_most"])
    ages = [_age_limit(name, years, holds) for name, years in value.items()]
    return listed(ages) if holds else one_of(ages)


def _age_limit(limit: str, years: int, holds: bool) -> str:
    match limit, holds:
        case ("over", True) | ("at_most", False):
            return say("over {years}", years=years)
        case ("over", False) | ("at_most", True):
            return say("aged {years} or under", years=years)
        case ("under", True) | ("at_least", False):
            return say("under {years}", years=years)
        case ("under", False) | ("at_least", True):
            return say("aged {years} or over", years=years)
        case _:
            return say("aged exactly {years}", years=years) if holds else say("not aged {years}", years=years)


def _sex(value: str, holds: bool, _: Titles) -> str:
    return value if holds else say("not {sex}", sex=value)


def _severity(value: str, holds: bool, _: Titles) -> str:
    if value == "severe":
        return say("severe disease") if holds else say("disease that is not severe")
    return say("non-severe disease") if holds else say("disease that is not non-severe")


def _present(value: str, holds: bool, named: Titles) -> str:
    title = named.features[value]
    return say("{finding} present", finding=title) if holds else say("{finding} ruled out", finding=bare(title))


_COMPLETE = (" on record", " current drugs", " on trial")


def _recorded(value: str, holds: bool, named: Titles) -> str:
    title = named.features[value]
    if title.endswith(_COMPLETE):
        return title if holds else say("no {finding}", finding=bare(title))
    if "," in title:
        return say("{finding}, on record", finding=title) if holds else say("no {finding}, on record", finding=bare(title))
    return say("{finding} on record", finding=title) if holds else say("no {finding} on record", finding=bare(title))


def _antibodies(value: Any, named: Titles) -> list[str]:
    return [named.definitions.antibodies[code].title for code in names(value)]


def _antibody_positive(value: Any, holds: bool, named: Titles) -> str:
    found = _antibodies(value, named)
    if holds:
        return say("{antibodies} positive", antibodies=one_of(found))
    return say("{antibodies} negative", antibodies=listed(found))


def _antibody_ever_positive(value: Any, holds: bool, named: Titles) -> str:
    found = one_of(_antibodies(value, named))
    if holds:
        return say("{antibodies} positive now or before", antibodies=found)
    return say("{antibodies} never positive", antibodies=found)


def _myositis_specific_antibody(_: Any, holds: bool, __: Titles) -> str:
    return say("a myositis-specific antibody positive") if holds else say("every myositis-specific antibody negative")


def _remission(value: bool, holds: bool, _: Titles) -> str:
    return say("disease in remission") if value is holds else say("disease not in remission")


def _disease_years(value: Mapping[str, int], holds: bool, _: Titles) -> str:
    ((name, years),) = value.items()
    if (name == "over") is holds:
        return say("disease that began more than {years} years ago", years=years)
    return say("disease that began at most {years} years ago", years=years)


def _on_record(value: Any, holds: bool, named: Titles) -> str:
    test = named.definitions.investigations[names(value)[0]].title
    if holds:
        return say("{test} on record (done or ordered)", test=test)
    return say("no {test} on record (neither done nor ordered)", test=test)


def _settled(value: Any, holds: bool, _: Titles) -> str:
    """The statements go by their ids, which the pages can link to."""
    ids = listed(names(value))
    return (
        say("nothing left to do for {statements}", statements=ids)
        if holds
        else say("something left to do for {statements}", statements=ids)
    )


def _first_recorded(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    finding, months = named.features[value["of"]], value["at_most_months"]
    if holds:
        return say("{finding} first recorded at most {months} months ago", finding=finding, months=months)
    return say("{finding} first recorded more than {months} months ago", finding=finding, months=months)


_WRITERS: dict[str, Writer] = {
    "phenotype": _phenotype,
    "suspected_phenotype": _suspected_phenotype,
    "recorded_phenotype": _recorded_phenotype,
    "age": _age,
    "sex": _sex,
    "severity": _severity,
    "present": _present,
    "recorded": _recorded,
    "antibody_positive": _antibody_positive,
    "antibody_ever_positive": _antibody_ever_positive,
    "myositis_specific_antibody": _myositis_specific_antibody,
    "remission": _remission,
    "disease_years": _disease_years,
    "first_recorded": _first_recorded,
    "daily_dose": treatments.daily_dose,
    "taken_times_a_week": treatments.taken_times_a_week,
    "taken_weeks": treatments.taken_weeks,
    "failed": treatments.failed,
    "not_tolerated": treatments.not_tolerated,
    "taking": treatments.taking,
    "tried": treatments.tried,
    "on_record": _on_record,
    "settled": _settled,
    "earlier_course": treatments.earlier_course,
    "given": treatments.given,
    "given_together": treatments.given_together,
    "drafted_times_a_week": treatments.drafted_times_a_week,
    "drafted_in_words": treatments.drafted_in_words,
    "drafted_prednisolone_mg": treatments.drafted_prednisolone_mg,
}


def written_keys() -> tuple[str, ...]:
    """Every key that has words of its own; the combinations are said by `cards.plain_words`."""
    return tuple(_WRITERS)
