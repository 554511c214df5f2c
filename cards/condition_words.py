"""How each condition of the rule vocabulary is said in plain English, held or not: one small function per key.

A new condition key gets a function here and an entry in `_WRITERS`; a test fails while it has none. Titles come from the clinical
definitions, so that a page says what a card says.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from cards.layers import PACKAGED, Layers
from cards.verdicts import RuleError
from fhir_profiles.assess import assess
from fhir_profiles.clinical_definitions import Definitions, definitions
from fhir_profiles.record import PatientRecord


@dataclass(frozen=True, slots=True)
class Titles:
    """What the words are made of.

    Args:
        definitions: antibodies, agents, investigations and phenotypes with their titles.
        features: title of every finding, by code.
        treatments: title of every entry of `treatments.yaml`.
    """

    definitions: Definitions
    features: Mapping[str, str]
    treatments: Mapping[str, str]


Writer = Callable[[Any, bool, Titles], str]
"""Makes a phrase of a condition's YAML value, of whether it is to hold, and of the titles."""


@cache
def titles() -> Titles:
    """The titles of the packaged definitions."""
    treatments = {name: str(entry["title"]) for name, entry in Layers(PACKAGED).table("treatments").items()}
    return titles_of(definitions(), treatments)


def titles_of(known: Definitions, treatments: Mapping[str, str]) -> Titles:
    """The titles of some definitions; those of computed findings are what assessing an empty chart calls them.

    Args:
        known: the definitions.
        treatments: title of every treatment, by key.
    """
    findings = assess(PatientRecord(as_of=date(2000, 1, 1)), known).features
    return Titles(known, {code: finding.title for code, finding in findings.items()}, treatments)


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


def one_of(names: Iterable[str], last: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def phenotype_titles(value: Any, named: Titles) -> str:
    """Their titles; all of them together are any myositis."""
    codes, known = _listed(value), named.definitions.phenotypes
    if set(codes) == set(known["precedence"]):
        return "myositis of any kind"
    return one_of(known["titles"][code].replace(",", "") for code in codes)


def _phenotype(value: Any, holds: bool, named: Titles) -> str:
    return f"{'a' if holds else 'no'} confirmed {phenotype_titles(value, named)}"


def _suspected_phenotype(value: Any, holds: bool, named: Titles) -> str:
    return f"{'only suspected' if holds else 'not even suspected'}: {phenotype_titles(value, named)}"


def _recorded_phenotype(value: Any, holds: bool, named: Titles) -> str:
    return f"{'' if holds else 'no '}{phenotype_titles(value, named)} on the problem list, however sure"


_AGES = {
    "over": ("over {}", "aged {} or under"),
    "under": ("under {}", "aged {} or over"),
    "at_least": ("aged {} or over", "under {}"),
    "at_most": ("aged {} or under", "over {}"),
    "exactly": ("aged exactly {}", "not aged {}"),
}


def _age(value: Mapping[str, int], holds: bool, _: Titles) -> str:
    if holds and set(value) == {"at_least", "at_most"}:
        return f"aged {value['at_least']} to {value['at_most']}"
    return one_of((_AGES[name][0 if holds else 1].format(years) for name, years in value.items()), "and" if holds else "or")


def _sex(value: str, holds: bool, _: Titles) -> str:
    return value if holds else f"not {value}"


def _severity(value: str, holds: bool, _: Titles) -> str:
    return f"{value} disease" if holds else f"disease that is not {value}"


def _bare(title: str) -> str:
    """A title after `no`: without its article."""
    for article, rest in (("another ", "other "), ("a ", ""), ("an ", "")):
        if title.startswith(article):
            return rest + title.removeprefix(article)
    return title


def _present(value: str, holds: bool, named: Titles) -> str:
    title = named.features[value]
    return f"{title} present" if holds else f"{_bare(title)} ruled out"


_COMPLETE = (" on record", " current drugs", " on trial")


def _recorded(value: str, holds: bool, named: Titles) -> str:
    title = named.features[value]
    on_record = "" if title.endswith(_COMPLETE) else ", on record" if "," in title else " on record"
    return f"{title}{on_record}" if holds else f"no {_bare(title)}{on_record}"


def _antibodies(value: Any, named: Titles) -> list[str]:
    return [named.definitions.antibodies[code].title for code in _listed(value)]


def _antibody_positive(value: Any, holds: bool, named: Titles) -> str:
    found = _antibodies(value, named)
    return f"{one_of(found)} positive" if holds else f"{one_of(found, 'and')} negative"


def _antibody_ever_positive(value: Any, holds: bool, named: Titles) -> str:
    return f"{one_of(_antibodies(value, named))} {'positive now or before' if holds else 'never positive'}"


def _myositis_specific_antibody(_: Any, holds: bool, __: Titles) -> str:
    return "a myositis-specific antibody positive" if holds else "every myositis-specific antibody negative"


def _remission(value: bool, holds: bool, _: Titles) -> str:
    return "disease in remission" if value is holds else "disease not in remission"


def _disease_years(value: Mapping[str, int], holds: bool, _: Titles) -> str:
    ((name, years),) = value.items()
    over = (name == "over") is holds
    return f"disease that began {'more than' if over else 'at most'} {years} years ago"


def _of_courses(does: tuple[str, str], do: tuple[str, str]) -> Writer:
    """Words about treatment courses: for one and for several, held and not."""

    def writer(value: Any, holds: bool, named: Titles) -> str:
        agents = [named.definitions.agents[agent].title for agent in _listed(value)]
        said = (does if len(agents) == 1 else do)[0 if holds else 1]
        return f"{one_of(agents, 'and')} {said}"

    return writer


def _not_tolerated(value: Any, holds: bool, named: Titles) -> str:
    agents = one_of((named.definitions.agents[agent].title for agent in _listed(value)), "and")
    return f"{'' if holds else 'no '}intolerance of {agents} on record"


def _on_record(value: Any, holds: bool, named: Titles) -> str:
    test = named.definitions.investigations[_listed(value)[0]].title
    return f"{test} on record (done or ordered)" if holds else f"no {test} on record (neither done nor ordered)"


def _settled(value: Any, holds: bool, _: Titles) -> str:
    """The statements go by their ids, which the pages can link to."""
    return f"{'nothing' if holds else 'something'} left to do for {one_of(_listed(value), 'and')}"


def _first_recorded(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    when = f"{'at most' if holds else 'more than'} {value['at_most_months']} months ago"
    return f"{named.features[value['of']]} first recorded {when}"


_OVER = {"over": ("over", "at most"), "at_least": ("at least", "under")}


def _daily_dose(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    agent, limit = named.definitions.agents[value["of"]].title, next(key for key in value if key != "of")
    return f"{agent}, {_OVER[limit][0 if holds else 1]} {value[limit]:g} mg a day"


def _taken_weeks(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    agent, limit = named.definitions.agents[value["of"]].title, next(key for key in value if key != "of")
    return f"{agent} being taken for {_OVER[limit][0 if holds else 1]} {value[limit]:g} weeks"


def _treatment_titles(names: Any, named: Titles, last: str = "or") -> str:
    return one_of((named.treatments.get(name, name) for name in _listed(names)), last)


def _earlier_course(value: str, holds: bool, _: Titles) -> str:
    became = {"failed": "failed", "not-tolerated": "not tolerated"}[value]
    return f"an earlier course of the drug {became}" if holds else f"no earlier course of the drug {became}"


def _given(value: Any, holds: bool, named: Titles) -> str:
    return f"{_treatment_titles(value, named)} {'taken or' if holds else 'neither taken nor'} being written"


def _given_together(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    number = f"{'at least' if holds else 'fewer than'} {value['at_least']}"
    return f"{number} of {_treatment_titles(value['of'], named, 'and')} taken or being written"


_TESTS = {"over": ("over", "at most"), "under": ("under", "at least"), "at_least": ("at least", "under")}


def _drafted_times_a_week(value: Mapping[str, Any], holds: bool, _: Titles) -> str:
    ((limit, number),) = value.items()
    return f"drafted for {_TESTS[limit][0 if holds else 1]} {'once' if number == 1 else f'{number:g} times'} a week"


def _drafted_prednisolone_mg(value: Mapping[str, Any], holds: bool, _: Titles) -> str:
    ((limit, number),) = value.items()
    return f"drafted with {_TESTS[limit][0 if holds else 1]} {number:g} mg of prednisolone a day"


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
    "daily_dose": _daily_dose,
    "taken_weeks": _taken_weeks,
    "failed": _of_courses(("has failed", "has not failed"), ("have failed", "have not all failed")),
    "not_tolerated": _not_tolerated,
    "taking": _of_courses(("being taken", "not being taken"), ("being taken", "not all being taken")),
    "tried": _of_courses(("tried, now or before", "never tried"), ("tried, now or before", "not all tried")),
    "on_record": _on_record,
    "settled": _settled,
    "earlier_course": _earlier_course,
    "given": _given,
    "given_together": _given_together,
    "drafted_times_a_week": _drafted_times_a_week,
    "drafted_prednisolone_mg": _drafted_prednisolone_mg,
}


def written_keys() -> tuple[str, ...]:
    """Every key that has words of its own; the combinations are said by `cards.plain_words`."""
    return tuple(_WRITERS)
